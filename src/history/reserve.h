// Space set aside for the day the disk is full.
//
// Role:    rollback and untag can still append then, and so make room (docs/history.md 2).
// Shapes:  one preallocated file, log/reserve; spent as a whole, refilled before anything else
//          grows.
// Errors:  none of its own: what cannot be had or given back is simply not there.
// Threads: thread-compatible; used under the append lock only.
#pragma once

#include "io/vfs.h"

namespace otolith::history {

class Reserve {
 public:
  Reserve(io::Vfs& vfs, std::uint64_t bytes) : vfs_(vfs), bytes_(bytes) {}

  /// Makes sure that it is there; false if there is no space for it.
  bool refill();
  /// Gives its space back to the disk; false if there was none.
  bool spend();

 private:
  io::Vfs& vfs_;
  const std::uint64_t bytes_;  // 0: no reserve is kept
};

}  // namespace otolith::history
