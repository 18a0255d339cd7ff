#include "codec/constant.h"

#include <cstring>

#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

class Constant final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::constant, 1}; }
  std::string_view name() const noexcept override { return "constant"; }
  bool fits(Type type) const noexcept override {
    return type_supported(type) && !model::is_text(type);
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

std::uint64_t page_bytes(Type type) noexcept { return align_up(type_width(type), 8); }

// The first of some rows that is not null, or the row behind them.
std::uint64_t first_valid(const Array& chunk, std::uint64_t row, std::uint64_t end) noexcept {
  while (row < end && chunk.is_null(row)) ++row;
  return row;
}

// ---------------------------------------------------------------------------------------- analyze

// Whether the rows that are not null hold one value, to the bit.
bool is_one_value(const Array& chunk, std::uint64_t first, std::uint64_t rows) noexcept {
  const std::uint64_t width = type_width(chunk.type);
  const std::byte* const values = chunk.values.bytes.data();
  if (chunk.null_count == 0) {  // each as the one before
    const std::byte* const at = values + first * width;
    return std::memcmp(at, at + width, (rows - 1) * width) == 0;
  }
  const std::uint64_t end = first + rows;
  const std::uint64_t one = first_valid(chunk, first, end);
  for (std::uint64_t row = one; row < end; ++row) {
    if (!chunk.is_null(row) && std::memcmp(values + row * width, values + one * width, width) != 0)
      return false;
  }
  return true;
}

std::optional<std::uint64_t> Constant::analyze(const Array& chunk) const {
  for (std::uint64_t first = 0; first < chunk.length; first += kPageRowsMax) {
    const std::uint64_t rows = std::min<std::uint64_t>(kPageRowsMax, chunk.length - first);
    if (!is_one_value(chunk, first, rows)) return std::nullopt;
  }
  return (chunk.length + kPageRowsMax - 1) / kPageRowsMax * page_bytes(chunk.type);
}

// ----------------------------------------------------------------------------------------- encode

void put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
  const std::uint64_t row = first_valid(chunk, first, first + rows);
  if (row == first + rows)
    out.put_zeros(page_bytes(chunk.type));
  else if (chunk.type.kind == TypeKind::decimal)
    out.put_bytes(chunk.values.bytes.subspan(row * sizeof(Decimal), sizeof(Decimal)));
  else
    out.put(number_at(chunk, row));
}

EncodedChunk Constant::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(chunk, page_rows, put_page);
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Constant::flaw(const Parts& page, const PageFacts& facts) const {
  return page.values.bytes.size() == page_bytes(facts.type) && page.offsets.bytes.empty()
             ? ""
             : "its values have a wrong size";
}

// The low bytes of a widened value are the value.
void repeat(const Parts& page, Type type, std::uint64_t count, std::byte* out) noexcept {
  const std::byte* const value = page.values.bytes.data();
  with_bits_of(type, [&]<typename Bits>(Bits) {
    std::fill_n(reinterpret_cast<Bits*>(out), count, bits_at<Bits>(value));
  });
}

void Constant::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  repeat(page, facts.type, facts.rows, to.values);
}

bool Constant::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                      std::byte* out) const {
  repeat(page, facts.type, rows.numbers.size(), out);
  return true;
}

}  // namespace

const Codec& constant_codec() noexcept {
  static const Constant codec;
  return codec;
}

}  // namespace otolith::codec
