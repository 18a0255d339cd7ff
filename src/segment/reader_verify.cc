// Everything read again and checked, also what no read would touch.
#include <algorithm>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/compare.h"
#include "model/partition.h"
#include "segment/reader_state.h"
#include "segment/tasks.h"

namespace otolith::segment {

namespace {

// The values of one page that has no flaw; of fixed width in `scratch`.
Array page_values(const codec::Codec& codec, const codec::Page& page, io::Scratch& scratch) {
  if (codec.mappable()) return codec::pages_view(codec, page);
  codec::Target target;
  if (!model::is_text(page.facts.type)) {
    const auto memory = scratch.memory(codec.decoded_bytes(page.parts, page.facts));
    target = {memory, memory.get()};
  }
  return codec::pages_decode(codec, {&page, 1}, target);
}

}  // namespace

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
Array SegmentReader::State::verify_page(const PageBytes& bytes, std::uint64_t page,
                                        io::Scratch& scratch) {
  const codec::Page checked{check_page(bytes, page, true),
                            facts(bytes.row_group, bytes.column, {page, 1})};
  Array values = page_values(*bytes.codec, checked, scratch);
  judge_page(bytes, page, values);
  const ColumnIndex& in = columns[bytes.column].index;
  const Zone& zone = in.pages[in.chunks[bytes.row_group].page_first + page].zone;
  check_zone(bytes, zone, zone_of(values), fmt::format("page {} of ", page));
  return values;
}

// The chunks of a lane in one row group; where rows are ordered by its columns, in what order.
Ends SegmentReader::State::verify_lane(std::size_t row_group, std::span<const std::size_t> lane,
                                       bool ordered, std::vector<ChunkScratch>& scratch) {
  std::vector<PageBytes> chunks;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    (void)column(lane[i]);
    chunks.push_back(read(row_group, lane[i], {0, page_count(row_group)}, &scratch[i]));
  }
  const RowOrder order(footer.keys.size());
  Ends ends;
  for (std::uint64_t page = 0; page < page_count(row_group); ++page) {
    std::vector<Array> rows;
    for (std::size_t i = 0; i < lane.size(); ++i)
      rows.push_back(verify_page(chunks[i], page, scratch[i].decoded));
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

void SegmentReader::verify(unsigned threads) const {
  const std::size_t groups = state_->footer.row_groups.size();
  const unsigned workers = threads_worth(threads, state_->footer.rows);
  const auto lanes = state_->lanes();
  std::vector<std::vector<ChunkScratch>> scratch(std::max(workers, 1u));  // by worker
  for (auto& of_worker : scratch) of_worker.resize(lanes.front().size());
  std::vector<Ends> ends(groups);
  run_tasks(workers, groups * lanes.size(), [&](unsigned worker, std::size_t task) {
    const std::size_t group = task % groups;
    const bool ordered = task < groups;
    Ends found = state_->verify_lane(group, lanes[task / groups], ordered, scratch[worker]);
    if (ordered) ends[group] = std::move(found);
  });
  if (!mutant("verify-order-unread")) state_->verify_order(ends);
  state_->verify_gaps();
}

}  // namespace otolith::segment
