#include "history/turned.h"

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

// Marks on which rows are asked about one by one: some hundred nanoseconds each, once a snapshot.
constexpr std::size_t kAskedMax = 256;

bool shows(const std::vector<Mark>& marks, CommitNumber begin, const InLineage& in) {
  bool shown = in(begin);
  for (const Mark& mark : marks) {
    if (in(mark.commit)) shown = mark.run.revive;
  }
  return shown;
}

bool row_turned(const Marks& marks, const MarkRun& run, const TwoLineages& between) {
  const std::vector<Mark> of_row = marks.of_row(run.begin, run.first);
  const bool a = shows(of_row, run.begin, between.a) || mutant("turned-though-hidden-now");
  const bool b = shows(of_row, run.begin, between.b) && !mutant("turned-though-shown-before");
  return a && !b;
}

bool begin_turned(const Marks& marks, CommitNumber begin, const TwoLineages& between) {
  const RowRange all{0, kSegmentRowsMax};
  const RowSet a = marks.visible(begin, all.count, between.a).slice(all);
  const RowSet b = marks.visible(begin, all.count, between.b).slice(all);
  return !without(a, b).empty();
}

// One row by its own marks, more of a begin by all of that begin, once.
std::vector<CommitNumber> turned_of(const std::vector<MarkRun>& runs, const Marks& marks,
                                    const TwoLineages& between) {
  std::map<CommitNumber, bool> whole;
  std::vector<CommitNumber> out;
  for (const MarkRun& run : runs) {
    bool turned = false;
    if (run.count == 1) {
      turned = row_turned(marks, run, between);
    } else {
      const auto [asked, fresh] = whole.try_emplace(run.begin, false);
      if (fresh) asked->second = begin_turned(marks, run.begin, between);
      turned = asked->second;
    }
    if (turned) out.push_back(run.begin);
  }
  std::ranges::sort(out);
  return out;
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
