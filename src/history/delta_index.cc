#include "history/delta_index.h"

namespace otolith::history {

// The greatest aligned blocks that make up the run: at most two of each size.
template <typename Visit>
void DeltaIndex::each_block(CommitRun run, Visit visit) {
  std::uint64_t at = value_of(run.first);
  const std::uint64_t end = value_of(run.last) + 1;
  while (at < end) {
    const int fits = 63 - std::countl_zero(end - at);
    const int level = at == 0 ? fits : std::min(fits, std::countr_zero(at));
    visit(level, at >> level);
    at += 1ull << level;
  }
}

void DeltaIndex::add(CommitRun run, Entry entry) {
  each_block(run, [&](int level, std::uint64_t block) {
    blocks_[key(level, block)].push_back(entry);
    levels_ |= 1ull << level;
  });
}

void DeltaIndex::pop(CommitRun run) {
  each_block(run, [&](int level, std::uint64_t block) {
    const auto at = blocks_.find(key(level, block));
    at->second.pop_back();
    if (at->second.empty()) blocks_.erase(at);
  });
}

}  // namespace otolith::history
