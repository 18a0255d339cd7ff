// A disk in memory that several simulated processes use and that can lose power, fill up and fail.
//
// Role:    the second Vfs: crash states, fault sweeps and tests of several processes run on it;
//          without faults it is the disk of `:memory:` databases.
// Shapes:  paths as io/path.h; sectors of 512 bytes, pages of 4,096.
// Errors:  as vfs.h, and with the same messages as the real disk (io/os_error.h). Calls of a killed
//          process throw io.
// Threads: thread-safe: one mutex. All that is random comes from the seed, so a run with one thread
//          repeats.
// Why:     kernel rules, not ours, are modelled here: a sync after a failed sync succeeds and lies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/disk_state.h"
#include "io/faults.h"
#include "io/vfs.h"

namespace otolith::io {

struct SimDiskOptions {
  std::uint64_t seed = 1;         // decides torn writes and what failed syncs leave in the cache
  std::uint64_t space_bytes = 0;  // limit as of a full disk; 0: none
  bool tracked = true;            // false: no power loss, half the memory (`:memory:`)
  std::string shown = "memory:";  // how messages name the root
};

struct AttachOptions {
  bool read_only = false;
};

/// A handle: copies are one disk; the disk lives as long as a handle, a Vfs or a File of it does.
class SimDisk {
 public:
  explicit SimDisk(const SimDiskOptions& options = {});
  SimDisk(DiskState state, SimDiskOptions options);

  /// A new process's view of this disk. Its locks exclude those of other processes.
  std::unique_ptr<Vfs> attach(AttachOptions options = {});

  /// As kill -9: the process's locks go, what it wrote stays in the page cache, its later calls
  /// throw.
  void kill(const Vfs& process);
  /// Kills all processes and leaves what `after_power_loss` makes of the disk (power_loss.h).
  void lose_power(const std::function<DiskState(const DiskState&)>& after_power_loss);

  /// Another disk with the same state and no processes, locks or faults.
  SimDisk copy() const;
  DiskState state() const;
  SimDiskOptions options() const;
  void set_space_limit(std::uint64_t bytes);  // 0: none
  std::uint64_t bytes_used() const;

  /// Arms a fault (io/faults.h). Several may be armed.
  void inject(const Fault& fault);
  void clear_faults();
  std::uint64_t faults_fired() const;
  FaultSet::Calls calls() const;  // made so far, by all processes

  /// Called under the disk's mutex after every call that changed the disk or what is durable on it,
  /// also by a call that failed half way. One at a time; nullptr ends it.
  using Observer = std::function<void(const CallNote&, const DiskState&)>;
  void observe(Observer observer);

  class Core;  // of sim_disk.cc and its test machinery
  struct Shared;

 private:
  explicit SimDisk(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

/// A disk for `:memory:` databases: no crash model.
std::unique_ptr<Vfs> memory_vfs();

}  // namespace otolith::io
