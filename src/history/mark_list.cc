#include "history/mark_list.h"

#include <utility>

#include "base/error.h"

namespace otolith::history {

namespace {

[[noreturn]] void refuse() {
  throw_error(ErrorCode::invalid_argument, "marks must be sorted by (begin, first) and disjoint");
}

// What is added to, if it is a part of the last set; nullptr if it is one of its own.
MarkSet* continued(std::vector<MarkSet>& sets, CommitNumber begin, bool revive,
                   std::uint64_t first) {
  if (sets.empty() || sets.back().begin < begin) return nullptr;
  MarkSet& last = sets.back();
  if (last.begin != begin || first < last.rows.end_row()) refuse();
  return last.revive == revive ? &last : nullptr;
}

}  // namespace

bool MarkRun::follows(const MarkRun& before) const noexcept {
  if (begin != before.begin) return begin > before.begin;
  const std::uint64_t end = before.first + before.count;
  return first > end || (first == end && revive != before.revive);
}

MarkList::MarkList(std::initializer_list<MarkRun> runs) {
  for (const MarkRun& run : runs) append(run);
}
MarkList::MarkList(const std::vector<MarkRun>& runs) {
  for (const MarkRun& run : runs) append(run);
}

std::uint64_t MarkList::runs() const noexcept {
  std::uint64_t runs = 0;
  for (const MarkSet& set : sets_) runs += set.rows.ranges();
  return runs;
}

void MarkList::append(const MarkRun& run) {
  if (run.count == 0) return;
  if (run.count > UINT64_MAX - run.first) refuse();
  MarkSet* set = continued(sets_, run.begin, run.revive, run.first);
  if (set == nullptr) set = &sets_.emplace_back(run.begin, run.revive, RowSet{});
  set->rows.append({run.first, run.count});
}

void MarkList::append(MarkSet set) {
  if (set.rows.empty()) return;
  MarkSet* of = continued(sets_, set.begin, set.revive, set.rows.first_row());
  if (of == nullptr)
    sets_.push_back(std::move(set));
  else
    of->rows.append(set.rows);
}

}  // namespace otolith::history
