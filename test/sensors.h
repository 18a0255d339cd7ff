// One table of sensors for the tests that cross rooms, its rows as text, and folders that clean up.
//
// Role:    tests compare what was read with the text they expect.
// Shapes:  time, key column `sensor` (string), `value` (float64), `count` (int32); the last two
//          nullable.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <string>

#include "otolith/otolith.h"
#include "test/rows.h"

namespace otolith::test {

inline constexpr auto kNull = std::nullopt;

Schema sensors();

/// One line a row, cells parted by a space, "-" for null.
std::string text_of(const Data& data);
std::string text_of(const Batch& batch);

/// A fresh folder that goes with this object.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace otolith::test
