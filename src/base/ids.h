// The numbers and names that identify things, each a type of its own.
//
// Role:    shared vocabulary of every room.
// Shapes:  64-bit numbers; 16-byte random ids; all ordered.
// Errors:  none.
// Threads: immutable.
// Why:     enum classes, so that a record number is never passed where a commit number is meant.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "otolith/commit.h"

namespace otolith {

/// Place of a frame in the log: 1, 2, 3, … over all files; commits, tags and maintenance alike.
enum class RecordNumber : std::uint64_t {};

/// Number of a column within a dataset, never reused, also across rolled-back commits; from 1.
enum class ColumnId : std::uint32_t {};

constexpr std::uint64_t value_of(CommitNumber n) noexcept { return static_cast<std::uint64_t>(n); }
constexpr std::uint64_t value_of(RecordNumber n) noexcept { return static_cast<std::uint64_t>(n); }
constexpr std::uint32_t value_of(ColumnId id) noexcept { return static_cast<std::uint32_t>(id); }
constexpr CommitNumber next(CommitNumber n) noexcept { return CommitNumber{value_of(n) + 1}; }
constexpr RecordNumber next(RecordNumber n) noexcept { return RecordNumber{value_of(n) + 1}; }

/// 16 random bytes: databases, recorders, segments, change ids.
struct Id128 {
  std::array<std::byte, 16> bytes{};
  auto operator<=>(const Id128&) const = default;
  bool is_zero() const noexcept { return *this == Id128{}; }
  std::string text() const;  // 32 hex digits
};

/// Parses 32 lower-case hex digits; false if the text is anything else.
bool id128_parse(std::string_view text, Id128& out) noexcept;

/// A dataset: the commit that created it, and its index among the datasets that commit created.
struct DatasetId {
  CommitNumber created{0};
  std::uint32_t index = 0;
  auto operator<=>(const DatasetId&) const = default;
};

/// A row: the commit that added it, and its logical place in it (docs/history.md 3).
struct RowId {
  CommitNumber begin{0};
  std::uint64_t ordinal = 0;
  auto operator<=>(const RowId&) const = default;
};

}  // namespace otolith

template <>
struct std::hash<otolith::Id128> {
  std::size_t operator()(const otolith::Id128& id) const noexcept {
    return otolith::load_le<std::uint64_t>(id.bytes.data());
  }
};
template <>
struct std::hash<otolith::DatasetId> {
  std::size_t operator()(const otolith::DatasetId& id) const noexcept {
    return (otolith::value_of(id.created) * 0x9e3779b97f4a7c15ull) ^ id.index;
  }
};
