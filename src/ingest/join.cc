#include "ingest/join.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "ingest/commit.h"
#include "ingest/join_plan.h"
#include "ingest/join_rows.h"
#include "ingest/left.h"
#include "ingest/many.h"
#include "ingest/shredding.h"
#include "ingest/sides.h"
#include "model/array.h"
#include "scan/store.h"

namespace otolith::ingest {

namespace {

// A tier a round; where others go on joining there would always be another.
constexpr int kRoundsMax = 24;

using history::SegmentEntry;
using history::Side;
using Base = std::shared_ptr<const history::Snapshot>;

struct Group {
  DatasetId dataset;
  JoinGroup segments;
  std::optional<Side> stays{};  // all of them are of that side as they are: the log is to say so
};

// Tells how far the work is; what the caller throws to stop it is no error of a dataset.
class Teller {
 public:
  Teller(const Progress& progress, const Pace& pace) : progress_(progress), pace_(pace) {}

  void plan(std::uint64_t bytes) noexcept { total_ += bytes; }
  /// Of a group; `worked`: it was not skipped.
  void done(std::uint64_t bytes, bool worked) {
    done_ += bytes;
    if (worked || mutant("skipped-is-waited-for")) worked_ += bytes;
    within(0);
  }
  /// So many bytes behind what was done.
  void within(std::uint64_t bytes) {
    stopped_ = true;
    stop_point();
    if (progress_ && total_ != 0) progress_(std::min(done_ + bytes, total_), total_);
    if (pace_) pace_(worked_ + bytes);
    stopped_ = false;
  }
  bool stopped() const noexcept { return stopped_; }

 private:
  const Progress& progress_;
  const Pace& pace_;
  std::uint64_t done_ = 0;
  std::uint64_t worked_ = 0;
  std::uint64_t total_ = 0;
  bool stopped_ = false;
};

// The rest of what a handle may take is for a row group, and for who uses the handle meanwhile.
std::uint64_t window_bytes(const IngestContext& context) { return context.memory_bytes / 4; }

// As many segments as have a page each in memory.
std::size_t together_max(const IngestContext& context, DatasetId dataset) {
  const std::uint64_t page = kPageRowsMax * row_bytes(*context.history->schema_of(dataset));
  return std::clamp<std::size_t>(window_bytes(context) / page, 2, kJoinSegmentsMax);
}

Base base_of(const IngestContext& context) {
  return context.history->at(context.history->durable_head());
}

// Which segments are to be written anew, round by round.
class Planner {
 public:
  Planner(const IngestContext& context, Base base) : context_(context), base_(std::move(base)) {}

  const Base& base() const noexcept { return base_; }

  // Segments that the base knows, which is durable: those of relaxed commits may be lost. Past ones
  // are joined with their like: those of the present would have them written again and again.
  std::vector<Group> groups(const Left& left) {
    std::map<DatasetId, JoinGroup> sides[2];
    for (const history::NeededSegment& needed : context_.history->all_segments()) {
      const bool known = needed.entry.begin_last <= base_->number();
      if (needed.marks || !known || left.has(needed.dataset)) continue;
      const bool past = needed.entry.side == Side::past && !mutant("join-sides-together");
      sides[past ? 1 : 0][needed.dataset].push_back(needed.entry);
    }
    std::vector<Group> out;
    for (const auto& side : sides) {
      for (const auto& [dataset, entries] : side) add(dataset, entries, out);
    }
    return out;
  }

 private:
  void add(DatasetId dataset, const JoinGroup& entries, std::vector<Group>& out) {
    const std::size_t most = together_max(context_, dataset);
    const SegmentSizes sizes = context_.history->schema_of(dataset)->segments;
    std::set<Id128> joined;
    for (JoinGroup& group : join_plan(entries, most, sizes)) {
      for (const SegmentEntry& entry : group) joined.insert(entry.ref.id);
      out.push_back({dataset, std::move(group)});
    }
    for (JoinGroup& siblings : siblings_of(entries)) {
      if (joined.contains(siblings.front().ref.id)) continue;
      const bool together = siblings.size() <= most;
      if (together && (worth_parting(dataset, siblings) || worth_cutting_anew(siblings, sizes))) {
        out.push_back({dataset, std::move(siblings)});
      } else if (const auto side = side_of_all(dataset, siblings)) {
        out.push_back({dataset, std::move(siblings), side});
      } else if (!together) {
        for (SegmentEntry& entry : siblings)
          if (worth_of(dataset, entry) == Worth::parting)
            out.push_back({dataset, {std::move(entry)}});
      }
    }
  }

