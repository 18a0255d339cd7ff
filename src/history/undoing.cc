#include "history/undoing.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/mutant.h"

namespace otolith::history {

namespace {

// Rows of one begin that a commit has an event for.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  CommitNumber commit{0};
};

constexpr std::uint64_t kAllRows = std::numeric_limits<std::uint64_t>::max();

Span span_of(const Mark& mark) {
  return {mark.run.first, mark.run.first + mark.run.count, mark.commit};
}

CommitRuns joined(const CommitRuns& a, const CommitRuns& b) {
  CommitSet both(a);
  for (const CommitRun& run : b) both.add(run);
  return both.runs();
}

// Hands over pairs of spans that overlap: for each of `b` the span of `a` that reaches furthest.
template <typename Sink>
void each_overlap(std::vector<Span>& a, std::vector<Span>& b, Sink sink) {
  std::ranges::sort(a, {}, &Span::first);
  std::ranges::sort(b, {}, &Span::end);
  Span furthest;
  auto next = a.begin();
  for (const Span& span : b) {
    for (; next != a.end() && next->first < span.end; ++next) {
      if (next->end > furthest.end) furthest = *next;
    }
    if (furthest.end > span.first) sink(furthest, span);
  }
}

}  // namespace

UndoingSets undoing_sets(const Lineage& lineage, std::optional<DatasetId> d, CommitNumber m) {
  const bool one_lineage = mutant("revert-by-one-lineage");
  const CommitNumber before{value_of(m) - 1};
  auto [removed, added] = lineage.difference(one_lineage ? std::nullopt : d, m, before);
  auto [since, gone] = lineage.difference(d, lineage.last(), m);
  CommitRuns t = joined(removed, added);
  CommitRuns s = joined(since, gone);
  return {std::move(removed), std::move(added), std::move(since),
          std::move(gone),    std::move(t),     std::move(s)};
}

std::vector<Difference> Undoing::rows_in_both(std::size_t differences_max) const {
  const bool t_is_small = count(sets_.t) <= count(sets_.s);
  const CommitRuns& small = t_is_small ? sets_.t : sets_.s;
  const CommitRuns& large = t_is_small ? sets_.s : sets_.t;
  std::map<CommitNumber, std::vector<Span>> spans;  // by begin
  for (const RowsAdded& added : events_.rows_added(d_, small)) {
    spans[added.begin].push_back({0, added.rows, added.begin});
  }
  const Marks& marks = events_.marks(d_);
  for (const Mark& mark : marks.of_commits(small)) spans[mark.run.begin].push_back(span_of(mark));

  std::vector<Difference> found;
  for (auto& [begin, of_small] : spans) {
    std::vector<Span> of_large;
    if (contains(large, begin) && !mutant("revert-begins-ignored")) {
      of_large.push_back({0, kAllRows, begin});
    }
    for (const Mark& mark : marks.of_begin(begin)) {
      const bool counts = contains(large, mark.commit) && !mutant("revert-marks-ignored");
      if (counts) of_large.push_back(span_of(mark));
    }
    each_overlap(of_small, of_large, [&](const Span& a, const Span& b) {
      if (found.size() == differences_max) return;
      const std::uint64_t first = std::max(a.first, b.first);
      Difference difference;
      difference.kind = Difference::Kind::rows;
      difference.dataset = d_;
      difference.undone = t_is_small ? a.commit : b.commit;
      difference.since = t_is_small ? b.commit : a.commit;
      difference.begin = begin;
      difference.rows = {{first, std::min(a.end, b.end) - first}};
      found.push_back(std::move(difference));
    });
  }
  return found;
}

CommitNumber Undoing::first_use(const CommitRuns& commits) const {
  const auto added = events_.rows_added(d_, commits);
  if (!added.empty()) return added.front().begin;
  const auto marks = events_.marks(d_).of_commits(commits);
  return marks.empty() || mutant("revert-marks-are-no-use") ? CommitNumber{0}
                                                            : marks.front().commit;
}

std::vector<CommitNumber> Undoing::begins(const CommitRuns& added_by,
                                          const CommitRuns& marked_by) const {
  std::set<CommitNumber> begins;
  for (const RowsAdded& added : events_.rows_added(d_, added_by)) begins.insert(added.begin);
  for (const Mark& mark : events_.marks(d_).of_commits(marked_by)) begins.insert(mark.run.begin);
  return {begins.begin(), begins.end()};
}

std::vector<CommitNumber> Undoing::begins_back() const { return begins(sets_.added, sets_.t); }

std::vector<CommitNumber> Undoing::begins_since() const {
  return begins(sets_.since, mutant("revert-since-is-begun-only") ? CommitRuns{} : sets_.s);
}

InLineage Undoing::at(CommitNumber c) const {
  return [this, c](CommitNumber b) { return lineage_.contains(d_, c, b); };
}

RowSet Undoing::without(CommitNumber begin, const InLineage& a, const InLineage& b) const {
  const auto added = events_.rows_added(d_, {{begin, begin}});
  const std::uint64_t rows = added.empty() ? 0 : added.front().rows;
  const Marks& marks = events_.marks(d_);
  return otolith::without(marks.visible(begin, rows, a).slice({0, rows}),
                          marks.visible(begin, rows, b).slice({0, rows}));
}

RowSet Undoing::rows_back(CommitNumber begin) const {
  const InLineage now = at(last_);
  const InLineage after = [&](CommitNumber b) {
    return contains(sets_.added, b) || (!contains(sets_.removed, b) && now(b));
  };
  return without(begin, after, now);
}

RowSet Undoing::rows_since(CommitNumber begin) const { return without(begin, at(last_), at(m_)); }

}  // namespace otolith::history
