// What commits did, as the acceptance of reverts and rollbacks asks it (revert.h).
//
// Role:    the committer hands one to decide_revert and decide_rollback.
// Shapes:  commits from the index, catalog events and marks from the catalog; staged commits
//          included.
// Errors:  corrupt from the index.
// Threads: thread-compatible; valid while the timeline does not change.
// Why:     one answer for both, whatever of history is in memory, on disk or only staged.
#pragma once

#include <memory>

#include "history/revert.h"
#include "history/timeline.h"

namespace otolith::history {

std::unique_ptr<Events> past_events(Timeline& timeline);

}  // namespace otolith::history
