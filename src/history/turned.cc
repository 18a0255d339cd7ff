#include "history/turned.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

// Marks on which rows are asked about one by one: some hundred nanoseconds each, once a snapshot.
constexpr std::size_t kAskedMax = 256;
constexpr std::uint64_t kRowsAskedMax = 64;  // of one mark; of more its whole begin is asked about

bool shows(const std::vector<Mark>& marks, CommitNumber begin, const InLineage& in) {
  bool shown = in(begin);
  for (const Mark& mark : marks) {
    if (in(mark.commit)) shown = mark.run.revive;
  }
  return shown;
}

bool row_turned(const Marks& marks, CommitNumber begin, std::uint64_t ordinal,
                const TwoLineages& between) {
  const std::vector<Mark> of_row = marks.of_row(begin, ordinal);
  const bool a = shows(of_row, begin, between.a) || mutant("turned-though-hidden-now");
  const bool b = shows(of_row, begin, between.b) && !mutant("turned-though-shown-before");
  return a && !b;
}

bool any_row_turned(const Marks& marks, const MarkRun& run, const TwoLineages& between) {
  for (std::uint64_t i = 0; i < run.count; ++i)
    if (row_turned(marks, run.begin, run.first + i, between)) return true;
  return false;
}

bool begin_turned(const Marks& marks, CommitNumber begin, const TwoLineages& between) {
  const RowRange all{0, kSegmentRowsMax};
  const RowSet a = marks.visible(begin, all.count, between.a).slice(all);
  const RowSet b = marks.visible(begin, all.count, between.b).slice(all);
  return !without(a, b).empty();
}

// Few rows by their own marks, more of a begin by all of that begin, once; none of a begin that is
// known to have such rows.
std::vector<CommitNumber> turned_of(const std::vector<MarkRun>& runs, const Marks& marks,
                                    const TwoLineages& between) {
  std::set<CommitNumber> turned;
  std::set<CommitNumber> asked;  // as wholes
  for (const MarkRun& run : runs) {
    if (turned.contains(run.begin)) continue;
    const bool here = run.count <= kRowsAskedMax ? any_row_turned(marks, run, between)
                                                 : asked.insert(run.begin).second &&
                                                       begin_turned(marks, run.begin, between);
    if (here) turned.insert(run.begin);
  }
  return {turned.begin(), turned.end()};
}

}  // namespace

// Of a row's events in a lineage the latest decides: what b hides a shows only if a begin or a
// revive is in a alone, or an end in b alone.
Turned::Turned(std::shared_ptr<const Marks> marks, const TwoLineages& between)
    : marks_(std::move(marks)), only_a_(between.only_a), only_b_(between.only_b) {
  auto runs = marks_->bounds_by(only_a_, true, kAskedMax);
  auto ended = marks_->bounds_by(only_b_, false, kAskedMax);
  if (!runs || !ended) return;
  if (mutant("past-without-revives")) runs->clear();
  if (!mutant("past-without-ends")) runs->insert(runs->end(), ended->begin(), ended->end());
  judged_ = turned_of(*runs, *marks_, between);
}

bool Turned::any(CommitRun begins) const {
  if (!intersection(only_a_, {begins}).empty() && !mutant("past-without-begins")) return true;
  if (judged_) {
    const auto at = std::ranges::lower_bound(*judged_, begins.first);
    return at != judged_->end() && *at <= begins.last;
  }
  if (mutant("turned-if-many-unasked")) return false;
  return marks_->any_by(only_a_, begins, true) || marks_->any_by(only_b_, begins, false);
}

}  // namespace otolith::history
