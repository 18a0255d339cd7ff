// A commit as users see it: number, hash, time, author, message, and what it changed.
//
// Role:    what every writing verb returns, and what `log` lists.
// Shapes:  numbers from 1; 0 is the empty database. Hash: 32 bytes of BLAKE3 as 64 hex digits.
// Errors:  none.
// Threads: immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "otolith/timestamp.h"

namespace otolith {

/// Place of a commit in the history: 1, 2, 3, …; 0 is the empty database before the first one.
enum class CommitNumber : std::uint64_t {};

/// Rows added and ended in one dataset by one commit.
struct ChangeCount {
  std::uint64_t added = 0;
  std::uint64_t ended = 0;
  bool operator==(const ChangeCount&) const = default;
};

/// One atomic change of any datasets of a database.
struct Commit {
  CommitNumber number{0};
  std::string hash;    // 64 hex digits
  std::string parent;  // hash of the commit before
  Timestamp time;      // never before its parent's
  std::string author;
  std::string message;
  std::string extra;                           // JSON text, empty if none was given
  std::string change_id;                       // 32 hex digits; the same id is applied once
  std::map<std::string, ChangeCount> changes;  // by the dataset's name at this commit
  bool durable = true;
  std::vector<std::string> ids{};  // of documents put, in their order; only from the call that did
};

/// Which commits `log` lists, newest first unless reverse.
struct LogFilter {
  std::optional<std::string> dataset{};
  std::optional<std::string> author{};
  std::optional<Timestamp> since{};  // commit time, included
  std::optional<Timestamp> until{};  // commit time, excluded
  std::optional<std::uint64_t> limit{};
  bool reverse = false;
};

/// What `Database::wait` waits for.
struct WaitOptions {
  std::optional<CommitNumber> after{};        // nullopt: the newest durable commit at the call
  std::optional<std::uint64_t> timeout_ns{};  // nullopt: for ever; 0: looks once
  std::function<void()> now_and_then{};       // every 50 ms or so; may throw to end it
};

}  // namespace otolith
