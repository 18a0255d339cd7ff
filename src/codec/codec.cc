#include "codec/codec.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

using model::bitmap_bytes;

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

// Codecs put what is small into slots of nulls; a reader sees zeros.
void zero_nulls(const Page& page, std::byte* values) {
  if (page.facts.null_count == 0 || model::is_text(page.facts.type)) return;
  if (mutant("codec-nulls-not-zeroed")) return;
  const std::uint64_t width = type_width(page.facts.type);
  for (std::uint64_t row = 0; row < page.facts.rows; ++row) {
    if (!model::bitmap_get(page.parts.validity.bytes, row))
      std::memset(values + row * width, 0, width);
  }
}

Buffer validity_joined(std::span<const Page> pages, std::uint64_t rows) {
  std::byte* bits = nullptr;
  Buffer out = buffer_allocate(bitmap_bytes(rows), &bits);
  std::memset(bits, 0, out.bytes.size());
  std::uint64_t row = 0;
  for (const Page& page : pages) {
    model::bitmap_copy(page.parts.validity.bytes, 0, page.facts.rows, bits, row);
    row += page.facts.rows;
  }
  return out;
}

}  // namespace

Array Codec::view(const Parts&, const PageFacts&) const {
  OTO_INVARIANT(!mappable());
  return {};
}

std::uint64_t Codec::decoded_bytes(const Parts&, const PageFacts& facts) const {
  return facts.rows * type_width(facts.type);
}

void Codec::decode(const Parts&, const PageFacts&, const Room&) const { OTO_INVARIANT(mappable()); }

std::shared_ptr<const Prepared> Codec::prepare(BytesView) const { return nullptr; }

bool Codec::select(const Parts&, const PageFacts&, const model::Criterion&, std::uint64_t*) const {
  return false;
}

bool Codec::gather(const Parts&, const PageFacts&, const WantedRows&, std::byte*) const {
  return false;
}

Picked Codec::pick(const Parts&, const PageFacts&, std::uint64_t, std::string&) const {
  return Picked::not_told;
}

std::uint64_t Codec::pick_at(std::uint64_t) const noexcept { return 0; }

PagePart Codec::flaw_part(const Parts&, const PageFacts&) const { return PagePart::values; }

EncodedChunk chunk_parts(const Codec& codec, const Array& chunk, std::uint32_t page_rows) {
  OTO_INVARIANT(page_rows % kBlockRows == 0 && page_rows != 0 && kPageRowsMax % page_rows == 0);
  EncodedChunk out = codec.encode(chunk, page_rows);
  if (chunk.null_count != 0) out.validity = bits_clean(chunk.validity, chunk.length);
  return out;
}

std::string_view page_flaw(const Codec& codec, const Page& page) {
  if (const auto wrong = validity_flaw(page.parts, page.facts); !wrong.empty()) return wrong;
  return codec.flaw(page.parts, page.facts);
}

PagePart page_flaw_part(const Codec& codec, const Page& page) {
  if (mutant("flaw-always-in-values")) return PagePart::values;
  if (!validity_flaw(page.parts, page.facts).empty()) return PagePart::validity;
  return codec.flaw_part(page.parts, page.facts);
}

Array pages_decode(const Codec& codec, std::span<const Page> pages, const Target& target) {
  OTO_INVARIANT(!pages.empty());
  Array out{.type = pages.front().facts.type};
  std::uint64_t bytes = 0;
  for (const Page& page : pages) {
    out.length += page.facts.rows;
    out.null_count += page.facts.null_count;
    bytes += codec.decoded_bytes(page.parts, page.facts);
  }
  Room room;
  if (target.values != nullptr && !model::is_text(out.type)) {
    room.values = target.values;
    out.values = {target.owner, {target.values, bytes}};
  } else {
    out.values = buffer_allocate(bytes, &room.values);
  }
  if (model::is_text(out.type)) {
    out.offsets = buffer_allocate((out.length + 1) * sizeof(std::int64_t), &room.offsets);
    store_le<std::int64_t>(room.offsets, 0);
    room.offsets += sizeof(std::int64_t);
  }
  for (const Page& page : pages) {
    codec.decode(page.parts, page.facts, room);
    zero_nulls(page, room.values);
    const std::uint64_t taken = codec.decoded_bytes(page.parts, page.facts);
    room.values += taken;
    room.text_at += taken;
    if (room.offsets != nullptr) room.offsets += page.facts.rows * sizeof(std::int64_t);
  }
  if (out.null_count != 0) out.validity = validity_joined(pages, out.length);
  return out;
}

Picked page_pick(const Codec& codec, const Page& page, std::uint64_t row, std::string& out) {
  OTO_INVARIANT(row < page.facts.rows);
  if (!model::is_text(page.facts.type) || page.facts.chunk_has_nulls) return Picked::not_told;
  return codec.pick(page.parts, page.facts, row, out);
}

bool page_select(const Codec& codec, const Page& page, const model::Criterion& test,
                 std::uint64_t* bits) {
  OTO_INVARIANT(test.type == page.facts.type);
  using Kind = model::Criterion::Kind;
  const std::uint64_t words = model::bit_words(page.facts.rows);
  const bool always = test.kind == Kind::always;
  if (test.kind == Kind::never) std::fill_n(bits, words, 0);
  if ((test.kind == Kind::range || test.kind == Kind::set) &&
      !codec.select(page.parts, page.facts, test, bits)) {
    return false;
  }
  if (!always && (page.facts.null_count == 0 || mutant("select-null-true"))) return true;
  const Array nulls{.type = page.facts.type,
                    .length = page.facts.rows,
                    .null_count = page.facts.null_count,
                    .validity = page.parts.validity};
  std::vector<std::uint64_t> valid(words);
  model::valid_rows(nulls, valid.data());
  for (std::size_t i = 0; i < words; ++i) bits[i] = always ? valid[i] : bits[i] & valid[i];
  return true;
}

bool page_gather(const Codec& codec, const Page& page, const WantedRows& rows, std::byte* out) {
  if (model::is_text(page.facts.type) || !codec.gather(page.parts, page.facts, rows, out))
    return false;
  if (page.facts.null_count == 0 || mutant("codec-nulls-not-zeroed")) return true;
  const std::uint64_t width = type_width(page.facts.type);
  for (const std::uint32_t row : rows.numbers) {
    if (!model::bitmap_get(page.parts.validity.bytes, row - rows.first)) std::memset(out, 0, width);
    out += width;
  }
  return true;
}

Array pages_view(const Codec& codec, const Page& pages) {
  Array out = codec.view(pages.parts, pages.facts);
  out.type = pages.facts.type;
  out.length = pages.facts.rows;
  out.null_count = pages.facts.null_count;
  if (pages.facts.null_count != 0) out.validity = pages.parts.validity;
  return out;
}

PageExtents page_extents(const Codec& codec, const PageFacts& facts, std::uint64_t first,
                         const PagePlace& place, const PagePlace& last) {
  PageExtents out;
  out.values = {place.values_at, last.values_at + last.values_bytes - place.values_at};
  if (facts.chunk_has_nulls) out.validity = {first / 8, bitmap_bytes(facts.rows)};
  if (!codec.mappable()) {
    out.offsets = {0, facts.shared_bytes};
  } else if (model::is_text(facts.type)) {
    out.offsets = {first * sizeof(std::int64_t), (facts.rows + 1) * sizeof(std::int64_t)};
  }
  return out;
}

}  // namespace otolith::codec
