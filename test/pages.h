// Chunks through a codec and back, and pages of hostile bytes.
//
// Role:    tests and fuzz harnesses of codec.
// Errors:  none; what is wrong is returned.
// Threads: thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "model/array.h"

namespace otolith::test {

/// All pages of a chunk, as the reader cuts them.
inline std::vector<codec::Page> pages_of(const codec::Codec& codec, const Array& chunk,
                                         const codec::EncodedChunk& encoded,
                                         std::uint32_t page_rows) {
  std::vector<codec::Page> out;
  const auto piece = [](const Buffer& part, codec::Extent at) {
    return at.bytes == 0 ? Buffer{} : Buffer{part.owner, part.bytes.subspan(at.at, at.bytes)};
  };
  const auto prepared = codec.prepare(encoded.offsets.bytes);
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const Array rows =
        model::array_slice(chunk, first, std::min<std::uint64_t>(page_rows, chunk.length - first));
    const codec::PageFacts facts{chunk.type, rows.length, rows.null_count, chunk.null_count != 0,
                                 encoded.offsets.bytes.size()};
    const codec::PagePlace& place = encoded.pages[first / page_rows];
    const auto at = codec::page_extents(codec, facts, first, place, place);
    out.push_back({{piece(encoded.validity, at.validity), piece(encoded.offsets, at.offsets),
                    piece(encoded.values, at.values), at.values.at, prepared},
                   facts});
  }
  return out;
}

/// The chunk after encoding and decoding; empty if a page is said to have a flaw.
inline Array encoded_and_back(const codec::Codec& codec, const Array& chunk,
                              std::uint32_t page_rows) {
  const codec::EncodedChunk encoded = codec::chunk_parts(codec, chunk, page_rows);
  const std::vector<codec::Page> pages = pages_of(codec, chunk, encoded, page_rows);
  std::vector<Array> arrays;
  for (const codec::Page& page : pages) {
    if (!codec::page_flaw(codec, page).empty()) return {};
    if (codec.mappable()) arrays.push_back(codec::pages_view(codec, page));
  }
  if (pages.empty()) return model::array_of_nulls(chunk.type, 0);
  if (!codec.mappable()) return codec::pages_decode(codec, pages);
  std::vector<const Array*> parts;
  for (const Array& array : arrays) parts.push_back(&array);
  return model::array_concat(parts);
}

/// Equal to the bit, slots of nulls included, which hold zeros.
inline bool same_plain(const Array& a, const Array& b) {
  return a.type == b.type && a.length == b.length && a.null_count == b.null_count &&
         std::ranges::equal(a.values.bytes, b.values.bytes) &&
         std::ranges::equal(a.validity.bytes, b.validity.bytes) &&
         (!model::is_text(a.type) || std::ranges::equal(a.offsets.bytes, b.offsets.bytes));
}

/// False if what asks a page without flaw goes beside its room, or some rows are not those of all.
inline bool asked_in_room(const codec::Codec& codec, const codec::Page& page, BytesView values) {
  constexpr std::uint64_t kMark = 0xa5a5'a5a5'a5a5'a5a5;
  model::Criterion test{.type = page.facts.type, .kind = model::Criterion::Kind::range};
  test.integers = {0, 100};
  test.floats = {0, 100};
  test.texts.low = "b";
  const std::uint64_t words = model::bit_words(page.facts.rows);
  std::vector<std::uint64_t> bits(words + 1, kMark);
  (void)codec.select(page.parts, page.facts, test, bits.data());
  if (bits.back() != kMark) return false;
  if (model::is_text(page.facts.type)) return true;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < page.facts.rows; row += 3) rows.push_back(row);
  const std::uint64_t width = type_width(page.facts.type);
  Bytes out(rows.size() * width + 1, std::byte{0xa5});
  if (!codec.gather(page.parts, page.facts, {rows, 0}, out.data())) return true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!std::ranges::equal(BytesView(out).subspan(i * width, width),
                            values.subspan(rows[i] * width, width))) {
      return false;
    }
  }
  return out.back() == std::byte{0xa5};
}

/// Some rows asked for alone, of a page of any bytes. False if one is told that is another among
/// all of a page without flaw, or is said to be flawed there. `ends`: of the rows' texts, 8 bytes
/// each; empty where the page has a flaw.
inline bool picked_alike(const codec::Codec& codec, const codec::Page& page, BytesView values,
                         BytesView ends) {
  if (!model::is_text(page.facts.type)) return true;
  const std::uint64_t step = std::max<std::uint64_t>(1, page.facts.rows / 16);
  for (std::uint64_t row = 0; row < page.facts.rows; row += step) {
    std::string text;
    const codec::Picked came = codec::page_pick(codec, page, row, text);
    if (ends.empty() || came == codec::Picked::not_told) continue;
    const auto end_of = [&](std::uint64_t of) { return load_le<std::uint64_t>(&ends[of * 8]); };
    const std::uint64_t first = row == 0 ? 0 : end_of(row - 1);
    if (came != codec::Picked::told ||
        text != as_text(values.subspan(first, end_of(row) - first))) {
      return false;
    }
  }
  return true;
}

/// False if a page of such bytes has no flaw and writes beside its room. The room is exactly as
/// large as the codec says, with bytes behind that must stay.
inline bool stays_in_room(const codec::Codec& codec, BytesView bytes, const codec::PageFacts& facts,
                          BytesView shared = {}) {
  constexpr std::size_t kBehind = 256;
  constexpr std::byte kMark{0xa5};
  const auto copy = [](BytesView of) { return buffer_of(Bytes(of.begin(), of.end())); };
  const codec::Page page{{{}, copy(shared), copy(bytes), 0}, facts};
  if (!codec::page_flaw(codec, page).empty()) return picked_alike(codec, page, {}, {});
  const std::uint64_t size = codec.decoded_bytes(page.parts, facts);
  Bytes values(size + kBehind, kMark);
  Bytes offsets(facts.rows * sizeof(std::int64_t) + kBehind, kMark);
  codec.decode(page.parts, facts, {values.data(), offsets.data(), 0});
  const auto untouched = [](BytesView of) {
    return std::ranges::all_of(of, [](std::byte byte) { return byte == kMark; });
  };
  return untouched(BytesView(values).last(kBehind)) &&
         untouched(BytesView(offsets).last(kBehind)) && asked_in_room(codec, page, values) &&
         picked_alike(codec, page, values, BytesView(offsets).first(facts.rows * 8));
}

}  // namespace otolith::test
