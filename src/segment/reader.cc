#include "segment/reader.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "codec/lengths.h"
#include "codec/registry.h"
#include "model/array.h"
#include "model/compare.h"
#include "model/partition.h"
#include "model/sound.h"
#include "segment/order.h"
#include "segment/source.h"
#include "segment/tasks.h"

namespace otolith::segment {

namespace {

// A column's index, once it was asked for, and which of its pages were verified.
struct LoadedColumn {
  std::once_flag once;
  ColumnIndex index;
  std::vector<std::atomic<bool>> verified;  // per page
};

// Some neighbouring pages of a chunk.
struct PageRange {
  std::uint64_t first = 0;  // of the chunk's pages
  std::uint64_t count = 0;
};

// Their bytes, in one piece per part, and what is said of them.
struct PageBytes {
  std::size_t row_group = 0;
  std::size_t column = 0;
  PageRange range;
  const codec::Codec* codec = nullptr;
  codec::PageFacts facts;
  codec::PageExtents extents;
  codec::Parts parts;
};

// What verify reads and decodes the chunks of one column into.
struct ChunkRooms {
  Room validity;
  Room offsets;
  Room values;
  Room decoded;
};

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

struct SegmentReader::State {
  Source source;
  const SegmentExpect expect;
  Header header;
  Footer footer;
  Trailer trailer;
  std::uint64_t data_end = 0;  // indexes begin behind it
  std::vector<LoadedColumn> columns;

  State(std::unique_ptr<io::File> file, std::string name, SegmentExpect what, bool map)
      : source(std::move(file), std::move(name), map), expect(std::move(what)) {}

