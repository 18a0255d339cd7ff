// Errors to come: which call of a simulated disk fails, how, and how often.
//
// Role:    fault sweeps fail every call of a scenario in turn; tests aim at one.
// Shapes:  calls are counted from 1, from the moment the fault is injected.
// Errors:  none of its own; the faulted call throws what the real disk would.
// Threads: thread-compatible; SimDisk guards it.
// Why:     the k-th call rather than a probability, so that a sweep meets every point exactly once.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "io/operation.h"

namespace otolith::io {

struct Fault {
  std::optional<Operation> operation = std::nullopt;  // nullopt: any call that can fail
  std::uint64_t at = 1;                               // fails the at-th such call from now on
  int error = 5;             // errno: EIO, ENOSPC, EDQUOT, EROFS, EMFILE, …
  bool short_write = false;  // a write first puts a part of its bytes, as the seed says
  bool sticky = false;       // every later such call fails too
};

/// True if a real disk can answer this call with this errno.
bool can_fail_with(Operation operation, int error) noexcept;

class FaultSet {
 public:
  using Calls = std::array<std::uint64_t, kOperationCount>;  // made so far, by operation

  void inject(const Fault& fault) { faults_.push_back({fault, 0}); }
  void clear() { faults_.clear(); }

  /// Counts a call; the fault it meets, if any.
  std::optional<Fault> meet(Operation operation);
  std::uint64_t fired() const noexcept { return fired_; }
  const Calls& calls() const noexcept { return calls_; }

 private:
  struct Armed {
    Fault fault;
    std::uint64_t seen = 0;
  };

  std::vector<Armed> faults_;
  Calls calls_{};
  std::uint64_t fired_ = 0;
};

}  // namespace otolith::io
