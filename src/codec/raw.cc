#include "codec/raw.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

using model::bitmap_bytes;
using model::is_text;

// Bits behind the last row of a bitmap must be zero.
bool bits_end_clean(BytesView bitmap, std::uint64_t rows) noexcept {
  return rows % 8 == 0 || (std::to_integer<unsigned>(bitmap.back()) >> (rows % 8)) == 0;
}

// A bitmap as it goes to the file: whole bytes, clean behind its last bit.
Buffer bits_clean(const Buffer& bits, std::uint64_t rows) {
  const BytesView bytes = bits.bytes.first(bitmap_bytes(rows));
  if (rows == 0 || bits_end_clean(bytes, rows)) return {bits.owner, bytes};
  std::byte* data = nullptr;
  Buffer out = buffer_allocate(bytes.size(), &data);
  std::memcpy(data, bytes.data(), bytes.size());
  data[bytes.size() - 1] &= static_cast<std::byte>((1u << (rows % 8)) - 1);
  return out;
}

class Raw final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::raw, 1}; }
  std::string_view name() const noexcept override { return "raw"; }
  bool mappable() const noexcept override { return true; }
  bool fits(Type type) const noexcept override { return type_supported(type); }

  std::uint64_t analyze(const Array& sample) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  Array decode(const Parts& parts, const PageFacts& facts) const override;
};

// ---------------------------------------------------------------------------------------- analyze

std::uint64_t Raw::analyze(const Array& sample) const {
  const std::uint64_t validity = sample.null_count != 0 ? bitmap_bytes(sample.length) : 0;
  if (!is_text(sample.type)) return validity + sample.length * type_width(sample.type);
  const auto* at = sample.offsets.as<std::int64_t>();
  const auto text = sample.length == 0 ? 0 : static_cast<std::uint64_t>(at[sample.length] - at[0]);
  return validity + (sample.length + 1) * sizeof(std::int64_t) + text;
}

// ----------------------------------------------------------------------------------------- encode

// Offsets relative to the first byte of the chunk: the input's own where they are so already.
Buffer offsets_from_zero(const Array& chunk) {
  const auto* at = chunk.offsets.as<std::int64_t>();
  const std::uint64_t bytes = (chunk.length + 1) * sizeof(std::int64_t);
  if (at[0] == 0) return {chunk.offsets.owner, chunk.offsets.bytes.first(bytes)};
  std::byte* data = nullptr;
  Buffer out = buffer_allocate(bytes, &data);
  auto* to = reinterpret_cast<std::int64_t*>(data);
  for (std::uint64_t i = 0; i <= chunk.length; ++i) to[i] = at[i] - at[0];
  return out;
}

void encode_text(const Array& chunk, EncodedChunk& out) {
  const auto* at = chunk.offsets.as<std::int64_t>();
  out.offsets = offsets_from_zero(chunk);
  out.values = {chunk.values.owner,
                chunk.values.bytes.subspan(static_cast<std::size_t>(at[0]),
                                           static_cast<std::size_t>(at[chunk.length] - at[0]))};
}

PagePlace place_of(const Array& chunk, const EncodedChunk& out, std::uint64_t first,
                   std::uint64_t rows) {
  if (is_text(chunk.type)) {
    const auto* at = out.offsets.as<std::int64_t>();
    return {static_cast<std::uint64_t>(at[first]),
            static_cast<std::uint64_t>(at[first + rows] - at[first])};
  }
  return {first * type_width(chunk.type), rows * type_width(chunk.type)};
}

EncodedChunk Raw::encode(const Array& chunk, std::uint32_t page_rows) const {
  OTO_INVARIANT(page_rows % kBlockRows == 0 && page_rows != 0);
  EncodedChunk out;
  if (chunk.null_count != 0) out.validity = bits_clean(chunk.validity, chunk.length);
  if (is_text(chunk.type)) {
    encode_text(chunk, out);
  } else {
    out.values = {chunk.values.owner,
                  chunk.values.bytes.first(chunk.length * type_width(chunk.type))};
  }
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const std::uint64_t rows = std::min<std::uint64_t>(page_rows, chunk.length - first);
    out.pages.push_back(place_of(chunk, out, first, rows));
  }
  return out;
}

// ----------------------------------------------------------------------------------------- decode

std::string_view validity_flaw(const Parts& page, const PageFacts& facts) {
  if (page.validity.bytes.size() != (facts.chunk_has_nulls ? bitmap_bytes(facts.rows) : 0)) {
    return "its bitmap of nulls has another size than its rows";
  }
  if (!facts.chunk_has_nulls)
    return facts.null_count == 0 ? "" : "nulls are counted without a bitmap";
  if (!bits_end_clean(page.validity.bytes, facts.rows))
    return "its bitmap of nulls goes beyond its rows";
  if (model::bitmap_nulls(page.validity.bytes, facts.rows) != facts.null_count) {
    return "its nulls are not as many as its zone map says";
  }
  return {};
}

std::string_view text_flaw(const Parts& page, const PageFacts& facts) {
  if (page.offsets.bytes.size() != (facts.rows + 1) * sizeof(std::int64_t)) {
    return "its offsets are not one more than its rows";
  }
  const auto* at = page.offsets.bytes.data();
  const auto offset = [at](std::uint64_t i) { return load_le<std::uint64_t>(at + i * 8); };
  bool ascending = true;
  for (std::uint64_t i = 0; i < facts.rows; ++i) ascending &= offset(i) <= offset(i + 1);
  if (!ascending || offset(0) != page.values_at ||
      offset(facts.rows) - page.values_at != page.values.bytes.size()) {
    return "its offsets do not fit its text";
  }
  return {};
}

std::string_view Raw::flaw(const Parts& page, const PageFacts& facts) const {
  if (const auto wrong = validity_flaw(page, facts); !wrong.empty()) return wrong;
  if (is_text(facts.type)) return text_flaw(page, facts);
  if (page.values.bytes.size() != facts.rows * type_width(facts.type)) {
    return "its values have another size than its rows";
  }
  return {};
}

// Offsets count from the start of the chunk; where only some of its pages were read they are
// shifted.
Buffer offsets_shifted(const Parts& parts, std::uint64_t rows) {
  std::byte* data = nullptr;
  Buffer out = buffer_allocate((rows + 1) * sizeof(std::int64_t), &data);
  for (std::uint64_t i = 0; i <= rows; ++i) {
    const auto offset = load_le<std::uint64_t>(parts.offsets.bytes.data() + i * 8);
    store_le(data + i * 8, offset - parts.values_at);
  }
  return out;
}

Array Raw::decode(const Parts& parts, const PageFacts& facts) const {
  Array out;
  out.type = facts.type;
  out.length = facts.rows;
  out.null_count = facts.null_count;
  if (facts.null_count != 0) out.validity = parts.validity;
  out.values = parts.values;
  if (is_text(facts.type)) {
    out.offsets = parts.values_at == 0 ? parts.offsets : offsets_shifted(parts, facts.rows);
  }
  return out;
}

}  // namespace

const Codec& raw_codec() noexcept {
  static const Raw raw;
  return raw;
}

}  // namespace otolith::codec
