// Which documents come when they are found in the order of their times.
//
// Role:    between the look at all documents and the reading of each, in Collection::find.
// Shapes:  ids and times of documents in any order -> ids by (time, id), the first `limit` of them.
// Errors:  limit, where they take more memory than they may.
// Threads: thread-compatible.
// Why:     rows of a collection lie by id, and a segment holds documents of all times: nothing but
//          ids and times is kept, and of `limit` documents no more than twice as many.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "otolith/timestamp.h"

namespace otolith::db {

class ByTime {
 public:
  struct Place {
    Timestamp time;
    std::string_view id;
  };
  static bool before(const Place& a, const Place& b, bool reverse);

  struct Bounds {
    std::uint64_t limit = UINT64_MAX;  // documents
    bool reverse = false;              // the latest first
    std::uint64_t bytes_max = UINT64_MAX;
  };
  explicit ByTime(Bounds bounds) : bounds_(bounds) {}

  void add(Timestamp time, std::string_view id);
  /// The ids in order; nothing is left.
  std::deque<std::string> take();

 private:
  struct Kept {
    Timestamp time;
    std::string id;
  };

  void cut();

  const Bounds bounds_;
  std::vector<Kept> kept_;
  std::uint64_t bytes_ = 0;
};

}  // namespace otolith::db
