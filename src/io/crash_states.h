// Records a run on a simulated disk and rebuilds the disk as a power loss at any moment could leave
// it.
//
// Role:    the core of the tests (docs/testing.md, "Crash states"):
//
//            SimDisk disk;
//            CrashRecorder recorder(disk);
//            ... run the workload on disk.attach(); recorder.mark_acknowledged(n) after its n-th
//            commit ... for_each_crash_state(recorder.finish(), {.seed = seed, .states_max =
//            10'000},
//                                 [&](CrashState& state) {
//              ... open a database on state.disk.attach(): state.acknowledged commits must be there
//              ...
//            });
//
// Shapes:  a point is the moment after one call that changed the disk; each point has several
//          states.
// Errors:  what the callback throws ends the walk, with state.describe() on the log sink.
// Threads: immutable: threads may walk a recording at once with different seeds.
// Why:     state.disk is a SimDisk like any other, so a crash inside recovery is one more recorder
//          on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/power_loss.h"
#include "io/sim_disk.h"

namespace otolith::io {

/// The moment after one call.
struct CrashPoint {
  DiskState state;
  CallNote after;                  // the call that was just made; path empty for the start
  std::uint64_t acknowledged = 0;  // the last mark set before the next call
  std::size_t pending = 0;         // changes that may or may not survive
  std::size_t stale_pages = 0;     // pages of CrashRecording::stale that were free by then
};

/// A run. Immutable.
struct CrashRecording {
  std::vector<CrashPoint> points;
  StalePages stale;
  SimDiskOptions options;
};

/// Records from its construction to finish(); the disk must not be observed by anyone else
/// meanwhile.
class CrashRecorder {
 public:
  explicit CrashRecorder(SimDisk disk);
  ~CrashRecorder();
  CrashRecorder(const CrashRecorder&) = delete;
  CrashRecorder& operator=(const CrashRecorder&) = delete;

  /// From now on (also before the next call is made) `count` commits must survive. Never goes down.
  void mark_acknowledged(std::uint64_t count);
  /// Blocks of this earlier disk may have been recycled: fresh blocks may show its pages. Give it
  /// the same kind of content under other ids, or nothing would notice a missing salt.
  void recycle(const DiskState& earlier);
  CrashRecording finish();

 private:
  struct Running;

  SimDisk disk_;
  std::shared_ptr<Running> running_;
};

/// One disk as a power loss may leave it.
struct CrashState {
  SimDisk disk;
  std::uint64_t acknowledged = 0;  // commits that must be there
  const CrashRecording& recording;
  std::size_t point = 0;  // index into recording.points
  PowerLoss loss;

  /// The moment and what survived, with all that is needed to build it again.
  std::string describe() const;
};

/// Builds one state; for_each_crash_state builds many, and this one again from what describe()
/// tells.
CrashState crash_state(const CrashRecording& recording, std::size_t point, const PowerLoss& loss);

struct CrashBudget {
  std::uint64_t seed = 1;
  std::uint64_t states_max = 10'000;
  std::chrono::nanoseconds time_max = std::chrono::nanoseconds::max();
};

/// What a walk reached, to be printed.
struct CrashCount {
  std::uint64_t states = 0;
  std::uint64_t listed_states =
      0;  // of them, states of the fixed kinds (nothing, all, all but one, …)
  std::uint64_t listed_total =
      0;  // of these there are so many; if fewer were built, the budget ended it
  std::uint64_t points = 0;
};

/// Builds states of the fixed kinds for at most half of the budget, spread over the run if they are
/// more, then random ones. `check` may do what it likes to state.disk.
CrashCount for_each_crash_state(const CrashRecording& recording, const CrashBudget& budget,
                                const std::function<void(CrashState&)>& check);

}  // namespace otolith::io
