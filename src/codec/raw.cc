#include "codec/raw.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

using model::is_text;

class Raw final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::raw, 1}; }
  std::string_view name() const noexcept override { return "raw"; }
  bool mappable() const noexcept override { return true; }
  bool fits(Type type) const noexcept override { return type_supported(type); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  // The bytes of text can be any: what can be wrong is where texts begin.
  PagePart flaw_part(const Parts&, const PageFacts& facts) const override {
    return is_text(facts.type) ? PagePart::offsets : PagePart::values;
  }
  Array view(const Parts& parts, const PageFacts& facts) const override;
  bool tells_one() const noexcept override { return true; }
  Picked pick(const Parts& page, const PageFacts& facts, std::uint64_t row,
              std::string& out) const override;
};

// ---------------------------------------------------------------------------------------- analyze

std::optional<std::uint64_t> Raw::analyze(const Array& chunk) const {
  if (!is_text(chunk.type)) return chunk.length * type_width(chunk.type);
  const auto* at = chunk.offsets.as<std::int64_t>();
  const auto text = chunk.length == 0 ? 0 : static_cast<std::uint64_t>(at[chunk.length] - at[0]);
  return (chunk.length + 1) * sizeof(std::int64_t) + text;
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
  EncodedChunk out;
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
  if (is_text(facts.type)) return text_flaw(page, facts);
  if (page.values.bytes.size() != facts.rows * type_width(facts.type)) {
    return "its values have another size than its rows";
  }
  return {};
}

Picked Raw::pick(const Parts& page, const PageFacts& facts, std::uint64_t row,
                 std::string& out) const {
  if (page.offsets.bytes.size() != (facts.rows + 1) * sizeof(std::int64_t)) return Picked::flawed;
  const std::byte* const at = page.offsets.bytes.data() + row * sizeof(std::int64_t);
  const auto first = load_le<std::uint64_t>(at);
  const auto end = load_le<std::uint64_t>(at + sizeof(std::int64_t));
  const BytesView values = page.values.bytes;
  if (first < page.values_at || end < first || end - page.values_at > values.size())
    return Picked::flawed;
  out.assign(as_text(values.subspan(first - page.values_at, end - first)));
  return Picked::told;
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

Array Raw::view(const Parts& parts, const PageFacts& facts) const {
  Array out;
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
