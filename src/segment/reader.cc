#include "segment/reader_state.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "codec/lengths.h"
#include "codec/registry.h"
#include "model/array.h"
#include "model/sound.h"

namespace otolith::segment {

namespace {

[[noreturn]] void mismatch(const std::string& name, std::uint64_t offset, const char* what) {
  throw_corrupt(
      name, offset,
      fmt::format("this is not the segment that the log names: {}; restore the file from a "
                  "backup or another copy",
                  what));
}

template <typename T>
void expect_same(const std::optional<T>& expected, const T& found, const std::string& name,
                 std::uint64_t offset, const char* what) {
  if (expected && *expected != found) mismatch(name, offset, what);
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// open

void SegmentReader::State::open() {
  const std::string& name = source.name();
  const std::uint64_t size = source.size();
  if (size < kHeaderBytes + kFooterHeadBytes + kTrailerBytes) {
    throw_corrupt(name, 0,
                  fmt::format("a segment cannot be {} bytes long: the file was cut", size));
  }
  expect_same(expect.bytes, size, name, size, "its length differs");
  const Buffer head = source.read(0, kHeaderBytes);
  header = header_parse(head.bytes, name);
  expect_same(expect.segment, header.segment, name, 32, "its id differs");
  expect_same(expect.database, header.database, name, 64, "it belongs to another database");
  if (header.dataset.created != CommitNumber{0}) {
    expect_same(expect.dataset, header.dataset, name, 80, "it belongs to another dataset");
  }
  trailer = trailer_parse(source.read(size - kTrailerBytes, kTrailerBytes).bytes, name, size);
  const std::uint64_t base = size - kTrailerBytes - trailer.footer_bytes;
  expect_same(expect.footer_hash, trailer.footer_hash, name, size - kTrailerBytes,
              "its content differs");
  const Buffer bytes = source.read(base, trailer.footer_bytes);
  if (xxh3(bytes.bytes) != trailer.footer_hash) {
    throw_corrupt(name, base, "the segment's footer fails its checksum");
  }
  footer = footer_parse(bytes.bytes, name, base);
  if (footer.header_hash != xxh3(head.bytes)) {
    throw_corrupt(name, 0, "the segment's header and footer do not belong together");
  }
  if (((header.required_features & kFeatureShredded) != 0) == footer.shredded.empty()) {
    throw_corrupt(name, base, "the segment's header and footer differ about shredded paths");
  }
  expect_same(expect.rows, footer.rows, name, base, "it has another number of rows");
  data_end = base;
  for (const ColumnEntry& entry : footer.columns) data_end = std::min(data_end, entry.index_offset);
  for (const ColumnEntry& entry : footer.columns) {
    if (entry.index_offset < kHeaderBytes || entry.index_bytes > base ||
        entry.index_offset > base - entry.index_bytes) {
      throw_corrupt(name, base, "a column's index lies outside the file");
    }
  }
  columns = std::vector<LoadedColumn>(footer.columns.size());
}

void SegmentReader::State::load(std::size_t index, LoadedColumn& into) const {
  const ColumnEntry& entry = footer.columns[index];
  const Buffer bytes = source.read(entry.index_offset, entry.index_bytes);
  if (xxh3(bytes.bytes) != entry.index_hash) {
    throw_corrupt(source.name(), entry.index_offset,
                  fmt::format("the index of {} fails its checksum", column_words(entry.id)));
  }
  into.index = index_parse(bytes.bytes, source.name(), footer, index, data_end);
  into.verified = std::vector<std::atomic<bool>>(into.index.pages.size());
  into.hashed = std::vector<std::atomic<bool>>(into.index.pages.size());
  into.shared = std::vector<SharedOnce>(into.index.chunks.size());
}

const LoadedColumn& SegmentReader::State::column(std::size_t index) {
  LoadedColumn& loaded = columns.at(index);
  std::call_once(loaded.once, [&] { load(index, loaded); });
  return loaded;
}

const ChunkEntry& SegmentReader::State::entry(std::size_t row_group, std::size_t index) {
  return column(index).index.chunks.at(row_group);
}

// ----------------------------------------------------------------------------------------------
// read

codec::PageFacts SegmentReader::State::facts(std::size_t row_group, std::size_t index,
                                             PageRange range) const {
  const ColumnIndex& in = columns[index].index;
  const ChunkEntry& chunk = in.chunks[row_group];
  const std::uint64_t end = (range.first + range.count) * footer.page_rows;
  codec::PageFacts out;
  out.type = footer.columns[index].type;
  out.rows = std::min<std::uint64_t>(footer.row_groups[row_group].rows, end) -
             range.first * footer.page_rows;
  out.chunk_has_nulls = chunk.zone.null_count != 0;
  out.shared_bytes = chunk.offsets.bytes;
  for (std::uint64_t page = 0; page < range.count; ++page) {
    out.null_count += in.pages[chunk.page_first + range.first + page].zone.null_count;
  }
  return out;
}

// All but the bytes.
PageBytes SegmentReader::State::place(std::size_t row_group, std::size_t index,
                                      PageRange range) const {
  const ColumnIndex& in = columns[index].index;
  const ChunkEntry& chunk = in.chunks[row_group];
  const PageEntry* pages = &in.pages[chunk.page_first + range.first];
  PageBytes out{row_group, index, range, nullptr, facts(row_group, index, range), {}, {}};
  out.codec = &codec::codec_for(chunk.codec, source.name(), chunk.values.offset);
  out.extents = codec::page_extents(*out.codec, out.facts, range.first * footer.page_rows,
                                    pages[0].place, pages[range.count - 1].place);
  return out;
}

PageBytes SegmentReader::State::read(std::size_t row_group, std::size_t index, PageRange range,
                                     ChunkScratch* scratch) const {
  const ChunkEntry& chunk = columns[index].index.chunks[row_group];
  PageBytes out = place(row_group, index, range);
  const auto part = [&](const Part& of, const codec::Extent& extent,
                        io::Scratch ChunkScratch::* of_part) {
    io::Scratch* const into = scratch == nullptr ? nullptr : &(scratch->*of_part);
    return extent.bytes == 0 ? Buffer{} : source.read(of.offset + extent.at, extent.bytes, into);
  };
  out.parts = {part(chunk.validity, out.extents.validity, &ChunkScratch::validity),
               part(chunk.offsets, out.extents.offsets, &ChunkScratch::offsets),
               part(chunk.values, out.extents.values, &ChunkScratch::values),
               out.extents.values.at};
  out.parts.prepared = prepared(out);
  return out;
}

// The pieces of one page among those that were read.
codec::Parts page_parts(const PageBytes& bytes, const codec::PageExtents& extents) {
  const auto piece = [](const Buffer& part, const codec::Extent& of, const codec::Extent& all) {
    if (of.bytes == 0) return Buffer{};
    return Buffer{part.owner, part.bytes.subspan(of.at - all.at, of.bytes)};
  };
  return {piece(bytes.parts.validity, extents.validity, bytes.extents.validity),
          piece(bytes.parts.offsets, extents.offsets, bytes.extents.offsets),
          piece(bytes.parts.values, extents.values, bytes.extents.values), extents.values.at,
          bytes.parts.prepared};
}

// Bytes that are read as bool must be 0 or 1 in slots of nulls, too: loops over a view pass them.
bool are_booleans(const Array& values) noexcept {
  std::byte any{0};
  for (const std::byte value : values.values.bytes.first(values.length)) any |= value;
  return any <= std::byte{1} || mutant("null-booleans-unjudged");
}

// Values that their type does not have are not handed out, whoever wrote them.
std::string_view values_flaw(const Array& values) {
  const std::string_view words = model::unsound_words(values.type);
  if (words.empty() || mutant("stored-values-unjudged")) return {};
  if (values.type.kind == TypeKind::boolean && !are_booleans(values)) return words;
  return model::unsound_row(values) ? words : std::string_view();
}

// Where the page begins in the part that a flaw is in; in its offsets where it has no bytes of
// values.
std::uint64_t SegmentReader::State::flaw_offset(const PageBytes& bytes, std::uint64_t page,
                                                codec::PagePart part) const {
  const ColumnIndex& in = columns[bytes.column].index;
  const ChunkEntry& chunk = in.chunks[bytes.row_group];
  const codec::PagePlace& place = in.pages[chunk.page_first + page].place;
  const codec::PageExtents extents =
      codec::page_extents(*bytes.codec, facts(bytes.row_group, bytes.column, {page, 1}),
                          page * footer.page_rows, place, place);
  using enum codec::PagePart;
  if (part == validity) return chunk.validity.offset + extents.validity.at;
  const bool in_offsets = part == offsets || extents.values.bytes == 0;
  if (in_offsets && extents.offsets.bytes != 0) return chunk.offsets.offset + extents.offsets.at;
  return chunk.values.offset + extents.values.at;
}

void SegmentReader::State::damaged_page(const PageBytes& bytes, std::uint64_t page,
                                        std::string_view flaw, codec::PagePart part) const {
  const std::uint64_t offset = flaw_offset(bytes, page, part);
  const std::string which = fmt::format("page {} of row group {} of {}", page, bytes.row_group,
                                        column_words(footer.columns[bytes.column].id));
  if (flaw == codec::kTextTooLong) {
    throw_error(ErrorCode::limit,
                fmt::format("{}: {} (kPageTextBytesMax); no Otolith writes such a page, so restore "
                            "the file from another copy",
                            which, flaw),
                {source.name(), offset, {}});
  }
  throw_corrupt(source.name(), offset, fmt::format("{} is damaged: {}", which, flaw));
}

bool SegmentReader::State::verified(const PageBytes& bytes, std::uint64_t page) const {
  const LoadedColumn& loaded = columns[bytes.column];
  const ChunkEntry& chunk = loaded.index.chunks[bytes.row_group];
  return loaded.verified[chunk.page_first + page].load(std::memory_order_acquire);
}

void SegmentReader::State::check_hash(const PageBytes& bytes, std::uint64_t page,
                                      const codec::Parts& parts) const {
  const LoadedColumn& loaded = columns[bytes.column];
  const PageEntry& entry =
      loaded.index.pages[loaded.index.chunks[bytes.row_group].page_first + page];
  const std::uint64_t hash =
      page_hash(parts.validity.bytes, parts.offsets.bytes, parts.values.bytes);
  if (hash == entry.hash || mutant("page_checksum_ignored")) return;
  damaged_page(bytes, page, "it fails its checksum", codec::PagePart::values);
}

// Checksum and shape of one page, unless this process has seen it sound in the mapping.
codec::Parts SegmentReader::State::check_page(const PageBytes& bytes, std::uint64_t page,
                                              bool again) const {
  const LoadedColumn& loaded = columns[bytes.column];
  const ChunkEntry& chunk = loaded.index.chunks[bytes.row_group];
  const PageEntry& entry = loaded.index.pages[chunk.page_first + page];
  const codec::PageFacts of = facts(bytes.row_group, bytes.column, {page, 1});
  const codec::PageExtents extents =
      codec::page_extents(*bytes.codec, of, page * footer.page_rows, entry.place, entry.place);
  codec::Parts parts = page_parts(bytes, extents);
  if (!again && verified(bytes, page)) return parts;
  check_hash(bytes, page, parts);
  if (const std::string_view flaw = codec::page_flaw(*bytes.codec, {parts, of}); !flaw.empty()) {
    damaged_page(bytes, page, flaw, codec::page_flaw_part(*bytes.codec, {parts, of}));
  }
  return parts;
}

// The values of the page, decoded for whoever asked: nothing is decoded only to be judged.
void SegmentReader::State::judge_page(const PageBytes& bytes, std::uint64_t page,
                                      const Array& values) {
  const std::string_view flaw = values_flaw(values);
  if (!flaw.empty()) damaged_page(bytes, page, flaw, codec::PagePart::values);
  mark_verified(bytes, page);
}

void SegmentReader::State::mark_verified(const PageBytes& bytes, std::uint64_t page) {
  if (!source.mapped()) return;
  LoadedColumn& loaded = columns[bytes.column];
  const ChunkEntry& chunk = loaded.index.chunks[bytes.row_group];
  loaded.verified[chunk.page_first + page].store(true, std::memory_order_release);
}

// Verifies a page without its values; false where these have to be judged first.
bool SegmentReader::State::sound_undecoded(const PageBytes& bytes, std::uint64_t page) {
  if (verified(bytes, page)) return true;
  if (!model::unsound_words(bytes.facts.type).empty()) return false;
  (void)check_page(bytes, page, false);
  mark_verified(bytes, page);
  return true;
}

// All pages of an Array that nobody has judged yet.
void SegmentReader::State::judge(const PageBytes& bytes, const Array& values) {
  const std::uint64_t end = bytes.range.first + bytes.range.count;
  for (std::uint64_t page = bytes.range.first; page < end; ++page) {
    if (verified(bytes, page)) continue;
    const std::uint64_t row = (page - bytes.range.first) * footer.page_rows;
    const std::uint64_t rows = std::min<std::uint64_t>(footer.page_rows, values.length - row);
    judge_page(bytes, page, model::array_slice(values, row, rows));
  }
}

// Whole pages as one Array.
Array SegmentReader::State::pages(std::size_t row_group, std::size_t index, PageRange range,
                                  const codec::Target& target) {
  const ChunkEntry& chunk = entry(row_group, index);
  PageBytes bytes = read(row_group, index, range);
  std::vector<codec::Page> checked;
  for (std::uint64_t page = range.first; page < range.first + range.count; ++page) {
    checked.push_back({check_page(bytes, page, false), facts(row_group, index, {page, 1})});
  }
  if (!bytes.codec->mappable()) {
    Array out = codec::pages_decode(*bytes.codec, checked, target);
    judge(bytes, out);
    return out;
  }
  if (source.mapped() && model::is_text(bytes.facts.type) && bytes.parts.values_at != 0) {
    // Offsets count from the start of the chunk, and so does this view: nothing need be copied.
    bytes.parts.values =
        source.read(chunk.values.offset, bytes.parts.values_at + bytes.parts.values.bytes.size());
    bytes.parts.values_at = 0;
  }
  Array out = codec::pages_view(*bytes.codec, {bytes.parts, bytes.facts});
  judge(bytes, out);
  out.zero_copy = source.mapped();
  return out;
}

// ---------------------------------------------------------------------------------------------
// doors

SegmentReader::SegmentReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentReader::~SegmentReader() = default;

std::shared_ptr<const SegmentReader> SegmentReader::open(std::unique_ptr<io::File> file,
                                                         std::string name,
                                                         const SegmentExpect& expect, bool map) {
  auto state = std::make_unique<State>(std::move(file), std::move(name), expect, map);
  state->open();
  return std::shared_ptr<const SegmentReader>(new SegmentReader(std::move(state)));
}

const std::string& SegmentReader::name() const noexcept { return state_->source.name(); }
const Footer& SegmentReader::shape() const noexcept { return state_->footer; }
const Header& SegmentReader::header() const noexcept { return state_->header; }
std::uint64_t SegmentReader::bytes() const noexcept { return state_->source.size(); }
const ColumnIndex& SegmentReader::index(std::size_t column) const {
  return state_->column(column).index;
}

std::optional<std::size_t> SegmentReader::find(ColumnId id) const noexcept {
  const auto& columns = state_->footer.columns;
  const auto found = std::ranges::find(columns, id, &ColumnEntry::id);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

const Zone& SegmentReader::page_zone(std::size_t row_group, std::size_t column,
                                     std::size_t page) const {
  const std::uint64_t first = state_->entry(row_group, column).page_first;
  return state_->column(column).index.pages.at(first + page).zone;
}

const Zone& SegmentReader::chunk_zone(std::size_t row_group, std::size_t column) const {
  return state_->entry(row_group, column).zone;
}

Array SegmentReader::chunk(std::size_t row_group, std::size_t column) const {
  return rows(row_group, column, 0, state_->footer.row_groups.at(row_group).rows);
}

Array SegmentReader::rows(std::size_t row_group, std::size_t column, std::uint64_t first,
                          std::uint64_t rows, const codec::Target& target) const {
  const Footer& footer = state_->footer;
  const std::uint64_t of = footer.row_groups.at(row_group).rows;
  OTO_INVARIANT(column < footer.columns.size() && first <= of && rows <= of - first);
  if (rows == 0) return model::array_of_nulls(footer.columns[column].type, 0);
  const PageRange range{first / footer.page_rows,
                        (first + rows - 1) / footer.page_rows - first / footer.page_rows + 1};
  const bool whole =
      first % footer.page_rows == 0 && (rows % footer.page_rows == 0 || first + rows == of);
  const Array pages = state_->pages(row_group, column, range, whole ? target : codec::Target{});
  return model::array_slice(pages, first - range.first * footer.page_rows, rows);
}

bool SegmentReader::select(std::size_t row_group, std::size_t column, std::size_t page,
                           const model::Criterion& test, std::uint64_t* bits) const {
  state_->column(column);
  const PageBytes bytes = state_->read(row_group, column, {page, 1});
  if (!state_->sound_undecoded(bytes, page)) return false;
  return codec::page_select(*bytes.codec, {bytes.parts, bytes.facts}, test, bits);
}

std::optional<Buffer> SegmentReader::gather(std::size_t row_group, std::size_t column,
                                            std::size_t page, std::span<const std::uint32_t> rows,
                                            std::byte* out) const {
  state_->column(column);
  const PageBytes bytes = state_->read(row_group, column, {page, 1});
  const std::uint64_t first = page * state_->footer.page_rows;
  if (!state_->sound_undecoded(bytes, page) ||
      !codec::page_gather(*bytes.codec, {bytes.parts, bytes.facts}, {rows, first}, out)) {
    return std::nullopt;
  }
  return bytes.facts.null_count == 0 ? Buffer{} : bytes.parts.validity;
}

}  // namespace otolith::segment
