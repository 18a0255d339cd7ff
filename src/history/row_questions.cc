#include "history/row_questions.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "history/revert.h"
#include "history/rows_view.h"

namespace otolith::history {

namespace {

constexpr std::size_t kJudgedRunsMax = 1 << 16;  // of marks that are compared again

const DatasetVersion* version_of(const RowState& now, DatasetId dataset) {
  return now.view.catalog->find(dataset);
}

// The dataset as it was asked about; conflict where it is gone or has another schema.
DatasetEntry dataset_of(const Marking& marking, const RowState& now) {
  const DatasetVersion* version = version_of(now, marking.dataset);
  std::optional<DatasetEntry> entry;
  if (version != nullptr) entry = dataset_at(now.view, *version);
  if (!entry) {
    throw_error(ErrorCode::conflict,
                "the dataset {} does not exist any more; look which datasets there are",
                quoted(marking.name));
  }
  const bool same = entry->schema == marking.schema || *entry->schema == *marking.schema;
  if (!same && !mutant("delete-under-another-schema")) {
    throw_error(ErrorCode::conflict, "the schema of {} changed meanwhile; ask again",
                quoted(marking.name));
  }
  return *std::move(entry);
}

// Of rows found at an older state those that this one still shows.
MarkList still_shown(const MarkList& marks, DatasetId dataset, const Snapshot& now) {
  MarkList out;
  for (const MarkSet& set : marks.sets()) {
    const VisibleRows visible = now.visible(dataset, set.begin, kSegmentRowsMax);
    out.append({set.begin, set.revive, visible.among(set.rows)});
  }
  return out;
}

MarkList joined(const MarkSet& end, const MarkSet& revive) {
  std::vector<MarkRun> runs;
  for (const MarkSet* set : {&end, &revive}) {
    for (const RowRange& range : set->rows)
      runs.push_back({set->begin, range.first, range.count, set == &revive});
  }
  std::ranges::sort(runs, {}, &MarkRun::first);
  return MarkList(runs);
}

// Rows to end and rows to revive, each in one set a begin.
MarkList joined(const MarkList& ends, const MarkList& revives) {
  MarkList out;
  auto i = ends.sets().begin();
  auto j = revives.sets().begin();
  while (i != ends.sets().end() || j != revives.sets().end()) {
    const bool end = i != ends.sets().end() && (j == revives.sets().end() || i->begin <= j->begin);
    const bool revive =
        j != revives.sets().end() && (i == ends.sets().end() || j->begin <= i->begin);
    if (end && revive) {
      for (const MarkSet& set : joined(*i, *j).sets()) out.append(set);
    } else {
      const MarkSet& one = end ? *i : *j;
      out.append({one.begin, revive, one.rows});
    }
    if (end) ++i;
    if (revive) ++j;
  }
  return out;
}

[[noreturn]] void throw_unfit(const std::string& name, const std::string& difference,
                              CommitNumber commit) {
  throw Error(ErrorCode::conflict,
              fmt::format("part of {} cannot be rolled back, and nothing was changed: {}; roll "
                          "back the whole dataset",
                          quoted(name), difference),
              ErrorWhere{{}, std::nullopt, {value_of(commit)}})
      .with_differences({difference});
}

// Rows that come back have to be what the present schema takes.
void check_fit(const MarkList& revives, const DatasetEntry& now, const DatasetVersion& version,
               const CatalogView& then) {
  if (revives.empty()) return;
  const auto at = dataset_at(then, version);
  const bool unchecked = now.schema->duplicates == Duplicates::error &&
                         (!at || at->schema->duplicates != Duplicates::error);
  if (unchecked) {
    throw_unfit(now.name,
                fmt::format("as of commit {} its keys were not unique, and now they are",
                            value_of(then.commit)),
                then.commit);
  }
  for (const MarkSet& set : revives.sets()) {
    CatalogView begun = then;
    begun.commit = set.begin;
    const auto written = dataset_at(begun, version);
    if ((written && rows_fit(*written->schema, *now.schema)) || mutant("scope-rows-unfit"))
      continue;
    throw_unfit(now.name,
                fmt::format("rows of {} that commit {} added do not fit the columns it has now",
                            quoted(now.name), value_of(set.begin)),
                set.begin);
  }
}

// Of the rows that differ those that go back.
RowsBack rows_back(const Marking& marking, const DatasetEntry& entry, const RowState& now,
                   RowsApart apart) {
  const auto view = [&](std::vector<RowsOfBegin> rows) {
    return std::make_shared<RowsView>(now.snapshot, entry, std::move(rows));
  };
  if (marking.find_back)
    return marking.find_back(view(apart.removed), view(apart.added), entry, now.time_of);
  const auto found = [&](std::vector<RowsOfBegin> rows) {
    if (rows.empty()) return MarkList();
    return marking.find(view(std::move(rows)), entry, CommitNumber{0});
  };
  return {found(std::move(apart.removed)), found(std::move(apart.added))};
}

// What makes the rows that are found those of an older commit.
MarkList marks_back(const Marking& marking, const DatasetEntry& entry, const RowState& now) {
  const DatasetVersion& version = *version_of(now, marking.dataset);
  CatalogView then = now.view;
  then.commit = *marking.as_at;
  const CommitRuns commits =
      all_of(now.view.lineage->difference(marking.dataset, now.view.commit, then.commit));
  RowsApart apart =
      rows_apart(now.view, then, version, commits, now.begun(commits)[marking.dataset]);
  const RowsBack back = rows_back(marking, entry, now, std::move(apart));
  check_fit(back.revived, entry, version, then);
  return joined(back.ended, back.revived);
}

// Bytes that hold rows of commits behind this one, of these times.
std::uint64_t bytes_since(const Snapshot& now, DatasetId dataset, CommitNumber base,
                          Timestamp first = kTimestampMin, Timestamp last = kTimestampMax) {
  std::uint64_t bytes = 0;
  for (const TailEntry& entry : now.tail_since(dataset, base)) {  // not all of a long tail
    if (entry.time_max >= first && entry.time_min <= last) bytes += entry.bytes->size();
  }
  for (const SegmentEntry& entry : now.segments(dataset)) {
    const bool within = entry.ref.time_max >= first && entry.ref.time_min <= last;
    if (within && entry.begin_last > base) bytes += entry.ref.bytes;
  }
  return bytes;
}

}  // namespace

RowQuestions::RowQuestions(CommitRequest& request) : request_(request) {}

std::optional<CommitNumber> RowQuestions::base() const noexcept {
  return base_ ? std::optional(base_->commit) : std::nullopt;
}

MarkList& RowQuestions::marks_of(DatasetId dataset) {
  const auto found = std::ranges::find(request_.datasets, dataset, &DatasetChange::dataset);
  if (found != request_.datasets.end()) return found->marks;
  request_.datasets.emplace_back().dataset = dataset;
  return request_.datasets.back().marks;
}

// Whether the state differs from the base by commits behind it only.
bool RowQuestions::goes_on(DatasetId dataset, const RowState& now, const Hash256& base_hash) const {
  if (!base_) return false;
  if (base_->commit > now.view.commit || base_->hash != base_hash) return false;
  if (mutant("delete-ignores-lineage")) return true;
  const auto apart = now.view.lineage->difference(dataset, now.view.commit, base_->commit);
  return apart.only_b.empty() &&
         (apart.only_a.empty() || apart.only_a.front().first > base_->commit);
}

bool RowQuestions::goes_on(const Marking& marking, const RowState& now,
                           const Hash256& base_hash) const {
  return marking.by_row && goes_on(marking.dataset, now, base_hash);
}

// Marks since may have revived rows of before.
bool RowQuestions::goes_on(const UniqueRows& rows, const RowState& now,
                           const Hash256& base_hash) const {
  const DatasetVersion* version = version_of(now, rows.dataset);
  return version != nullptr && goes_on(rows.dataset, now, base_hash) &&
         version->marks->last() <= base_->commit;
}

// No event of the dataset since the base: its answers are as they were.
bool RowQuestions::untouched(DatasetId dataset, const RowState& now,
                             const Hash256& base_hash) const {
  if (mutant("scope-of-its-base") && base_) return true;
  const DatasetVersion* version = version_of(now, dataset);
  return version != nullptr && goes_on(dataset, now, base_hash) &&
         version->marks->last() <= base_->commit &&
         bytes_since(*now.snapshot, dataset, base_->commit) == 0;
}

void RowQuestions::bring_up(const RowState& now, const Hash256& base_hash) {
  const bool same = base_ && base_->commit == now.view.commit && base_->hash == now.hash;
  if (same) return;
  for (const Marking& marking : request_.markings) find(marking, now, base_hash);
  for (const UniqueRows& rows : request_.unique) check(rows, now, base_hash);
  if (request_.dependent) make(now, base_hash);
  base_ = {now.view.commit, now.hash};
}

void RowQuestions::find(const Marking& marking, const RowState& now, const Hash256& base_hash) {
  const DatasetEntry entry = dataset_of(marking, now);
  MarkList& marks = marks_of(marking.dataset);
  if (marking.as_at) {
    if (!untouched(marking.dataset, now, base_hash)) marks = marks_back(marking, entry, now);
    return;
  }
  if (!goes_on(marking, now, base_hash)) {
    marks = marking.find(now.snapshot, entry, CommitNumber{0});
    return;
  }
  const bool marked = version_of(now, marking.dataset)->marks->last() > base_->commit;
  if (marked) marks = still_shown(marks, marking.dataset, *now.snapshot);
  for (const MarkSet& set : marking.find(now.snapshot, entry, base_->commit).sets())
    marks.append(set);
}

// A dataset that is gone, or whose columns changed, is told by the decision.
void RowQuestions::check(const UniqueRows& rows, const RowState& now,
                         const Hash256& base_hash) const {
  const auto entry = now.snapshot->find(rows.dataset);
  if (!entry) return;
  const bool since = goes_on(rows, now, base_hash);
  if (since && mutant("unique-at-its-base")) return;
  const auto change = std::ranges::find(request_.datasets, rows.dataset, &DatasetChange::dataset);
  rows.check(now.snapshot, *entry, since ? base_->commit : CommitNumber{0},
             change == request_.datasets.end() ? MarkList() : change->marks);
}

// Whether anything happened to its rows behind the base, as far as is told without reading any.
bool RowQuestions::touched(DatasetId dataset, const RowState& now, const Hash256& base_hash) const {
  const DatasetVersion* version = version_of(now, dataset);
  return version == nullptr || !goes_on(dataset, now, base_hash) ||
         version->marks->last() > base_->commit ||
         bytes_since(*now.snapshot, dataset, base_->commit) != 0;
}

ChangeState RowQuestions::change_state(const RowState& now, const Hash256& base_hash) const {
  return {now.snapshot, now.time_of,
          [this, &now, &base_hash](DatasetId id) { return touched(id, now, base_hash); }};
}

// What another commit did in between may change what a write comes to, or forbid it.
void RowQuestions::make(const RowState& now, const Hash256& base_hash) {
  const ChangeState state = change_state(now, base_hash);
  if (base_ && mutant("documents-of-their-base")) return;
  if (!base_ || !request_.dependent->hold(state)) request_.dependent->make(state, request_);
}

bool RowQuestions::little_since(const Marking& marking, const RowState& now) const {
  const DatasetVersion* version = version_of(now, marking.dataset);
  const auto change =
      std::ranges::find(request_.datasets, marking.dataset, &DatasetChange::dataset);
  const bool marked = version != nullptr && version->marks->last() > base_->commit;
  if (marked && change->marks.runs() > kJudgedRunsMax) return false;
  return bytes_since(*now.snapshot, marking.dataset, base_->commit) <= kJudgedBytesMax;
}

bool RowQuestions::little_since(const RowState& now, const Hash256& base_hash) const {
  if (!base_ || value_of(now.view.commit) - value_of(base_->commit) > kJudgedCommitsMax)
    return false;
  const bool markings = std::ranges::all_of(request_.markings, [&](const Marking& marking) {
    if (marking.as_at) return untouched(marking.dataset, now, base_hash);
    return goes_on(marking, now, base_hash) && little_since(marking, now);
  });
  if (request_.dependent && !request_.dependent->little(change_state(now, base_hash))) return false;
  return markings && std::ranges::all_of(request_.unique, [&](const UniqueRows& rows) {
           return goes_on(rows, now, base_hash) &&
                  bytes_since(*now.snapshot, rows.dataset, base_->commit, rows.time_min,
                              rows.time_max) <= kJudgedBytesMax;
         });
}

}  // namespace otolith::history
