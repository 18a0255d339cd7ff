// Runs a scenario again and again, failing each of its calls in turn with each error, once and for
// good.
//
// Role:    the I/O error sweep of docs/testing.md:
//
//            sweep_faults(prepared_disk, {}, [&](SweepRun& run) {
//              ... workload on run.disk.attach(), catching Error and noting what was acknowledged
//              ... run.faults_end();
//              ... verify: what was acknowledged is there, the rest is whole or absent ...
//            });
//
// Shapes:  first one run without a fault, to count the calls; then one run per point (call, error,
//          once or sticky), each on a copy of the prepared disk.
// Errors:  what the scenario throws ends the sweep, with run.describe() on the log sink.
// Threads: thread-compatible.
// Why:     with one thread and one seed a scenario makes the same calls each time, so that "the
//          k-th call" means the same in every run.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "io/sim_disk.h"

namespace otolith::io {

/// One run of the scenario. Thread-compatible.
class SweepRun {
 public:
  SweepRun(SimDisk disk_in, std::optional<Fault> fault_in)
      : disk(std::move(disk_in)), fault(std::move(fault_in)) {}

  SimDisk disk;
  const std::optional<Fault> fault;  // nullopt in the counting run

  /// Disarms the fault. Calls made after it are neither counted nor failed.
  void faults_end();
  /// The point of this run: `call 17 fails with ENOSPC, sticky`.
  std::string describe() const;

 private:
  friend class Sweep;

  std::optional<FaultSet::Calls> calls_;  // as of faults_end()
};

struct SweepBudget {
  std::uint64_t points_max = UINT64_MAX;  // fewer than there are: spread over the whole scenario
  std::chrono::nanoseconds time_max = std::chrono::nanoseconds::max();
};

/// What a sweep reached, to be printed.
struct SweepCount {
  std::uint64_t points = 0;
  std::uint64_t points_total = 0;
  std::uint64_t fired = 0;  // points whose fault met its call; fewer than points: not repeatable
};

SweepCount sweep_faults(const SimDisk& prepared, const SweepBudget& budget,
                        const std::function<void(SweepRun&)>& scenario);

}  // namespace otolith::io
