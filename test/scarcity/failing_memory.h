// Memory that runs out when a test says so: operator new and the contexts of zstd, in this program.
//
// Role:    tests of what happens where an allocation fails; linked into them alone.
// Shapes:  allocations are counted from 1.
// Errors:  std::bad_alloc out of operator new; nullptr out of ZSTD_createCCtx and ZSTD_createDCtx.
// Threads: thread-safe; one object at a time.
// Why:     replaced at link time, so that the code under test has no seam for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace otolith::test {

/// While it stands, one allocation of another thread, or of any, fails: the one with this number.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::uint64_t number, bool of_any_thread = false) noexcept;
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation();
  /// Whether it did.
  bool failed() const noexcept;
};

/// While it stands, no allocation of so many bytes or more succeeds, of any thread.
class SmallMemory {
 public:
  explicit SmallMemory(std::size_t bytes) noexcept;
  SmallMemory(const SmallMemory&) = delete;
  SmallMemory& operator=(const SmallMemory&) = delete;
  ~SmallMemory();
};

/// While it stands, zstd makes no context.
class NoContexts {
 public:
  NoContexts() noexcept;
  NoContexts(const NoContexts&) = delete;
  NoContexts& operator=(const NoContexts&) = delete;
  ~NoContexts();
};

}  // namespace otolith::test
