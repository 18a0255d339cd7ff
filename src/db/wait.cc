// Waiting for commits: looks at the lock page, in pauses that grow from 50 us to 4 ms.
//
// Why:     it needs no descriptor, no thread and no message from the writer, is the same for
//          commits of this process, of others and of file systems that tell of no changes, and an
//          idle wait costs less than a per cent of a core. inotify was refused: a user has 128
//          of them, and a replaced lock file has to be looked for all the same.
#include <algorithm>

#include "base/limits.h"
#include "db/hall.h"

namespace otolith {

std::optional<Commit> Database::wait(const WaitOptions& options) const {
  auto rooms = hall_->rooms();
  const std::uint64_t begin = rooms->environment->monotonic_ns();
  const CommitNumber after = options.after ? *options.after : rooms->history->durable_head();
  std::uint64_t pause = kWaitPollMinNs;
  std::uint64_t told = begin;
  while (true) {
    if (rooms->history->durable_head() > after) {
      return rooms->history->commit_info(CommitNumber{value_of(after) + 1});
    }
    const std::uint64_t now = rooms->environment->monotonic_ns();
    if (options.now_and_then && now - told >= kWaitTellNs) {
      options.now_and_then();
      told = now;
    }
    const std::uint64_t waited = now - begin;
    const std::uint64_t left = options.timeout_ns.value_or(~0ull) - waited;
    if (options.timeout_ns && waited >= *options.timeout_ns) return std::nullopt;
    rooms->environment->sleep_ns(std::min(pause, left));
    pause = std::min(2 * pause, kWaitPollMaxNs);
    rooms = hall_->rooms();  // refuses where the handle was closed meanwhile
  }
}

}  // namespace otolith
