#include "codec/alp_rd.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/exceptions.h"
#include "codec/numbers.h"
#include "codec/split_loops.h"

namespace otolith::codec {

namespace {

constexpr unsigned kUpperBitsMax = 16;
constexpr std::size_t kPageHeadBytes = 8 + kUpperPartsMax * sizeof(std::uint16_t);
constexpr std::size_t kBlockHead = 8;        // bytes
constexpr std::uint64_t kSampledRows = 128;  // of a block
constexpr std::uint64_t kExceptionBits = 32;
constexpr std::uint64_t kExceptionsFew = 8;  // one value in so many: else it would not be worth it

// The words of a page, and what their codes stand for.
struct Layout {
  Split split;
  std::size_t entries = 1;
  unsigned code_bits() const noexcept { return static_cast<unsigned>(std::bit_width(entries - 1)); }
  unsigned width() const noexcept { return code_bits() + split.right; }
};

class AlpRd final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::alp_rd, 1}; }
  std::string_view name() const noexcept override { return "alp_rd"; }
  bool fits(Type type) const noexcept override {
    return type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

// ---------------------------------------------------------------------------------------- analyze

// How many values of a sample have an upper part.
struct Run {
  std::uint16_t part = 0;
  std::uint64_t count = 0;
};

// By their two bytes, counted: a comparison would be missed every other time.
void sort(std::vector<std::uint16_t>& parts) {
  std::vector<std::uint16_t> out(parts.size());
  for (const unsigned shift : {0u, 8u}) {
    std::array<std::uint32_t, 257> at{};
    for (const std::uint16_t part : parts) ++at[((part >> shift) & 0xffu) + 1];
    std::partial_sum(at.begin(), at.end(), at.begin());
    for (const std::uint16_t part : parts) out[at[(part >> shift) & 0xffu]++] = part;
    parts.swap(out);
  }
}

// The longest upper parts there can be of some values, ascending.
std::vector<Run> upper_sample(const Array& chunk) {
  std::vector<std::uint16_t> sample;
  alignas(64) BlockValues room;
  const unsigned right_least = type_width(chunk.type) * 8 - kUpperBitsMax;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    const std::uint64_t* values = numbers_at(chunk, first, rows, room);
    const std::uint64_t count = std::min(rows, kSampledRows);
    for (std::uint64_t i = 0; i < count; ++i)
      sample.push_back(static_cast<std::uint16_t>(values[i * rows / count] >> right_least));
  }
  sort(sample);
  std::vector<Run> out;
  for (const std::uint16_t part : sample) {
    if (out.empty() || out.back().part != part) out.push_back({part, 0});
    ++out.back().count;
  }
  return out;
}

// The same with parts of a bit less.
void shorten(std::vector<Run>& runs) noexcept {
  std::size_t kept = 0;
  for (const Run& run : runs) {
    const auto part = static_cast<std::uint16_t>(run.part >> 1);
    if (kept != 0 && runs[kept - 1].part == part)
      runs[kept - 1].count += run.count;
    else
      runs[kept++] = {part, run.count};
  }
  runs.resize(kept);
}

// The cheapest split of a chunk, as a sample has it; nullopt if none saves a bit a value.
std::optional<Layout> layout_of(const Array& chunk) {
  std::vector<Run> runs = upper_sample(chunk);
  std::uint64_t values = 0;
  for (const Run& run : runs) values += run.count;
  const unsigned width = type_width(chunk.type) * 8;
  std::optional<Layout> best;
  std::uint64_t least = values * (width - 1);
  std::array<Run, kUpperPartsMax> frequent;
  for (unsigned bits = kUpperBitsMax; bits >= 1; shorten(runs), --bits) {
    // Each part without an entry is one value at least.
    if (runs.size() > kUpperPartsMax + values / kExceptionsFew) continue;
    const auto end = std::ranges::partial_sort_copy(runs, frequent, [](const Run& a, const Run& b) {
                       return a.count != b.count ? a.count > b.count : a.part < b.part;
                     }).out;
    Layout layout{.split = {.right = width - bits}, .entries = 0};
    std::uint64_t left = values;
    for (const Run& run : std::span(frequent.begin(), end)) {
      layout.split.upper[layout.entries++] = std::uint64_t{run.part} << layout.split.right;
      left -= run.count;
      if (left * kExceptionsFew > values) continue;
      const std::uint64_t cost = values * layout.width() + left * kExceptionBits;
      // Of equal ones the shortest parts, and of these the fewest.
      const bool shorter = best && best->split.right != layout.split.right;
      if (cost < least || (cost == least && (!best || shorter))) best = layout, least = cost;
    }
  }
  return best;
}

