// A value that many states share until one of them changes it.
//
// Role:    the simulated disk's files and directories; a crash state costs only what it changes.
// Shapes:  one T.
// Errors:  std::bad_alloc.
// Threads: thread-compatible; states that share a value may be used by different threads as long as
//          one of them (the recording they came from) outlives the others.
// Why:     a million crash states in a minute leave no time for copies.
#pragma once

#include <memory>
#include <utility>

namespace otolith::io {

template <typename T>
class CopyOnWrite {
 public:
  CopyOnWrite() = default;  // holds nothing
  explicit CopyOnWrite(T value) : value_(std::make_shared<T>(std::move(value))) {}

  explicit operator bool() const noexcept { return value_ != nullptr; }
  const T& operator*() const noexcept { return *value_; }
  const T* operator->() const noexcept { return value_.get(); }

  /// The value for changing, copied first if it is shared.
  T& edit() {
    if (value_.use_count() != 1) value_ = std::make_shared<T>(*value_);
    return *value_;
  }
  bool shares_with(const CopyOnWrite& other) const noexcept { return value_ == other.value_; }

 private:
  std::shared_ptr<T> value_;
};

}  // namespace otolith::io