  // All are written anew for those of which much is hidden, so these are to be a quarter of them.
  bool worth_parting(DatasetId dataset, const JoinGroup& siblings) {
    JoinGroup to_part;
    for (const SegmentEntry& entry : siblings)
      if (worth_of(dataset, entry) == Worth::parting) to_part.push_back(entry);
    return !to_part.empty() && 4 * rows_of(to_part) >= rows_of(siblings);
  }

  // Where the log is to say so, for they are known by their base: some do not stand, and all are of
  // one side as they are.
  std::optional<Side> side_of_all(DatasetId dataset, const JoinGroup& siblings) {
    std::optional<Side> side;
    bool any = false;
    for (const SegmentEntry& entry : siblings) {
      const Worth worth = worth_of(dataset, entry);
      const bool stands = worth == Worth::nothing &&
                          base_->stands(dataset, entry, entry.begin_first, entry.begin_last);
      if (worth == Worth::parting || (worth == Worth::nothing && !stands)) return std::nullopt;
      const Side is = stands ? entry.side : worth == Worth::past ? Side::past : Side::present;
      if (side && *side != is) return std::nullopt;
      side = is;
      any = any || !stands;
    }
    return any ? side : std::nullopt;
  }

  // Row ids may have to be read for it: once, unless the log says something else of it since.
  Worth worth_of(DatasetId dataset, const SegmentEntry& entry) {
    const auto [asked, fresh] = asked_.try_emplace({entry.ref.id, entry.base}, Worth::nothing);
    if (fresh) asked->second = worth_of_sides(context_, base_, dataset, entry);
    return asked->second;
  }

  const IngestContext& context_;
  const Base base_;
  std::map<std::pair<Id128, CommitNumber>, Worth> asked_;
};

// That it has to read and write.
std::uint64_t work_of(const Group& group) { return group.stays ? 0 : bytes_of(group.segments); }

std::uint64_t work_of_all(const std::vector<Group>& groups) {
  std::uint64_t bytes = 0;
  for (const Group& group : groups) bytes += work_of(group);
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
  for (const SegmentEntry& entry : group.segments) {
    const auto reader = context.store->find_apart(group.dataset, entry);
    if (!reader && !is_needed(context, entry.ref.id)) return {};
    if (!reader) context.store->open(group.dataset, entry);  // throws that it is missing
    for (const segment::ColumnEntry& column : reader->shape().columns) {
      const bool of_file = column.id == segment::kBeginColumn ||
                           column.id == segment::kOrdinalColumn || segment::is_shredded(column.id);
      if (!of_file) stored.push_back({column.id, column.type});
    }
    out.push_back(scan::segment_source(reader, entry));
  }
  return out;
}

struct Made {
  history::CompactRequest request;
  std::vector<SegmentFile> files;
};

// The rows of a run in so many runs behind each other, of as many rows each as can be.
std::deque<model::Run> cut_evenly(const model::Run& run, std::uint64_t pieces) {
  const std::uint64_t all = model::run_rows(run);
  std::deque<model::Run> out(1);
  std::uint64_t done = 0;
  for (const model::PartitionRows& partition : run) {
    for (std::uint64_t at = 0; at < partition.rows;) {
      const std::uint64_t end = all * out.size() / pieces;
      const std::uint64_t rows = std::min(partition.rows - at, end - done);
      if (rows != 0) out.back().push_back({partition.bucket, rows});
      done += rows;
      at += rows;
      if (done == end && done != all) out.emplace_back();
    }
  }
  return out;
}

// What a side is written with.
struct SideWriter {
  const IngestContext& context;
  Id128 owner;
  DatasetId dataset;
  std::string name;
  std::shared_ptr<const Schema> schema;
  CommitNumber base;
  double bytes_a_row;
  std::function<void(std::uint64_t rows)> wrote;

