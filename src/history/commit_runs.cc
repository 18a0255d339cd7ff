#include "history/commit_runs.h"

#include <algorithm>

namespace otolith::history {

namespace {

CommitRun run_of(std::uint64_t first, std::uint64_t last) {
  return {CommitNumber{first}, CommitNumber{last}};
}

}  // namespace

bool contains(const CommitRuns& runs, CommitNumber commit) noexcept {
  const auto behind = std::ranges::upper_bound(runs, commit, {}, &CommitRun::first);
  return behind != runs.begin() && std::prev(behind)->last >= commit;
}

std::uint64_t count(const CommitRuns& runs) noexcept {
  std::uint64_t commits = 0;
  for (const CommitRun& run : runs) commits += value_of(run.last) - value_of(run.first) + 1;
  return commits;
}

CommitRuns intersection(const CommitRuns& a, const CommitRuns& b) {
  CommitRuns both;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    const CommitNumber first = std::max(x->first, y->first);
    const CommitNumber last = std::min(x->last, y->last);
    if (first <= last) both.push_back({first, last});
    if (x->last < y->last) {
      ++x;
    } else {
      ++y;
    }
  }
  return both;
}

void put_runs(ByteWriter& out, const CommitRuns& runs) {
  out.put_varint(runs.size());
  std::uint64_t behind = 0;  // first number that the next run may begin with
  for (const CommitRun& run : runs) {
    out.put_varint(value_of(run.first) - behind);
    out.put_varint(value_of(run.last) - value_of(run.first));
    behind = value_of(run.last) + 1;
  }
}

CommitRuns get_runs(ByteReader& in) {
  CommitRuns runs(in.get_count(2));
  std::uint64_t behind = 0;
  for (CommitRun& run : runs) {
    const std::uint64_t first = behind + in.get_varint();
    const std::uint64_t last = first + in.get_varint();
    // Wrapped around, or beyond what any history can number.
    if (first < behind || last < first || last == ~0ull)
      in.fail("runs of commits are not ascending");
    run = run_of(first, last);
    behind = last + 1;
  }
  return runs;
}

CommitSet::CommitSet(const CommitRuns& runs) {
  for (const CommitRun& run : runs) add(run);
}

void CommitSet::add(CommitRun run) {
  std::uint64_t first = value_of(run.first);
  std::uint64_t last = value_of(run.last);
  auto next = runs_.upper_bound(first);
  if (next != runs_.begin()) {
    const auto before = std::prev(next);
    if (before->second + 1 >= first) {
      first = before->first;
      last = std::max(last, before->second);
      runs_.erase(before);
    }
  }
  while (next != runs_.end() && next->first <= last + 1) {
    last = std::max(last, next->second);
    next = runs_.erase(next);
  }
  runs_.emplace_hint(next, first, last);
}

CommitRuns CommitSet::overlap(CommitRun run) const {
  const std::uint64_t first = value_of(run.first);
  const std::uint64_t last = value_of(run.last);
  CommitRuns pieces;
  auto at = runs_.upper_bound(first);
  if (at != runs_.begin() && std::prev(at)->second >= first) --at;
  for (; at != runs_.end() && at->first <= last; ++at) {
    pieces.push_back(run_of(std::max(first, at->first), std::min(last, at->second)));
  }
  return pieces;
}

CommitRuns CommitSet::remove(CommitRun run) {
  CommitRuns pieces = overlap(run);
  for (const CommitRun& piece : pieces) {
    const auto at = std::prev(runs_.upper_bound(value_of(piece.first)));
    const auto [whole_first, whole_last] = *at;
    runs_.erase(at);
    if (whole_first < value_of(piece.first)) runs_.emplace(whole_first, value_of(piece.first) - 1);
    if (whole_last > value_of(piece.last)) runs_.emplace(value_of(piece.last) + 1, whole_last);
  }
  return pieces;
}

bool CommitSet::contains(CommitNumber commit) const noexcept {
  const auto behind = runs_.upper_bound(value_of(commit));
  return behind != runs_.begin() && std::prev(behind)->second >= value_of(commit);
}

CommitRuns CommitSet::runs() const {
  CommitRuns runs;
  runs.reserve(runs_.size());
  for (const auto& [first, last] : runs_) runs.push_back(run_of(first, last));
  return runs;
}

}  // namespace otolith::history
