#include "scan/walk.h"

#include <algorithm>
#include <functional>
#include <map>

#include "model/partition.h"
#include "scan/store.h"
#include "scan/visible.h"

namespace otolith::scan {

namespace {

// A source that may hold wanted rows, opened or not yet. Buckets are counted downwards in reverse.
struct Candidate {
  std::int64_t first_bucket = 0;
  std::function<std::shared_ptr<const RowSource>()> open;
};

struct Opened {
  std::shared_ptr<const RowSource> source;
  std::map<std::int64_t, std::vector<std::size_t>> pieces;  // by bucket, those still to come
};

}  // namespace

struct Walk::State {
  // Constant after construction.
  std::shared_ptr<SegmentStore> store;
  std::shared_ptr<const history::Snapshot> snapshot;
  history::DatasetEntry dataset;
  Wanted wanted;
  std::int64_t sign = 1;

  Visibility visibility;
  std::vector<Candidate> candidates;  // the next one last
  std::vector<Opened> opened;

  State(std::shared_ptr<SegmentStore> of, std::shared_ptr<const history::Snapshot> at,
        history::DatasetEntry what, Wanted rows, bool reverse)
      : store(std::move(of)),
        snapshot(at),
        dataset(std::move(what)),
        wanted(std::move(rows)),
        sign(reverse ? -1 : 1),
        visibility(std::move(at), dataset.id) {
    for (const auto& entry : snapshot->segments(dataset.id)) add_segment(entry);
    for (const auto& entry : snapshot->tail(dataset.id)) add_tail(entry);
    std::ranges::sort(candidates, std::greater<>(), &Candidate::first_bucket);
  }

  void add(Timestamp min, Timestamp max, std::function<std::shared_ptr<const RowSource>()> open) {
    if (!wanted.overlaps(min.ns, max.ns)) return;
    const std::int64_t bucket = model::bucket_of(dataset.schema->partition, sign > 0 ? min : max);
    candidates.push_back({sign * bucket, std::move(open)});
  }

  void add_segment(const history::SegmentEntry& entry) {
    if (entry.begin_last <= wanted.begun_after) return;
    const bool none = !entry.many && visibility.of(entry.begin_first, entry.ref.rows).kind ==
                                         history::VisibleRows::Kind::none;
    if (none) return;
    add(entry.ref.time_min, entry.ref.time_max,
        [this, entry] { return segment_source(store->open(dataset.id, entry), entry); });
  }

  void add_tail(const history::TailEntry& entry) {
    if (entry.begin <= wanted.begun_after) return;
    if (visibility.of(entry.begin, entry.rows).kind == history::VisibleRows::Kind::none) return;
    add(entry.time_min, entry.time_max, [this, entry] { return tail_source(entry, wanted.time); });
  }

  void open_next() {
    Opened out{candidates.back().open(), {}};
    candidates.pop_back();
    for (std::size_t piece = 0; piece < out.source->pieces().size(); ++piece) {
      const Piece& rows = out.source->pieces()[piece];
      if (wanted.overlaps(rows.time_min, rows.time_max)) {
        out.pieces[sign * rows.bucket].push_back(piece);
      }
    }
    if (!out.pieces.empty()) opened.push_back(std::move(out));
  }

  // Opens every source that may hold rows of the next partition, and says which that is.
  std::optional<std::int64_t> next_bucket() {
    std::optional<std::int64_t> next;
    for (;;) {
      for (const Opened& source : opened) {
        const std::int64_t bucket = source.pieces.begin()->first;
        next = next ? std::min(*next, bucket) : bucket;
      }
      if (candidates.empty() || (next && candidates.back().first_bucket > *next)) return next;
      open_next();
    }
  }

  std::vector<Unit> units_of(std::int64_t bucket) {
    std::vector<Unit> out;
    for (Opened& source : opened) {
      if (source.pieces.begin()->first != bucket) continue;
      const auto pieces = source.pieces.extract(source.pieces.begin());
      add_units(source.source, pieces.mapped(), out);
    }
    std::erase_if(opened, [](const Opened& source) { return source.pieces.empty(); });
    return out;
  }

  // Pieces of one run are one unit.
  void add_units(const std::shared_ptr<const RowSource>& source,
                 const std::vector<std::size_t>& pieces, std::vector<Unit>& out) {
    std::optional<std::uint32_t> run;
    for (const std::size_t piece : pieces) {
      const Piece& rows = source->pieces()[piece];
      // Where visibility costs reading, only what is wanted is asked for.
      RowRanges ranges =
          source->begin()
              ? prune(*source, piece, wanted, visibility.of(*source, piece))
              : visibility.among(*source, piece, prune(*source, piece, wanted, {{0, rows.rows}}));
      if (ranges.empty()) continue;
      if (run != rows.run) out.push_back({source, {}, 0, rows.time_min, rows.time_max});
      run = rows.run;
      Unit& unit = out.back();
      unit.rows += rows_in(ranges);
      unit.time_min = std::min(unit.time_min, rows.time_min);
      unit.time_max = std::max(unit.time_max, rows.time_max);
      unit.parts.push_back({piece, std::move(ranges)});
    }
  }
};

Walk::Walk(std::shared_ptr<SegmentStore> store, std::shared_ptr<const history::Snapshot> snapshot,
           history::DatasetEntry dataset, Wanted wanted, bool reverse)
    : state_(std::make_unique<State>(std::move(store), std::move(snapshot), std::move(dataset),
                                     std::move(wanted), reverse)) {}
Walk::Walk(Walk&&) noexcept = default;
Walk::~Walk() = default;

std::vector<Unit> Walk::next() {
  while (const auto bucket = state_->next_bucket()) {
    std::vector<Unit> units = state_->units_of(*bucket);
    if (!units.empty()) return units;
  }
  return {};
}

}  // namespace otolith::scan
