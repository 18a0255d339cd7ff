#include "codec/decimal.h"

#include "codec/numbers.h"
#include "codec/select.h"
#include "otolith/decimal.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint8_t kNarrow = 0;  // high words are the signs of the low ones
constexpr std::uint8_t kWide = 1;

class DecimalCodec final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::decimal, 1}; }
  std::string_view name() const noexcept override { return "decimal"; }
  bool fits(Type type) const noexcept override {
    return type.kind == TypeKind::decimal && type_supported(type);
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

std::int64_t sign_word(std::uint64_t low) noexcept { return static_cast<std::int64_t>(low) >> 63; }

// Both words of the rows of a block; a null repeats the value before it, or is 0.
struct Words {
  BlockValues low;
  BlockValues high;
};

void words_load(const Array& chunk, std::uint64_t first, std::uint64_t count, Words& out) noexcept {
  const auto* units = chunk.values.as<Decimal>() + first;
  Decimal last;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!chunk.is_null(first + i)) last = units[i];
    out.low[i] = last.low;
    out.high[i] = static_cast<std::uint64_t>(last.high);
  }
}

// Whether 64 bits hold every value that is there.
bool is_narrow(const Array& chunk, std::uint64_t first, std::uint64_t count) noexcept {
  const auto* units = chunk.values.as<Decimal>();
  std::uint64_t wide = 0;
  for (std::uint64_t row = first; row < first + count; ++row) {
    const bool counts = !chunk.is_null(row);
    wide |= counts ? static_cast<std::uint64_t>(units[row].high ^ sign_word(units[row].low)) : 0;
  }
  return wide == 0;
}

// ---------------------------------------------------------------------------------------- analyze

void put_block(const Array& chunk, std::uint64_t first, std::uint64_t count, bool narrow,
               ByteWriter& out) {
  Words words;
  words_load(chunk, first, count, words);
  block_encode(words.low, count, kOrderMax, out);
  if (!narrow) block_encode(words.high, count, kOrderMax, out);
}

std::optional<std::uint64_t> DecimalCodec::analyze(const Array& chunk) const {
  if (chunk.length == 0) return std::nullopt;
  const auto sample = [](const Array& of, std::uint64_t first, std::uint64_t count,
                         ByteWriter& out) {
    put_block(of, first, count, is_narrow(of, first, count), out);
  };
  const std::uint64_t pages = (chunk.length + kPageRowsMax - 1) / kPageRowsMax;
  return rows_estimate(chunk, sample) + pages * kHeadBytes;
}

// ----------------------------------------------------------------------------------------- encode

EncodedChunk DecimalCodec::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(
      chunk, page_rows,
      [](const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
        const bool narrow = is_narrow(of, first, count);
        out.put(narrow ? kNarrow : kWide);
        out.put_zeros(kHeadBytes - 1);
        for_each_block(count, [&](std::uint64_t at, std::uint64_t rows) {
          put_block(of, first + at, rows, narrow, out);
        });
      });
}

// ----------------------------------------------------------------------------------------- decode

std::string_view DecimalCodec::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  const BytesView bytes = page.values.bytes;
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const auto scheme = load_le<std::uint8_t>(bytes.data());
  if (scheme > kWide) return "it has an unknown scheme";
  if (!all_zero(bytes.subspan(1, kHeadBytes - 1))) return "a reserved byte is not zero";
  return blocks_flaw(
      bytes.subspan(kHeadBytes), facts,
      [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) -> std::string_view {
        if (const auto low = block_flaw(rest, count, kOrderMax, taken);
            !low.empty() || scheme == kNarrow) {
          return low;
        }
        std::uint64_t of_high = 0;
        const auto high = block_flaw(rest.subspan(*taken), count, kOrderMax, &of_high);
        *taken += of_high;
        return high;
      });
}

bool is_narrow(const Parts& page) noexcept {
  return load_le<std::uint8_t>(page.values.bytes.data()) == kNarrow;
}

// The decimals of a block; returns the bytes it takes.
std::uint64_t decode_block(const std::byte* at, std::uint64_t count, bool narrow,
                           std::byte* out) noexcept {
  auto* units = reinterpret_cast<Decimal*>(out);
  alignas(64) BlockValues low;
  const std::uint64_t low_bytes = block_decode(at, count, low.data());
  if (narrow) {
    for (std::uint64_t i = 0; i < count; ++i) units[i] = {low[i], sign_word(low[i])};
    return low_bytes;
  }
  alignas(64) BlockValues high;
  const std::uint64_t high_bytes = block_decode(at + low_bytes, count, high.data());
  for (std::uint64_t i = 0; i < count; ++i) units[i] = {low[i], static_cast<std::int64_t>(high[i])};
  return low_bytes + high_bytes;
}

// What a test asks of low words alone.
model::Criterion within_words(model::Criterion test) {
  constexpr model::IntegerBounds all{INT64_MIN, INT64_MAX};
  const auto beyond = [&](Int128 one) { return one < all.low || one > all.high; };
  std::erase_if(test.integer_set, beyond);
  if (test.kind != model::Criterion::Kind::range) return test;
  test.integers = {std::max(test.integers.low, all.low), std::min(test.integers.high, all.high)};
  if (test.integers.low > test.integers.high) test.kind = model::Criterion::Kind::set;  // of none
  return test;
}

void DecimalCodec::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const std::byte* at = page.values.bytes.data() + kHeadBytes;
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += decode_block(at, count, is_narrow(page), to.values + first * sizeof(Decimal));
  });
}

bool DecimalCodec::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                          std::byte* out) const {
  const bool narrow = is_narrow(page);
  blocks_gather(
      page.values.bytes.data() + kHeadBytes, facts, rows, out,
      [narrow](const std::byte* at, std::uint64_t count) {
        const std::uint64_t low = block_bytes(at, count);
        return narrow ? low : low + block_bytes(at + low, count);
      },
      [narrow](const std::byte* at, std::uint64_t count, std::byte* to) {
        return decode_block(at, count, narrow, to);
      });
  return true;
}

bool DecimalCodec::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                          std::uint64_t* bits) const {
  if (!is_narrow(page) || !is_selectable(test)) return false;
  const std::byte* at = page.values.bytes.data() + kHeadBytes;
  const IntegerTest asked = integer_test(within_words(test));
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += block_select(at, count, asked, bits + first / 64);
  });
  return true;
}

}  // namespace

const Codec& decimal_codec() noexcept {
  static const DecimalCodec codec;
  return codec;
}

}  // namespace otolith::codec
