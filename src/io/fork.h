// What happens to open files when the process forks.
//
// Role:    a lock must die with the process that took it (docs/history.md 1), so a forked child
//          may not keep the description alive: its copies of every writable descriptor are closed
//          at once.
// Shapes:  a generation counts the forks between the first process and this one.
// Errors:  none; a closed file answers further calls with io ("open the database again").
// Threads: thread-safe.
// Why:     one pthread_atfork handler for the whole library; O_CLOEXEC alone covers only exec.
#pragma once

#include <cstdint>
#include <functional>

namespace otolith::io {

/// Goes up in a forked child before fork returns there. A handle remembers it when it opens and,
/// when it differs at a later use, reopens read-only (databases) or refuses (recorders, cursors).
std::uint64_t fork_generation() noexcept;

/// A descriptor that must not live on in a forked child. Not movable: the handler knows its
/// address.
class OwnedDescriptor {
 public:
  enum class InChild : bool { keep, close };

  /// Calls `open` with forks held off, so that no child gets a copy that is not in the list yet. A
  /// negative answer is kept as it is.
  OwnedDescriptor(InChild in_child, const std::function<int()>& open);
  ~OwnedDescriptor();
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;

  int get() const noexcept { return descriptor_; }  // -1 after a fork closed it
  bool closes_in_child() const noexcept { return in_child_ == InChild::close; }

 private:
  friend class ForkHandler;

  int descriptor_ = -1;
  const InChild in_child_;
  OwnedDescriptor* previous_ = nullptr;  // list of those that close, guarded by the handler's mutex
  OwnedDescriptor* next_ = nullptr;
};

}  // namespace otolith::io
