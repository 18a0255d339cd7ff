#include "scan/walk.h"

#include <algorithm>
#include <functional>
#include <map>
#include <variant>

#include "base/mutant.h"
#include "base/stopping.h"
#include "model/partition.h"
#include "scan/store.h"
#include "scan/visible.h"

namespace otolith::scan {

namespace {

constexpr int kRenewalsMax = 3;  // of the snapshot, for one partition

// A source that may hold wanted rows, not opened yet: a segment, or rows of the tail. Buckets are
// counted downwards in reverse.
struct Candidate {
  std::int64_t first_bucket = 0;
  std::variant<history::SegmentEntry, history::TailEntry> entry;
};

struct Opened {
  std::shared_ptr<const RowSource> source;
  std::map<std::int64_t, std::vector<std::size_t>> pieces;  // by bucket, those still to come
};

}  // namespace

struct Walk::State {
  // Constant after construction.
  std::shared_ptr<SegmentStore> store;
  history::DatasetEntry dataset;
  Wanted wanted;
  std::int64_t sign = 1;

  std::shared_ptr<const history::Snapshot> snapshot;  // always of the same commit
  int renewals = 0;                                   // since the last partition
  std::optional<std::int64_t> done;                   // the last partition that was given
  Visibility visibility;
  std::vector<Candidate> candidates;  // the next one last
  std::vector<Opened> opened;
  std::uint64_t candidate_rows = 0;  // when they were found

  State(std::shared_ptr<SegmentStore> of, std::shared_ptr<const history::Snapshot> at,
        history::DatasetEntry what, Wanted rows, bool reverse)
      : store(std::move(of)),
        dataset(std::move(what)),
        wanted(std::move(rows)),
        sign(reverse ? -1 : 1),
        snapshot(at),
        visibility(std::move(at), dataset.id) {
    find_candidates();
  }

  void find_candidates() {
    candidate_rows = 0;
    for (const auto& entry : snapshot->segments(dataset.id)) add_segment(entry);
    const Timestamp first{wanted.start.value_or(kTimestampMin.ns)};
    const Timestamp last{wanted.stop.value_or(kTimestampMax.ns)};
    for (const auto& entry : snapshot->tail_within(dataset.id, first, last)) add_tail(entry);
    std::ranges::sort(candidates, std::greater<>(), &Candidate::first_bucket);
  }

  template <typename Entry>
  void add(Timestamp min, Timestamp max, std::uint64_t count, const Entry& entry) {
    if (!wanted.overlaps(min.ns, max.ns)) return;
    candidate_rows += count;
    const std::int64_t bucket = model::bucket_of(dataset.schema->partition, sign > 0 ? min : max);
    candidates.push_back({sign * bucket, entry});
  }

  void add_segment(const history::SegmentEntry& entry) {
    if (entry.begin_last <= wanted.begun_after) return;
    if (!wanted.overlaps(entry.ref.time_min.ns, entry.ref.time_max.ns)) return;  // asks nobody
    const bool none = !entry.many && visibility.of(entry.begin_first, entry.ref.rows).kind() ==
                                         history::VisibleRows::Kind::none;
    if (none) return;
    add(entry.ref.time_min, entry.ref.time_max, entry.ref.rows, entry);
  }

  void add_tail(const history::TailEntry& entry) {
    if (entry.begin <= wanted.begun_after) return;
    if (visibility.of(entry.begin, entry.rows).kind() == history::VisibleRows::Kind::none) return;
    add(entry.time_min, entry.time_max, entry.rows, entry);
  }

  // nullptr where a segment's file is gone, and the snapshot was renewed.
  std::shared_ptr<const RowSource> open(const Candidate& candidate) {
    if (const auto* tail = std::get_if<history::TailEntry>(&candidate.entry)) {
      return tail_source(*tail, wanted.time);
    }
    const history::SegmentEntry entry = std::get<history::SegmentEntry>(candidate.entry);
    if (renewals == kRenewalsMax) return segment_source(store->open(dataset.id, entry), entry);
    if (auto reader = store->find(dataset.id, entry)) return segment_source(reader, entry);
    renew(entry);
    return nullptr;
  }

  // Partitions that were given stay given: what they were made of is held by those who have them.
  void renew(const history::SegmentEntry& gone) {
    snapshot = store->renewed(*snapshot, dataset.id, gone);
    ++renewals;
    opened.clear();
    candidates.clear();
    find_candidates();
  }

  void open_next() {
    Opened out{open(candidates.back()), {}};
    if (!out.source) return;
    candidates.pop_back();
    for (std::size_t piece = 0; piece < out.source->pieces().size(); ++piece) {
      const Piece& rows = out.source->pieces()[piece];
      const std::int64_t bucket = sign * rows.bucket;
      if (done && bucket <= *done && !mutant("renewed-scan-repeats")) continue;
      if (wanted.overlaps(rows.time_min, rows.time_max)) out.pieces[bucket].push_back(piece);
    }
    if (!out.pieces.empty()) opened.push_back(std::move(out));
  }

  std::optional<std::int64_t> first_opened() const {
    std::optional<std::int64_t> first;
    for (const Opened& source : opened) {
      const std::int64_t bucket = source.pieces.begin()->first;
      first = first ? std::min(*first, bucket) : bucket;
    }
    return first;
  }

  // Opens every source that may hold rows of the next partition, and says which that is.
  std::optional<std::int64_t> next_bucket() {
    for (;;) {
      const std::optional<std::int64_t> next = first_opened();
      if (candidates.empty() || (next && candidates.back().first_bucket > *next)) return next;
      open_next();
    }
  }

  std::vector<Unit> units_of(std::int64_t bucket) {
    done = bucket;
    renewals = 0;
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
      stop_point();
      const Piece& rows = source->pieces()[piece];
      // Where visibility costs reading, only what is wanted is asked for.
      RowSet ranges =
          source->begin()
              ? prune(*source, piece, wanted, visibility.of(*source, piece))
              : visibility.among(*source, piece, prune(*source, piece, wanted, {{0, rows.rows}}));
      if (ranges.empty()) continue;
      if (run != rows.run) out.push_back({source, {}, 0, rows.time_min, rows.time_max});
      run = rows.run;
      Unit& unit = out.back();
      unit.rows += ranges.rows();
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

std::uint64_t Walk::rows() const noexcept { return state_->candidate_rows; }

}  // namespace otolith::scan
