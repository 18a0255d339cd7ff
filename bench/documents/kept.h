// Documents under their ids in LMDB, the peer of row 13.
//
// Role:    what documents_bench asks beside a collection.
// Shapes:  the same ids and bodies; written in one transaction, not synced: what is measured reads.
// Errors:  std::runtime_error.
// Threads: thread-compatible.
// Why:     LMDB's library is of apt (liblmdb-dev), and asked by `./dev bench` alone: without it the
//          side says that it is absent.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace otolith::bench {

class Kept {
 public:
  virtual ~Kept() = default;
  virtual void put(std::string_view id, std::string_view body) = 0;
  /// Ends the writing transaction.
  virtual void written() = 0;
  /// Lets the reading transaction see what is newest, as a handle that is asked anew does.
  virtual void renew() = 0;
  /// A body where it lies.
  virtual std::string_view find(std::string_view id) = 0;
};

/// nullptr where it was built without LMDB.
std::unique_ptr<Kept> lmdb(const std::string& folder);

}  // namespace otolith::bench
