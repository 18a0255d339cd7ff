// The kernel of the simulated machine: one disk state, and who has which file open and locked.
//
// Role:    what SimDisk's handles, processes and files share; only sim_*.cc and test machinery see
//          it.
// Shapes:  processes and open files are numbered from 1 and never reused.
// Errors:  an errno, 0 for success, as DiskState.
// Threads: thread-compatible; all who are attached share one behind the mutex of SimDisk::Shared,
//          which SimVfs holds during a call.
// Why:     apart from SimVfs, so that the rules of locks, faults and space read without Vfs
//          plumbing.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/mutex.h"
#include "io/aligned_buffer.h"
#include "io/faults.h"
#include "io/sim_disk.h"

namespace otolith::io {

using ProcessId = std::uint64_t;
using OpenFileId = std::uint64_t;

class SimDisk::Core {
 public:
  Core(DiskState state, SimDiskOptions options);

  DiskState& state() noexcept { return state_; }
  const SimDiskOptions& options() const noexcept { return options_; }
  FaultSet& faults() noexcept { return faults_; }
  SeededRandom& random() noexcept { return random_; }

  ProcessId start_process();
  void end_process(ProcessId process);
  bool alive(ProcessId process) const { return processes_.contains(process); }
  void lose_power(DiskState after);

  OpenFileId open_file(ProcessId process, NodeId node);
  void close_file(OpenFileId file);
  /// Call for a file that lost its name: where no power loss may bring it back, it goes with its
  /// last handle.
  void release(NodeId node);
  bool try_lock(OpenFileId file, std::uint64_t byte, bool exclusive);
  void unlock(OpenFileId file, std::uint64_t byte);

  // Writes, as far as the fault and the space let it.
  int write(NodeId node, std::uint64_t offset, BytesView bytes, const Fault* fault);
  int preallocate(NodeId node, std::uint64_t size);
  void set_space_limit(std::uint64_t bytes) { options_.space_bytes = bytes; }
  std::uint64_t bytes_used() const { return state_.bytes_used(open_nodes()); }
  std::uint64_t space_left() const;

  std::shared_ptr<const AlignedBuffer> contiguous(NodeId node);
  void collect_garbage();

  void observe(Observer observer) { observer_ = std::move(observer); }
  void changed(const CallNote& note) {
    if (observer_) observer_(note, state_);
  }

 private:
  struct OpenFile {
    ProcessId process = 0;
    NodeId node = kNoNode;
  };
  struct Holders {
    OpenFileId exclusive = 0;
    std::set<OpenFileId> shared;
  };
  struct Contiguous {
    std::uint64_t version = 0;
    std::weak_ptr<const AlignedBuffer> bytes;
  };

  std::set<NodeId> open_nodes() const;
  void release_locks(OpenFileId file);

  SimDiskOptions options_;
  DiskState state_;
  FaultSet faults_;
  SeededRandom random_;
  Observer observer_;
  std::set<ProcessId> processes_;
  std::uint64_t last_id_ = 0;
  std::map<OpenFileId, OpenFile> open_files_;
  std::map<std::pair<NodeId, std::uint64_t>, Holders> locks_;
  std::unordered_map<NodeId, Contiguous> contiguous_;
  std::size_t nodes_after_collection_ = 0;
};

/// The core with its mutex, for all who are attached.
struct SimDisk::Shared {
  Shared(DiskState state, SimDiskOptions options)
      : shown(options.shown), core(std::move(state), std::move(options)) {}

  const std::string shown;
  Mutex mutex;
  Core core OTO_GUARDED_BY(mutex);
};

}  // namespace otolith::io