  std::uint64_t trailer_offset() const noexcept { return source.size() - kTrailerBytes; }
  void open();
  const LoadedColumn& column(std::size_t index);
  void load(std::size_t index, LoadedColumn& into) const;
  const ChunkEntry& entry(std::size_t row_group, std::size_t column);
  codec::PageFacts facts(std::size_t row_group, std::size_t column, PageRange pages) const;
  PageBytes read(std::size_t row_group, std::size_t column, PageRange pages,
                 ChunkRooms* rooms = nullptr) const;
  codec::Parts check_page(const PageBytes& bytes, std::uint64_t page, bool again) const;
  bool verified(const PageBytes& bytes, std::uint64_t page) const;
  void mark_verified(const PageBytes& bytes, std::uint64_t page);
  bool sound_undecoded(const PageBytes& bytes, std::uint64_t page);
  void judge_page(const PageBytes& bytes, std::uint64_t page, const Array& values);
  void judge(const PageBytes& bytes, const Array& values);
  [[noreturn]] void damaged_page(const PageBytes& bytes, std::uint64_t page,
                                 std::string_view flaw) const;
  Array pages(std::size_t row_group, std::size_t column, PageRange pages,
              const codec::Target& target = {});
  std::uint64_t page_count(std::size_t row_group) const noexcept;
  std::vector<std::size_t> order_columns() const;
  std::vector<std::vector<std::size_t>> lanes() const;
  void check_zone(const PageBytes& bytes, const Zone& said, const Zone& found,
                  std::string_view of) const;
  Array verify_page(const PageBytes& bytes, std::uint64_t page, Room& room);
  Ends verify_lane(std::size_t row_group, std::span<const std::size_t> lane, bool ordered,
                   std::vector<ChunkRooms>& rooms);
  void verify_group(std::size_t row_group);
  void verify_order(std::span<const Ends> ends);
  void verify_gaps();
  [[noreturn]] void damaged_group(std::size_t row_group, std::string_view what);
  [[noreturn]] void damaged_footer(std::string_view what) const;
};

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

PageBytes SegmentReader::State::read(std::size_t row_group, std::size_t index, PageRange range,
                                     ChunkRooms* rooms) const {
  const ColumnIndex& in = columns[index].index;
  const ChunkEntry& chunk = in.chunks[row_group];
  const PageEntry* pages = &in.pages[chunk.page_first + range.first];
  PageBytes out{row_group, index, range, nullptr, facts(row_group, index, range), {}, {}};
  out.codec = &codec::codec_for(chunk.codec, source.name(), chunk.values.offset);
  out.extents = codec::page_extents(*out.codec, out.facts, range.first * footer.page_rows,
                                    pages[0].place, pages[range.count - 1].place);
  const auto part = [&](const Part& of, const codec::Extent& extent, Room ChunkRooms::* room) {
    Room* const into = rooms == nullptr ? nullptr : &(rooms->*room);
    return extent.bytes == 0 ? Buffer{} : source.read(of.offset + extent.at, extent.bytes, into);
  };
  out.parts = {part(chunk.validity, out.extents.validity, &ChunkRooms::validity),
               part(chunk.offsets, out.extents.offsets, &ChunkRooms::offsets),
               part(chunk.values, out.extents.values, &ChunkRooms::values), out.extents.values.at};
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
          piece(bytes.parts.values, extents.values, bytes.extents.values), extents.values.at};
}

// The values of one page that has no flaw; of fixed width in `room`.
Array page_values(const codec::Codec& codec, const codec::Page& page, Room& room) {
  if (codec.mappable()) return codec::pages_view(codec, page);
  codec::Target target;
  if (!model::is_text(page.facts.type)) {
    target.owner = room.take(codec.decoded_bytes(page.parts, page.facts), &target.values).owner;
  }
  return codec::pages_decode(codec, {&page, 1}, target);
}

// Values that their type does not have are not handed out, whoever wrote them.
std::string_view values_flaw(const Array& values) {
  const std::string_view words = model::unsound_words(values.type);
  if (words.empty() || mutant("stored-values-unjudged")) return {};
  return model::unsound_row(values) ? words : std::string_view();
}

void SegmentReader::State::damaged_page(const PageBytes& bytes, std::uint64_t page,
                                        std::string_view flaw) const {
  const ColumnIndex& in = columns[bytes.column].index;
  const ChunkEntry& chunk = in.chunks[bytes.row_group];
  const std::uint64_t offset =
      chunk.values.offset + in.pages[chunk.page_first + page].place.values_at;
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
  const std::uint64_t hash =
      page_hash(parts.validity.bytes, parts.offsets.bytes, parts.values.bytes);
  const std::string_view flaw = hash != entry.hash && !mutant("page_checksum_ignored")
                                    ? "it fails its checksum"
                                    : codec::page_flaw(*bytes.codec, {parts, of});
  if (!flaw.empty()) damaged_page(bytes, page, flaw);
  return parts;
}

// The values of the page, decoded for whoever asked: nothing is decoded only to be judged.
void SegmentReader::State::judge_page(const PageBytes& bytes, std::uint64_t page,
                                      const Array& values) {
  const std::string_view flaw = values_flaw(values);
  if (!flaw.empty()) damaged_page(bytes, page, flaw);
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

// --------------------------------------------------------------------------------------------
// verify

std::uint64_t SegmentReader::State::page_count(std::size_t row_group) const noexcept {
  return (footer.row_groups[row_group].rows + std::uint64_t{footer.page_rows} - 1) /
         footer.page_rows;
}

void SegmentReader::State::damaged_group(std::size_t row_group, std::string_view what) {
  const auto time = std::ranges::find(footer.columns, footer.time, &ColumnEntry::id);
  const auto index = static_cast<std::size_t>(time - footer.columns.begin());
  throw_corrupt(source.name(), entry(row_group, index).values.offset,
                fmt::format("row group {} is damaged: {}", row_group, what));
}

void SegmentReader::State::damaged_footer(std::string_view what) const {
  throw_corrupt(source.name(), trailer_offset() - trailer.footer_bytes,
                fmt::format("the segment's footer is damaged: {}", what));
}

// What the footer says of a row group, against its rows and its dataset.
void SegmentReader::State::verify_group(std::size_t row_group) {
  const RowGroup& group = footer.row_groups[row_group];
  for (std::size_t index = 0; index < columns.size(); ++index) {
    const Zone& zone = entry(row_group, index).zone;
    if (footer.columns[index].id == footer.time &&
        (group.time_min != zone.min_as<std::int64_t>() ||
         group.time_max != zone.max_as<std::int64_t>())) {
      damaged_group(row_group, "its times are not those the footer says");
    }
    if (footer.columns[index].id == kBeginColumn && expect.begins &&
        (zone.min_as<std::uint64_t>() < value_of(expect.begins->first) ||
         zone.max_as<std::uint64_t>() > value_of(expect.begins->second))) {
      damaged_group(row_group, "it holds rows of other commits than the log says");
    }
  }
  if (!expect.schema) return;
  for (const std::int64_t time : {group.time_min, group.time_max}) {
    if (model::bucket_of(expect.schema->partition, {time}) != group.partition) {
      damaged_group(row_group, "its rows are not of its partition");
    }
  }
}

// The places of keys, time and row ids, in the order that rows are sorted by.
std::vector<std::size_t> SegmentReader::State::order_columns() const {
  std::vector<ColumnId> ids = footer.keys;
  ids.push_back(footer.time);
  if (expect.schema) {
    std::vector<ColumnId> said;
    for (const std::size_t key : expect.schema->key_indexes()) {
      said.push_back(ColumnId{expect.schema->columns[key].id});
    }
    said.push_back(ColumnId{expect.schema->columns[expect.schema->time_index()].id});
    if (said != ids) damaged_footer("its keys and time are not those of the dataset");
  }
  if (footer.many) ids.insert(ids.end(), {kBeginColumn, kOrdinalColumn});
  std::vector<std::size_t> out;
  for (const ColumnId id : ids) {
    const auto at = std::ranges::find(footer.columns, id, &ColumnEntry::id);
    if (!model::is_key_type(at->type)) damaged_footer("its keys are of types that no key has");
    out.push_back(static_cast<std::size_t>(at - footer.columns.begin()));
  }
  return out;
}

// Columns whose chunks are verified together, page by page: first those that rows are ordered by.
std::vector<std::vector<std::size_t>> SegmentReader::State::lanes() const {
  std::vector<std::vector<std::size_t>> out{order_columns()};
  for (std::size_t index = 0; index < columns.size(); ++index) {
    if (std::ranges::find(out.front(), index) == out.front().end()) out.push_back({index});
  }
  return out;
}

void SegmentReader::State::check_zone(const PageBytes& bytes, const Zone& said, const Zone& found,
                                      std::string_view of) const {
  if (said == found) return;
  const ColumnEntry& column = footer.columns[bytes.column];
  throw_corrupt(source.name(), column.index_offset,
                fmt::format("the zone map of {}row group {} of {} does not fit its rows", of,
                            bytes.row_group, column_words(column.id)));
}

// A page again, and its zone map against its rows.
Array SegmentReader::State::verify_page(const PageBytes& bytes, std::uint64_t page, Room& room) {
  const codec::Page checked{check_page(bytes, page, true),
                            facts(bytes.row_group, bytes.column, {page, 1})};
  Array values = page_values(*bytes.codec, checked, room);
  judge_page(bytes, page, values);
  const ColumnIndex& in = columns[bytes.column].index;
  const Zone& zone = in.pages[in.chunks[bytes.row_group].page_first + page].zone;
  check_zone(bytes, zone, zone_of(values), fmt::format("page {} of ", page));
  return values;
}

// The chunks of a lane in one row group; where rows are ordered by its columns, in what order.
Ends SegmentReader::State::verify_lane(std::size_t row_group, std::span<const std::size_t> lane,
                                       bool ordered, std::vector<ChunkRooms>& rooms) {
  std::vector<PageBytes> chunks;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    (void)column(lane[i]);
    chunks.push_back(read(row_group, lane[i], {0, page_count(row_group)}, &rooms[i]));
  }
  const RowOrder order(footer.keys.size());
  Ends ends;
  for (std::uint64_t page = 0; page < page_count(row_group); ++page) {
    std::vector<Array> rows;
    for (std::size_t i = 0; i < lane.size(); ++i)
      rows.push_back(verify_page(chunks[i], page, rooms[i].decoded));
    if (!ordered) continue;
    ends.among = std::max(ends.among, order.among(rows));
    if (page == 0)
      ends.first = row_of(rows, 0);
    else if (!mutant("verify-page-ends-uncompared"))
      ends.among = std::max(ends.among, order.between(ends.last, rows));
    ends.last = row_of(rows, rows.front().length - 1);
  }
  for (const PageBytes& bytes : chunks) {
    const ColumnIndex& in = columns[bytes.column].index;
    const ChunkEntry& chunk = in.chunks[row_group];
    Zone whole = in.pages[chunk.page_first].zone;
    for (std::uint64_t page = 1; page < page_count(row_group); ++page)
      zone_merge(whole, in.pages[chunk.page_first + page].zone, bytes.facts.type);
    check_zone(bytes, chunk.zone, whole, "");
  }
  return ends;
}

// Rows of a run in stored order, over row groups of one partition too.
void SegmentReader::State::verify_order(std::span<const Ends> ends) {
  const RowOrder order(footer.keys.size());
  Neighbours all = footer.runs > 1 ? Neighbours::share_keys_and_time : Neighbours::differ;
  for (std::size_t group = 0; group < footer.row_groups.size(); ++group) {
    verify_group(group);
    Neighbours worst = ends[group].among;
    const RowGroup& in = footer.row_groups[group];
    if (group != 0 && footer.row_groups[group - 1].run == in.run &&
        footer.row_groups[group - 1].partition == in.partition) {
      worst = std::max(worst, order.between(ends[group - 1].last, ends[group].first));
    }
    if (worst == Neighbours::disordered) damaged_group(group, "its rows are out of order");
    all = std::max(all, worst);
  }
  if (footer.unique && all != Neighbours::differ) {
    damaged_footer("it says that no rows share keys and time, and some do");
  }
}

// What no part covers is zero, and no two parts overlap.
void SegmentReader::State::verify_gaps() {
  std::vector<Part> parts{
      {0, kHeaderBytes},
      {trailer_offset() - trailer.footer_bytes, trailer.footer_bytes + kTrailerBytes}};
  for (std::size_t index = 0; index < columns.size(); ++index) {
    parts.push_back({footer.columns[index].index_offset, footer.columns[index].index_bytes});
    for (const ChunkEntry& chunk : column(index).index.chunks) {
      for (const Part& part : {chunk.validity, chunk.offsets, chunk.values}) {
        if (part.bytes != 0) parts.push_back(part);
      }
    }
  }
  std::ranges::sort(parts, {}, &Part::offset);
  std::uint64_t at = 0;
  for (const Part& part : parts) {
    if (part.offset < at)
      throw_corrupt(source.name(), part.offset, "two parts of the segment overlap");
    const Buffer gap = source.read(at, part.offset - at);
    if (std::ranges::any_of(gap.bytes, [](std::byte byte) { return byte != std::byte{0}; })) {
      throw_corrupt(source.name(), at, "there are bytes between the parts of the segment");
    }
    at = part.offset + part.bytes;
  }
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

void SegmentReader::verify(unsigned threads) const {
  const std::size_t groups = state_->footer.row_groups.size();
  const unsigned workers = threads_worth(threads, state_->footer.rows);
  const auto lanes = state_->lanes();
  std::vector<std::vector<ChunkRooms>> rooms(std::max(workers, 1u));  // by worker
  for (auto& of_worker : rooms) of_worker.resize(lanes.front().size());
  std::vector<Ends> ends(groups);
  run_tasks(workers, groups * lanes.size(), [&](unsigned worker, std::size_t task) {
    const std::size_t group = task % groups;
    const bool ordered = task < groups;
    Ends found = state_->verify_lane(group, lanes[task / groups], ordered, rooms[worker]);
    if (ordered) ends[group] = std::move(found);
  });
  if (!mutant("verify-order-unread")) state_->verify_order(ends);
  state_->verify_gaps();
}

}  // namespace otolith::segment
