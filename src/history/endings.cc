#include "history/endings.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::size_t kJudgedRunsMax = 1 << 16;  // of marks that are compared again

const DatasetVersion* version_of(const EndingState& now, DatasetId dataset) {
  return now.view.catalog->find(dataset);
}

// The dataset as it was asked about; conflict where it is gone or has another schema.
DatasetEntry dataset_of(const Ending& ending, const EndingState& now) {
  const DatasetVersion* version = version_of(now, ending.dataset);
  std::optional<DatasetEntry> entry;
  if (version != nullptr) entry = dataset_at(now.view, *version);
  if (!entry) {
    throw_error(ErrorCode::conflict,
                "the dataset {} does not exist any more; look which datasets there are",
                quoted(ending.name));
  }
  const bool same = entry->schema == ending.schema || *entry->schema == *ending.schema;
  if (!same && !mutant("delete-under-another-schema")) {
    throw_error(ErrorCode::conflict, "the schema of {} changed meanwhile; delete again",
                quoted(ending.name));
  }
  return *std::move(entry);
}

// The parts of the runs from `at` on, all of one begin, that are still shown.
void keep_shown(const VisibleRows& visible, std::span<const MarkRun> runs,
                std::vector<MarkRun>& out) {
  if (visible.kind == VisibleRows::Kind::none) return;
  if (visible.kind == VisibleRows::Kind::all) {
    out.insert(out.end(), runs.begin(), runs.end());
    return;
  }
  auto shown = visible.runs.begin();
  for (const MarkRun& run : runs) {
    const std::uint64_t end = run.first + run.count;
    while (shown != visible.runs.end() && shown->first + shown->count <= run.first) ++shown;
    for (auto part = shown; part != visible.runs.end() && part->first < end; ++part) {
      const std::uint64_t first = std::max(part->first, run.first);
      out.push_back({run.begin, first, std::min(end, part->first + part->count) - first, false});
    }
  }
}

// Of runs found at an older state those whose rows this one still shows.
std::vector<MarkRun> still_shown(const std::vector<MarkRun>& runs, DatasetId dataset,
                                 const Snapshot& now) {
  std::vector<MarkRun> out;
  for (auto at = runs.begin(); at != runs.end();) {
    const auto behind = std::ranges::find_if(
        at, runs.end(), [&](const MarkRun& run) { return run.begin != at->begin; });
    keep_shown(now.visible(dataset, at->begin, kSegmentRowsMax), {at, behind}, out);
    at = behind;
  }
  return out;
}

// Bytes that hold rows of commits behind this one.
std::uint64_t bytes_since(const Snapshot& now, DatasetId dataset, CommitNumber base) {
  std::uint64_t bytes = 0;
  for (const TailEntry& entry : now.tail(dataset)) {
    if (entry.begin > base) bytes += entry.bytes->size();
  }
  for (const SegmentEntry& entry : now.segments(dataset)) {
    if (entry.begin_last > base) bytes += entry.ref.bytes;
  }
  return bytes;
}

}  // namespace

Endings::Endings(CommitRequest& request) : request_(request) {}

std::optional<CommitNumber> Endings::base() const noexcept {
  return base_ ? std::optional(base_->commit) : std::nullopt;
}

std::vector<MarkRun>& Endings::marks_of(DatasetId dataset) {
  const auto found = std::ranges::find(request_.datasets, dataset, &DatasetChange::dataset);
  if (found != request_.datasets.end()) return found->marks;
  request_.datasets.emplace_back().dataset = dataset;
  return request_.datasets.back().marks;
}

// Whether the state differs from the base by commits behind it only, of which each row can be asked
// alone.
bool Endings::goes_on(const Ending& ending, const EndingState& now,
                      const Hash256& base_hash) const {
  if (!base_ || !ending.by_row) return false;
  if (base_->commit > now.view.commit || base_->hash != base_hash) return false;
  if (mutant("delete-ignores-lineage")) return true;
  const auto apart = now.view.lineage->difference(ending.dataset, now.view.commit, base_->commit);
  return apart.only_b.empty() &&
         (apart.only_a.empty() || apart.only_a.front().first > base_->commit);
}

void Endings::bring_up(const EndingState& now, const Hash256& base_hash) {
  const bool same = base_ && base_->commit == now.view.commit && base_->hash == now.hash;
  if (same) return;
  for (const Ending& ending : request_.endings) {
    const DatasetEntry entry = dataset_of(ending, now);
    std::vector<MarkRun>& marks = marks_of(ending.dataset);
    if (!goes_on(ending, now, base_hash)) {
      marks = ending.find(now.snapshot, entry, CommitNumber{0});
      continue;
    }
    const bool marked = version_of(now, ending.dataset)->marks->last() > base_->commit;
    if (marked) marks = still_shown(marks, ending.dataset, *now.snapshot);
    const auto since = ending.find(now.snapshot, entry, base_->commit);
    marks.insert(marks.end(), since.begin(), since.end());
  }
  base_ = {now.view.commit, now.hash};
}

bool Endings::little_since(const EndingState& now, const Hash256& base_hash) const {
  return std::ranges::all_of(request_.endings, [&](const Ending& ending) {
    if (!goes_on(ending, now, base_hash)) return false;
    if (value_of(now.view.commit) - value_of(base_->commit) > kJudgedCommitsMax) return false;
    const DatasetVersion* version = version_of(now, ending.dataset);
    const auto change =
        std::ranges::find(request_.datasets, ending.dataset, &DatasetChange::dataset);
    const bool marked = version != nullptr && version->marks->last() > base_->commit;
    if (marked && change->marks.size() > kJudgedRunsMax) return false;
    return bytes_since(*now.snapshot, ending.dataset, base_->commit) <= kJudgedBytesMax;
  });
}

}  // namespace otolith::history
