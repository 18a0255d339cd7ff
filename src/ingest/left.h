// Datasets that upkeep could not take care of: the others are done, then the first error is told.
//
// Role:    a seal and a join go on where one dataset fails: its codec is not registered here, its
//          segment is damaged.
// Shapes:  the first error, and how many more there were.
// Errors:  raise() throws that first one.
// Threads: thread-compatible.
// Why:     one dataset must not keep all others from being sealed.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "base/ids.h"

namespace otolith::ingest {

/// What keeps one from being done where an allocation failed.
inline Error no_memory() {
  return {ErrorCode::limit, "there is no memory for it; free some and try again"};
}

class Left {
 public:
  /// `what` says of which dataset what was not done.
  void add(std::string_view what, const Error& why) {
    if (++count_ > 1) return;
    first_.emplace(why.code(), fmt::format("{}: {}", what, why.message()), why.where());
  }
  /// Its datasets, for who comes back to them.
  void leave(DatasetId dataset) { datasets_.insert(dataset); }
  bool has(DatasetId dataset) const { return datasets_.contains(dataset); }
  bool any() const noexcept { return count_ != 0; }
  [[noreturn]] void raise() const {
    if (count_ == 1) throw Error(*first_);
    throw Error(first_->code(),
                fmt::format("{} (and {} more like it)", first_->message(), count_ - 1),
                first_->where());
  }

 private:
  std::uint64_t count_ = 0;
  std::optional<Error> first_;
  std::set<DatasetId> datasets_;
};

}  // namespace otolith::ingest