  // Chosen anew, so that columns follow the data.
  std::vector<Column> paths_of(const JoinRows& rows) const {
    if (schema->kind != DatasetKind::collection) return {};
    return document::shredded_columns(rows.sample(schema->find(kDocumentBody).value()));
  }

  // The rows of one side in files of their own; none where there are no rows.
  void write(Side side, std::vector<JoinSource> sources, Made& made) const {
    const JoinRows rows(std::move(sources), schema, window_bytes(context));
    const model::Run run = rows.run();
    const std::uint64_t all = model::run_rows(run);
    if (all == 0) return;
    const std::vector<Column> paths = paths_of(rows);
    const auto bytes = static_cast<std::uint64_t>(bytes_a_row * static_cast<double>(all));
    const std::uint64_t pieces = pieces_of(all, bytes, schema->segments);
    std::deque<model::Run> runs = cut_evenly(run, pieces);
    const std::size_t first_entry = made.request.segments.size();
    std::uint64_t first = UINT64_MAX;
    std::uint64_t last = 0;
    std::optional<Piece> piece;
    rows.write([&](const Batch& batch) {
      const auto* begins = batch.columns[schema->columns.size()].values.as<std::uint64_t>();
      const auto [least, greatest] = std::minmax_element(begins, begins + batch.rows);
      first = std::min(first, *least);
      last = std::max(last, *greatest);
      for (std::uint64_t at = 0; at < batch.rows;) {
        OTO_INVARIANT(!runs.empty());
        if (!piece) piece.emplace(*this, runs.front(), paths);
        const std::uint64_t some = std::min(piece->left, batch.rows - at);
        piece->append(some == batch.rows ? batch : model::batch_slice(batch, at, some));
        at += some;
        if (piece->left != 0) continue;
        piece->finish(made);
        piece.reset();
        runs.pop_front();
      }
      wrote(batch.rows);
    });
    // Siblings have one range of commits, by which they know each other.
    for (std::size_t at = first_entry; at < made.request.segments.size(); ++at) {
      SegmentEntry& entry = made.request.segments[at];
      entry.begin_first = CommitNumber{first};
      entry.begin_last = CommitNumber{last};
      entry.side = side;
      entry.base = base;
    }
  }

 private:
  segment::SegmentSpec spec(const Id128& file, const std::vector<Column>& paths) const {
    segment::SegmentSpec out = many_spec(context, owner, file, dataset, name, schema);
    out.shredded = paths;
    return out;
  }

  // One file of a side.
  struct Piece {
    Shredding shredding;
    SegmentFile file;
    segment::SegmentWriter writer;
    std::uint64_t left;  // rows that are still to come

