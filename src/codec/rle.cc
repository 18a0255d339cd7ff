#include "codec/rle.h"

#include <memory>
#include <utility>

#include "base/mutant.h"
#include "codec/alp.h"
#include "codec/decimal.h"
#include "codec/frame.h"
#include "codec/lengths.h"
#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint64_t kRunRowsMin = 2;    // on average, to be worth a look
constexpr std::uint64_t kSampledPages = 2;  // of a chunk

// What the codec of the values of runs takes them for, and that codec.
Type inner_type(Type type) noexcept {
  return type.kind == TypeKind::boolean ? Type{TypeKind::uint8} : type;
}
const Codec& codec_of(Type type) noexcept {
  if (type.kind == TypeKind::float32 || type.kind == TypeKind::float64) return alp_codec();
  return type.kind == TypeKind::decimal ? decimal_codec() : delta_codec();
}

class Rle final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::rle, 1}; }
  std::string_view name() const noexcept override { return "rle"; }
  bool fits(Type type) const noexcept override { return codec_of(type).fits(inner_type(type)); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

// ----------------------------------------------------------------------------------------- encode

// The runs of some rows: a value each, and how many rows it has.
struct Runs {
  Array values;
  std::vector<std::uint64_t> rows;
};

// A null is in the run before it, or in the first.
template <typename Bits>
Runs runs_of(const Array& chunk, std::uint64_t first, std::uint64_t count) {
  const std::byte* const slots = chunk.values.bytes.data();
  std::vector<std::uint64_t> ends;
  std::vector<Bits> values;
  for (std::uint64_t row = first; row < first + count; ++row) {
    if (chunk.is_null(row)) continue;
    const Bits value = bits_at<Bits>(slots, row);
    if (!values.empty() && value == values.back()) continue;
    if (!values.empty()) ends.push_back(row - first);
    values.push_back(value);
  }
  if (values.empty()) values.push_back({});
  ends.push_back(count);
  Runs out;
  std::uint64_t last = 0;
  for (const std::uint64_t end : ends) out.rows.push_back(end - std::exchange(last, end));
  const BytesView bytes = std::as_bytes(std::span(values));
  out.values = {.type = inner_type(chunk.type),
                .length = values.size(),
                .values = buffer_of({bytes.begin(), bytes.end()})};
  return out;
}

void put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
  const Runs runs = with_bits_of(
      chunk.type, [&]<typename Bits>(Bits) { return runs_of<Bits>(chunk, first, rows); });
  out.put(static_cast<std::uint32_t>(runs.rows.size()));
  out.put_zeros(kHeadBytes - sizeof(std::uint32_t));
  for_each_block(runs.rows.size(), [&](std::uint64_t at, std::uint64_t count) {
    BlockValues lengths;
    std::copy_n(&runs.rows[at], count, lengths.begin());
    block_encode(lengths, count, 0, out);
  });
  out.put_bytes(codec_of(chunk.type).encode(runs.values, kPageRowsMax).values.bytes);
}

EncodedChunk Rle::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(chunk, page_rows, put_page);
}

// ---------------------------------------------------------------------------------------- analyze

// How many runs some rows are.
template <typename Bits>
std::uint64_t count_runs(const Array& chunk, std::uint64_t first, std::uint64_t count) {
  if (chunk.null_count != 0) return runs_of<Bits>(chunk, first, count).rows.size();
  const std::byte* const slots = chunk.values.bytes.data() + first * sizeof(Bits);
  std::uint64_t out = 1;
  for (std::uint64_t i = 1; i < count; ++i)
    out += bits_at<Bits>(slots, i) == bits_at<Bits>(slots, i - 1) ? 0 : 1;
  return out;
}

std::optional<std::uint64_t> Rle::analyze(const Array& chunk) const {
  std::uint64_t runs = 0;
  std::uint64_t sampled = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    runs += with_bits_of(
        chunk.type, [&]<typename Bits>(Bits) { return count_runs<Bits>(chunk, first, count); });
    sampled += count;
  }
  if (runs * kRunRowsMin > sampled) return std::nullopt;
  return pages_estimate(chunk, kSampledPages, put_page);
}

// ----------------------------------------------------------------------------------------- decode

std::uint64_t runs_in(const Parts& page) noexcept {
  return load_le<std::uint32_t>(page.values.bytes.data());
}

PageFacts facts_of(Type type, std::uint64_t runs) noexcept {
  return {.type = inner_type(type), .rows = runs};
}

Parts parts_at(const Parts& page, std::uint64_t at) {
  return {{}, {}, {page.values.owner, page.values.bytes.subspan(at)}, page.values_at + at};
}

