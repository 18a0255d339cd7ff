// Options of opening a database and of making a commit.
//
// Role:    given once; each has its unit, its default and when to change it.
// Errors:  open refuses values outside the ranges named here with invalid_argument.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "otolith/timestamp.h"

namespace otolith {

/// When a commit returns: after its fsync, or at once (a suffix may be lost; on disk within a
/// second).
enum class Durability : std::uint8_t { durable, relaxed };

/// How to open a database.
struct OpenOptions {
  bool create = true;                           // make it if missing; false: not_found instead
  bool read_only = false;                       // write nothing at all; works on a read-only disk
  Durability durability = Durability::durable;  // of every commit of this handle
  unsigned threads = 0;                         // workers of one call, 1 to 256; 0: one per core
  std::uint64_t memory_bytes = 1ull << 30;  // staged data and caches, 1 MiB or more; bulk: raise
  bool mmap = true;      // false: read with pread; slower, and safe from failing devices
  std::string author{};  // of commits that name none
  std::uint64_t lock_wait_ns = 10'000'000'000;  // how long a commit waits for other writers
};

/// How far long work came: of so many, in the unit that its verb names. Called by the caller's
/// thread; it may throw to stop.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// What a writing verb says about its commit.
struct CommitOptions {
  std::optional<std::string> author{};
  std::string message{};
  std::string extra{};                     // JSON text, kept as it is
  std::optional<std::string> change_id{};  // 32 hex digits; the same id is applied once
  std::optional<Timestamp> time{};  // a stated commit time, not before HEAD's: for imported history
  Progress progress{};  // of rows encoded, before the commit; where it throws nothing is committed
};

}  // namespace otolith
