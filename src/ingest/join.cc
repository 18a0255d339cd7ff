#include "ingest/join.h"

#include <algorithm>
#include <map>
#include <new>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "ingest/commit.h"
#include "ingest/join_plan.h"
#include "ingest/join_rows.h"
#include "ingest/left.h"
#include "ingest/many.h"
#include "scan/store.h"

namespace otolith::ingest {

namespace {

// A tier a round; where others go on writing there would always be another.
constexpr int kRoundsMax = 24;

struct Group {
  DatasetId dataset;
  JoinGroup segments;
};

// The rest of what a handle may take is for a row group, and for who uses the handle meanwhile.
std::uint64_t window_bytes(const IngestContext& context) { return context.memory_bytes / 4; }

// As many segments as have a page each in memory.
std::size_t together_max(const IngestContext& context, DatasetId dataset) {
  const std::uint64_t page = kPageRowsMax * row_bytes(*context.history->schema_of(dataset));
  return std::clamp<std::size_t>(window_bytes(context) / page, 2, kJoinSegmentsMax);
}

// Segments of durable commits: those of relaxed ones may be lost.
std::vector<Group> plan(const IngestContext& context, const Left& left) {
  const CommitNumber durable = context.history->durable_head();
  std::map<DatasetId, JoinGroup> segments;
  for (const history::NeededSegment& needed : context.history->all_segments()) {
    const bool stands = needed.entry.begin_last <= durable;
    if (needed.marks || !stands || left.has(needed.dataset)) continue;
    segments[needed.dataset].push_back(needed.entry);
  }
  std::vector<Group> out;
  for (auto& [dataset, entries] : segments) {
    if (entries.size() < 2) continue;
    for (JoinGroup& group : join_plan(std::move(entries), together_max(context, dataset))) {
      out.push_back({dataset, std::move(group)});
    }
  }
  return out;
}

std::uint64_t bytes_of_all(const std::vector<Group>& groups) {
  std::uint64_t bytes = 0;
  for (const Group& group : groups) bytes += bytes_of(group.segments);
  return bytes;
}

using Sources = std::vector<std::shared_ptr<const scan::RowSource>>;

bool is_needed(const IngestContext& context, const Id128& segment) {
  (void)context.history->readable();
  return std::ranges::any_of(context.history->all_segments(),
                             [&](const auto& needed) { return needed.entry.ref.id == segment; });
}

// Empty where another join came first, and its files went already. Columns go to `stored`.
Sources open_all(const IngestContext& context, const Group& group,
                 std::vector<StoredType>& stored) {
  Sources out;
  for (const history::SegmentEntry& entry : group.segments) {
    const auto reader = context.store->find_apart(group.dataset, entry);
    if (!reader && !is_needed(context, entry.ref.id)) return {};
    if (!reader) context.store->open(group.dataset, entry);  // throws that it is missing
    for (const segment::ColumnEntry& column : reader->shape().columns) {
      const bool row_id =
          column.id == segment::kBeginColumn || column.id == segment::kOrdinalColumn;
      if (!row_id) stored.push_back({column.id, column.type});
    }
    out.push_back(scan::segment_source(reader, entry));
  }
  return out;
}

struct Made {
  history::CompactRequest request;
  SegmentFile file;
};

// The rows of a group in one file. nullopt where another join came first.
std::optional<Made> make(const IngestContext& context, const Id128& owner, const Group& group,
                         const std::string& name) {
  std::vector<StoredType> stored;
  Sources sources = open_all(context, group, stored);
  if (sources.empty()) return std::nullopt;
  const auto schema = schema_of_all(*context.history->schema_of(group.dataset), stored);
  const JoinRows rows(std::move(sources), schema, window_bytes(context));
  SegmentFile file(*context.vfs, *context.environment);
  segment::SegmentWriter writer(file.file(),
                                many_spec(context, owner, file.id(), group.dataset, name, schema));
  writer.begin_run(rows.run());
  rows.write([&](const Batch& batch) { writer.append(batch); });
  writer.end_run();
  const segment::SegmentInfo info = writer.finish();
  history::CompactRequest request{.dataset = group.dataset, .replaced = {}, .segment = {}};
  CommitNumber first = group.segments.front().begin_first;
  CommitNumber last = group.segments.front().begin_last;
  for (const history::SegmentEntry& entry : group.segments) {
    request.replaced.push_back(entry.ref.id);
    first = std::min(first, entry.begin_first);
    last = std::max(last, entry.begin_last);
  }
  request.segment = many_entry(file.id(), info, first, last);
  return Made{std::move(request), std::move(file)};
}

// nullopt, and the dataset is left, where it is the dataset's own error; the disk is there for all
// of them.
std::optional<Made> make_or_leave(const IngestContext& context, const Id128& owner,
                                  const Group& group, const std::string& name, Left& left) {
  const auto what = [&] { return fmt::format("segments of {} were not joined", quoted(name)); };
  try {
    return make(context, owner, group, name);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io || mutant("join-all-or-nothing")) throw;
    left.add(what(), error);
  } catch (const std::bad_alloc&) {
    left.add(what(), no_memory());
  }
  left.leave(group.dataset);
  return std::nullopt;
}

// Derived data: that it could not be written is no failure of what it was to remember.
void checkpoint(const IngestContext& context) {
  try {
    context.history->checkpoint();
  } catch (const Error& error) {
    log_line(LogLevel::warning, std::string("no checkpoint was written: ") + error.what());
  }
}

void count(Joined& joined, const JoinGroup& group) {
  joined.segments += group.size();
  for (const history::SegmentEntry& entry : group) joined.rows += entry.ref.rows;
  joined.bytes += bytes_of(group);
}

}  // namespace

std::uint64_t join_bytes(const IngestContext& context) {
  return bytes_of_all(plan(context, Left()));
}

Joined join_segments(const IngestContext& context, const Progress& progress) {
  Joined joined;
  Left left;
  std::uint64_t total = 0;
  const FileOwner owner(*context.vfs, *context.environment);
  int rounds = 0;
  for (auto groups = plan(context, left); !groups.empty() && rounds < kRoundsMax;
       groups = plan(context, left), ++rounds) {
    std::uint64_t done = total;
    total += bytes_of_all(groups);
    const auto snapshot = context.history->head();
    for (const Group& group : groups) {
      if (progress) progress(done, total);
      done += bytes_of(group.segments);
      if (left.has(group.dataset)) continue;
      auto made =
          make_or_leave(context, owner.id(), group, name_of(*snapshot, group.dataset), left);
      if (!made) continue;
      owner.check();
      if (join_encoded(context, made->request, std::move(made->file)))
        count(joined, group.segments);
    }
  }
  if (joined.segments != 0) checkpoint(context);
  if (left.any()) left.raise();
  if (progress && total != 0) progress(total, total);
  return joined;
}

}  // namespace otolith::ingest
