// What a power loss leaves of a simulated disk.
//
// Role:    one crash state: durable content plus whatever part of the pending changes got through.
//
//          fate of a write:   dropped | size only | cut at a sector | some sectors | whole
//          fate of the rest:  dropped | whole (resizes, and creates, removes and renames of
//          entries)
//
//          Changes that got through apply in the order they were made; any subset may.
//
// Shapes:  pending changes of a whole disk are numbered from 0 in the order they were made.
// Errors:  none.
// Threads: thread-safe: states go in and come out by value.
// Why:     sectors that were not written keep what was durable there; in blocks never written
//          before they are zero or stale, which is what makes checksums and salts necessary.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/disk_state.h"

namespace otolith::io {

/// Which of the pending changes survive.
struct PowerLoss {
  enum class Kind : std::uint8_t {
    nothing,            // only what is durable
    everything,         // as if all had been synced
    entries_only,       // directories applied, data and sizes lost
    entries_and_sizes,  // directories and sizes applied, data lost
    all_but_one,        // everything but change number `left_out`
    random,             // each change a fate drawn from `seed`
  };
  Kind kind = Kind::nothing;
  std::size_t left_out = 0;
  std::uint64_t seed = 0;  // of `random`, and of what fresh blocks show
};

/// What recycled blocks may show: contents of files removed or cut before.
using StalePages = std::vector<WrittenPage>;

/// How many changes of this state are pending.
std::size_t pending_count(const DiskState& state);

/// The disk as found after the restart: nothing is pending on it. Fresh blocks show zeros, garbage,
/// or one of the first `stale_count` pages of `stale`.
DiskState after_power_loss(const DiskState& before, const PowerLoss& loss,
                           const StalePages& stale = {}, std::size_t stale_count = 0);

/// For messages: `all but change 3 of 7`.
std::string describe(const PowerLoss& loss, const DiskState& before);

}  // namespace otolith::io