    Piece(const SideWriter& of, const model::Run& run, const std::vector<Column>& paths)
        : shredding(paths, of.context.threads),
          file(*of.context.vfs, *of.context.environment),
          writer(file.file(), of.spec(file.id(), paths)),
          left(model::run_rows(run)) {
      writer.begin_run(run);
    }
    void append(const Batch& batch) {
      writer.append(shredding.with_columns(batch));
      left -= batch.rows;
    }
    void finish(Made& made) {
      writer.end_run();
      shredding.tell(writer);
      made.request.segments.push_back(many_entry(file.id(), writer.finish(), {}, {}));
      made.files.push_back(std::move(file));
    }
  };
};

// The rows of a group in a file for each side. nullopt where another join came first.
std::optional<Made> make(const IngestContext& context, const Base& base, const Id128& owner,
                         const Group& group, const std::string& name, Teller& teller) {
  std::vector<StoredType> stored;
  const Sources sources = open_all(context, group, stored);
  if (sources.empty()) return std::nullopt;
  const double bytes_a_row =
      static_cast<double>(bytes_of(group.segments)) / static_cast<double>(rows_of(group.segments));
  std::uint64_t written = 0;
  const auto wrote = [&](std::uint64_t rows) {
    written += rows;
    teller.within(static_cast<std::uint64_t>(bytes_a_row * static_cast<double>(written)));
  };
  scan::Visibility visibility(base, group.dataset);
  Sides sides = sides_of(visibility, sources);
  const auto schema = schema_of_all(*context.history->schema_of(group.dataset), stored);
  const SideWriter writer{context, owner,          group.dataset, name,
                          schema,  base->number(), bytes_a_row,   wrote};
  Made made{{.dataset = group.dataset, .replaced = {}, .segments = {}}, {}};
  for (const SegmentEntry& entry : group.segments) made.request.replaced.push_back(entry.ref.id);
  writer.write(Side::present, std::move(sides.present), made);
  writer.write(Side::past, std::move(sides.past), made);
  return made;
}

// nullopt, and the dataset is left, where it is the dataset's own error; the disk is there for all
// of them.
std::optional<Made> make_or_leave(const IngestContext& context, const Base& base,
                                  const Id128& owner, const Group& group, Teller& teller,
                                  Left& left) {
  const std::string name = name_of(*context.history->head(), group.dataset);
  const auto what = [&] { return fmt::format("segments of {} were not joined", quoted(name)); };
  try {
    return make(context, base, owner, group, name, teller);
  } catch (const Error& error) {
    const bool of_all =
        error.code() == ErrorCode::io || error.code() == ErrorCode::cancelled || teller.stopped();
    if (of_all || mutant("join-all-or-nothing")) throw;
    left.add(what(), error);
  } catch (const std::bad_alloc&) {
    if (teller.stopped()) throw;
    left.add(what(), no_memory());
  }
  left.leave(group.dataset);
  return std::nullopt;
}

// The segment stands as of the base from here on: a record, and none of its rows is written.
bool renewed(const IngestContext& context, const Base& base, const Group& group) {
  history::CompactRequest request{.dataset = group.dataset, .replaced = {}, .segments = {}};
  for (SegmentEntry entry : group.segments) {
    request.replaced.push_back(entry.ref.id);
    entry.side = *group.stays;
    entry.base = base->number();
    request.segments.push_back(entry);
  }
  return context.history->compact(request);
}

// Derived data: that it could not be written is no failure of what it was to remember.
void checkpoint(const IngestContext& context) {
  try {
    context.history->checkpoint();
  } catch (const Error& error) {
    log_line(LogLevel::warning, std::string("no checkpoint was written: ") + error.what());
  }
}

void count(Joined& joined, const Group& group, const Made& made) {
  joined.segments += group.segments.size();
  joined.rows += rows_of(group.segments);
  joined.bytes += bytes_of(group.segments);
  for (const SegmentEntry& entry : made.request.segments) {
    WrittenSide& side = entry.side == Side::past ? joined.past : joined.present;
    ++side.segments;
    side.rows += entry.ref.rows;
  }
}

}  // namespace

std::uint64_t join_bytes(const IngestContext& context) {
  return work_of_all(Planner(context, base_of(context)).groups(Left()));
}

Joined join_segments(const IngestContext& context, const Progress& progress, const Pace& pace) {
  Joined joined;
  Left left;
  Teller teller(progress, pace);
  Planner planner(context, base_of(context));
  const FileOwner owner(*context.vfs, *context.environment);
  int rounds = 0;
  for (auto groups = planner.groups(left); !groups.empty() && rounds < kRoundsMax;
       groups = planner.groups(left), ++rounds) {
    teller.plan(work_of_all(groups));
    for (const Group& group : groups) {
      teller.within(0);
      if (group.stays) {
        if (renewed(context, planner.base(), group)) ++joined.renewed;
        continue;
      }
      auto made = left.has(group.dataset)
                      ? std::nullopt
                      : make_or_leave(context, planner.base(), owner.id(), group, teller, left);
      if (made) {
        owner.check();
        if (join_encoded(context, made->request, std::move(made->files)))
          count(joined, group, *made);
      }
      teller.done(work_of(group), made.has_value());
    }
  }
  if (joined.segments + joined.renewed != 0) checkpoint(context);
  if (left.any()) left.raise();
  return joined;
}

}  // namespace otolith::ingest