// ----------------------------------------------------------------------------------------- encode

// The code of every upper part there can be; without an entry, 0 and a mark.
using Codes = std::vector<std::uint8_t>;
constexpr unsigned kMarkBit = 7;

Codes codes_of(const Layout& layout, unsigned width) {
  Codes out(std::size_t{1} << (width - layout.split.right), 1u << kMarkBit);
  for (std::size_t i = 0; i < layout.entries; ++i)
    out[layout.split.upper[i] >> layout.split.right] = static_cast<std::uint8_t>(i);
  return out;
}

std::byte* put_block(const std::uint64_t* values, std::uint64_t count, const Layout& layout,
                     const Codes& codes, std::byte* out) noexcept {
  alignas(64) BlockValues words;
  BlockPlaces places;
  const unsigned right = layout.split.right;
  const std::uint64_t lower = (1ull << right) - 1;
  const std::uint8_t* const code_of = codes.data();
  std::uint64_t exceptions = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const unsigned code = code_of[values[i] >> right];
    words[i] = std::uint64_t{code % kUpperPartsMax} << right | (values[i] & lower);
    places[exceptions] = static_cast<std::uint16_t>(i);
    exceptions += code >> kMarkBit;
  }
  store_le(out, exceptions);
  out += kBlockHead;
  pack(words.data(), count, layout.width(), 0, out);
  out += packed_bytes(count, layout.width());
  const auto odd = std::span(places).first(exceptions);
  for (const std::uint16_t place : odd) words[place] = values[place] >> right;
  return exceptions_put(words.data(), odd, sizeof(std::uint16_t), out);
}

using PageHead = std::array<std::byte, kPageHeadBytes>;

PageHead head_of(const Layout& layout) noexcept {
  PageHead out{};
  out[0] = static_cast<std::byte>(layout.split.right);
  out[1] = static_cast<std::byte>(layout.entries);
  for (std::size_t i = 0; i < layout.entries; ++i)
    store_le(&out[8 + i * 2],
             static_cast<std::uint16_t>(layout.split.upper[i] >> layout.split.right));
  return out;
}

BlockPages pages_of(const Layout& layout, const PageHead& head, unsigned width) {
  return {.block_bytes_max = kBlockHead + packed_bytes(kBlockRows, layout.width()) +
                             exceptions_bytes(kBlockRows, sizeof(std::uint16_t)),
          .head = head,
          .block = [&layout, codes = codes_of(layout, width)](const std::uint64_t* values,
                                                              std::uint64_t count, std::byte* out) {
            return put_block(values, count, layout, codes, out);
          }};
}

std::optional<std::uint64_t> AlpRd::analyze(const Array& chunk) const {
  const std::optional<Layout> layout = layout_of(chunk);
  if (!layout) return std::nullopt;
  const PageHead head = head_of(*layout);
  return blocks_estimate(chunk, pages_of(*layout, head, type_width(chunk.type) * 8));
}

EncodedChunk AlpRd::encode(const Array& chunk, std::uint32_t page_rows) const {
  const unsigned width = type_width(chunk.type) * 8;
  const Layout any{.split = {.right = width - kUpperBitsMax}};
  const Layout layout = layout_of(chunk).value_or(any);
  const PageHead head = head_of(layout);
  return blocks_encode(chunk, page_rows, pages_of(layout, head, width));
}

// ----------------------------------------------------------------------------------------- decode

Layout layout_read(const std::byte* head) noexcept {
  Layout out{.split = {.right = load_le<std::uint8_t>(head)},
             .entries = load_le<std::uint8_t>(head + 1)};
  for (std::size_t i = 0; i < kUpperPartsMax; ++i) {
    out.split.upper[i] = std::uint64_t{load_le<std::uint16_t>(head + 8 + i * 2)} << out.split.right;
  }
  return out;
}

