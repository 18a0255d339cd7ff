// The calls of a Vfs, by name: what faults are aimed at and what recordings list.
//
// Role:    one vocabulary for counting, failing and describing calls on a simulated disk.
// Errors:  none.
// Threads: immutable.
// Why:     names are the verbs of error messages, so that a report of a fault reads like the error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace otolith::io {

enum class Operation : std::uint8_t {
  open,
  create,
  read,
  write,
  sync,
  write_back,
  preallocate,
  truncate,
  stat,
  map,
  lock,
  unlock,
  list,
  make_dir,
  sync_dir,
  rename,
  remove,
  remove_dir,
  space_left,
};

inline constexpr std::array<std::string_view, 19> kOperationVerbs = {"open",
                                                                     "create",
                                                                     "read",
                                                                     "write",
                                                                     "sync",
                                                                     "write back",
                                                                     "preallocate",
                                                                     "truncate",
                                                                     "stat",
                                                                     "map",
                                                                     "lock",
                                                                     "unlock",
                                                                     "list",
                                                                     "create directory",
                                                                     "sync directory",
                                                                     "rename",
                                                                     "remove",
                                                                     "remove directory",
                                                                     "measure the space of"};
inline constexpr std::size_t kOperationCount = kOperationVerbs.size();

constexpr std::string_view verb_of(Operation operation) noexcept {
  return kOperationVerbs[static_cast<std::size_t>(operation)];
}

/// One call as it was made, for descriptions: `write log/00000001.log [512, +96)`.
struct CallNote {
  Operation operation = Operation::stat;
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string target;  // of a rename
};

}  // namespace otolith::io