std::string_view Rle::flaw(const Parts& page, const PageFacts& facts) const {
  const BytesView bytes = page.values.bytes;
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const std::uint64_t runs = runs_in(page);
  if (runs > facts.rows && !mutant("rle-runs-unchecked")) return "it has more runs than rows";
  if (load_le<std::uint32_t>(&bytes[4]) != 0) return "a reserved byte is not zero";
  std::uint64_t lengths = 0;
  if (const auto wrong = lengths_flaw(bytes.subspan(kHeadBytes), runs, facts.rows, &lengths);
      !wrong.empty()) {
    return wrong;
  }
  return codec_of(facts.type)
      .flaw(parts_at(page, kHeadBytes + lengths), facts_of(facts.type, runs));
}

// The row behind each run of a page without flaw, and where the values of the runs are.
struct Ends {
  std::unique_ptr<std::uint64_t[]> rows;
  std::uint64_t runs = 0;
  Parts values;

  explicit Ends(const Parts& page)
      : rows(std::make_unique_for_overwrite<std::uint64_t[]>(runs_in(page))), runs(runs_in(page)) {
    const Room to{.offsets = reinterpret_cast<std::byte*>(rows.get())};
    const std::byte* at = page.values.bytes.data() + kHeadBytes;
    values = parts_at(page, kHeadBytes + lengths_get(at, runs, to));
  }
};

// The values of runs, of their own width.
std::unique_ptr<std::byte[]> values_get(const Ends& ends, Type type) {
  auto out = std::make_unique_for_overwrite<std::byte[]>(ends.runs * type_width(type));
  codec_of(type).decode(ends.values, facts_of(type, ends.runs), {.values = out.get()});
  return out;
}

// A vector is stored whole, also beyond the end of a short run: the next one overwrites that.
template <typename Bits>
void fill_runs(const Bits* values, const Ends& ends, std::uint64_t rows, Bits* out) noexcept {
  constexpr std::uint64_t kAtOnce = 32 / sizeof(Bits);
  std::uint64_t row = 0;
  for (std::uint64_t run = 0; run < ends.runs; ++run) {
    const std::uint64_t end = ends.rows[run];
    const Bits value = values[run];
    if (end + kAtOnce > rows) {
      std::fill(out + row, out + end, value);
    } else {
      for (std::uint64_t at = row; at < end; at += kAtOnce) std::fill_n(out + at, kAtOnce, value);
    }
    row = end;
  }
}

void Rle::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const Ends ends(page);
  const auto values = values_get(ends, facts.type);
  with_bits_of(facts.type, [&]<typename Bits>(Bits) {
    fill_runs(reinterpret_cast<const Bits*>(values.get()), ends, facts.rows,
              reinterpret_cast<Bits*>(to.values));
  });
}

bool Rle::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                 std::byte* out) const {
  const Ends ends(page);
  const auto values = values_get(ends, facts.type);
  with_bits_of(facts.type, [&]<typename Bits>(Bits) {
    const auto* of = reinterpret_cast<const Bits*>(values.get());
    std::uint64_t run = 0;
    for (const std::uint32_t number : rows.numbers) {
      while (ends.rows[run] <= number - rows.first) ++run;
      std::memcpy(out, &of[run], sizeof(Bits));
      out += sizeof(Bits);
    }
  });
  return true;
}

// Makes bits first..end-1 ones.
void set_bits(std::uint64_t first, std::uint64_t end, std::uint64_t* bits) noexcept {
  if (first == end) return;
  const std::uint64_t from = ~0ull << (first % 64);
  const std::uint64_t to = ~0ull >> (63 - (end - 1) % 64);
  const std::uint64_t last = (end - 1) / 64;
  if (first / 64 == last) {
    bits[last] |= from & to;
    return;
  }
  bits[first / 64] |= from;
  for (std::uint64_t word = first / 64 + 1; word < last; ++word) bits[word] = ~0ull;
  bits[last] |= to;
}

bool Rle::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                 std::uint64_t* bits) const {
  const Ends ends(page);
  std::vector<std::uint64_t> passes(model::bit_words(ends.runs));
  if (!codec_of(facts.type)
           .select(ends.values, facts_of(facts.type, ends.runs), test, passes.data())) {
    return false;
  }
  std::fill_n(bits, model::bit_words(facts.rows), 0);
  std::uint64_t row = 0;
  for (std::uint64_t run = 0; run < ends.runs; ++run) {
    if ((passes[run / 64] >> (run % 64) & 1) != 0) set_bits(row, ends.rows[run], bits);
    row = ends.rows[run];
  }
  return true;
}

}  // namespace

const Codec& rle_codec() noexcept {
  static const Rle codec;
  return codec;
}

}  // namespace otolith::codec