std::string_view head_flaw(const std::byte* head, unsigned width) noexcept {
  const auto right = load_le<std::uint8_t>(head);
  const auto entries = load_le<std::uint8_t>(head + 1);
  if (right >= width || right + kUpperBitsMax < width)
    return "the head of its floats is impossible";
  const std::size_t parts = std::size_t{1} << (width - right);  // at most 2^16
  const std::size_t most =
      mutant("alp-rd-entries-unchecked") ? UINT8_MAX : std::min(kUpperPartsMax, parts);
  if (entries == 0 || entries > most) return "the head of its floats is impossible";
  if (load_le<std::uint16_t>(head + 2) != 0 || load_le<std::uint32_t>(head + 4) != 0)
    return "a reserved byte is not zero";
  for (std::size_t i = 0; i < kUpperPartsMax; ++i) {
    const unsigned part = load_le<std::uint16_t>(head + 8 + i * 2);
    if ((part >> (width - right)) != 0 || (i >= entries && part != 0))
      return "an upper part of its floats is impossible";
  }
  return {};
}

std::string_view split_block_flaw(BytesView bytes, std::uint64_t count, unsigned width,
                                  std::uint64_t* taken) noexcept {
  if (bytes.size() < kBlockHead) return "a block is cut short";
  const auto exceptions = load_le<std::uint64_t>(bytes.data());  // zeros behind 16 bits
  if (exceptions > count) return "the head of a block is impossible";
  const std::uint64_t packed = kBlockHead + packed_bytes(count, width);
  if (bytes.size() < packed) return "a block is cut short";
  const auto wrong =
      exceptions_flaw(bytes.subspan(packed), exceptions, sizeof(std::uint16_t), count, taken);
  *taken += packed;
  return wrong;
}

std::string_view AlpRd::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  const BytesView bytes = page.values.bytes;
  if (bytes.size() < kPageHeadBytes) return "it is cut short";
  if (const auto wrong = head_flaw(bytes.data(), type_width(facts.type) * 8); !wrong.empty())
    return wrong;
  const unsigned width = layout_read(bytes.data()).width();
  return blocks_flaw(bytes.subspan(kPageHeadBytes), facts,
                     [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
                       return split_block_flaw(rest, count, width, taken);
                     });
}

// Floats in `out`, which has room for whole rows of lanes; returns the bytes of the block.
std::uint64_t decode_block(const std::byte* bytes, std::uint64_t count, const Layout& layout,
                           std::uint64_t* out) noexcept {
  const auto exceptions = load_le<std::uint16_t>(bytes);
  const std::uint64_t packed = kBlockHead + packed_bytes(count, layout.width());
  unpack(bytes + kBlockHead, count, layout.width(), 0, out);
  split_floats(out, count, layout.split);
  const std::byte* parts = bytes + packed;
  const std::byte* places = parts + exceptions * sizeof(std::uint16_t);
  const std::uint64_t lower = (1ull << layout.split.right) - 1;
  for (std::uint64_t i = 0; i < exceptions; ++i) {
    std::uint64_t& bits = out[load_le<std::uint16_t>(places + i * 2)];
    bits =
        std::uint64_t{load_le<std::uint16_t>(parts + i * 2)} << layout.split.right | (bits & lower);
  }
  return packed + exceptions_bytes(exceptions, sizeof(std::uint16_t));
}

// The same, cut to `width` bytes each.
std::uint64_t decode_block(const std::byte* bytes, std::uint64_t count, const Layout& layout,
                           std::uint32_t width, std::byte* out) noexcept {
  if (width == sizeof(std::uint64_t) && count == kBlockRows)
    return decode_block(bytes, count, layout, reinterpret_cast<std::uint64_t*>(out));
  alignas(64) BlockValues values;
  const std::uint64_t taken = decode_block(bytes, count, layout, values.data());
  numbers_store(values.data(), count, width, out);
  return taken;
}

void AlpRd::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  const std::uint32_t width = type_width(facts.type);
  for_each_block(facts.rows, [&, layout = layout_read(page.values.bytes.data())](
                                 std::uint64_t first, std::uint64_t count) {
    at += decode_block(at, count, layout, width, to.values + first * width);
  });
}

bool AlpRd::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                   std::byte* out) const {
  const Layout layout = layout_read(page.values.bytes.data());
  blocks_gather(
      page.values.bytes.data() + kPageHeadBytes, facts, rows, out,
      [&](const std::byte* at, std::uint64_t count) {
        return kBlockHead + packed_bytes(count, layout.width()) +
               exceptions_bytes(load_le<std::uint16_t>(at), sizeof(std::uint16_t));
      },
      [&, width = type_width(facts.type)](const std::byte* at, std::uint64_t count, std::byte* to) {
        return decode_block(at, count, layout, width, to);
      });
  return true;
}

}  // namespace

const Codec& alp_rd_codec() noexcept {
  static const AlpRd codec;
  return codec;
}

}  // namespace otolith::codec
