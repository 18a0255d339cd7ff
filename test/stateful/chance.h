// What a step asks for: tables, rows, choices and changes of schemas, drawn at random.
//
// Role:    between a step's seed and the call it makes.
// Shapes:  small tables of any types; rows over some hundred times, so that keys and times meet
//          again.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "test/stateful/plain.h"

namespace otolith::stateful {

using test::below;
using test::Random;

/// Duplicates policies that tables are made with.
inline constexpr Duplicates kPolicies[] = {Duplicates::keep, Duplicates::keep, Duplicates::last,
                                           Duplicates::first, Duplicates::error};

/// Draws; numbers of columns and tables are never given twice.
class Chance {
 public:
  explicit Chance(Random& random) : random_(random) {}

  bool one_in(std::uint64_t times) { return below(random_, times) == 0; }
  std::uint64_t upto(std::uint64_t bound) { return below(random_, bound); }
  template <typename List>
  auto& of(List& list) {
    return list[static_cast<std::size_t>(below(random_, std::size(list)))];
  }

  std::string name();
  PlainTable table(int id, int& numbers);
  PlainColumn column(int& numbers);
  /// Rows of a table, some like those it has: late, of the same keys and times, or the same again.
  Rows rows(const PlainTable& table, std::uint64_t count);
  /// Rows that are long: some hundred KiB in all; none where the table has no text.
  Rows long_rows(const PlainTable& table);
  Choice choice(const PlainTable& table, bool conditions);

 private:
  Type any_type();
  Type key_type();
  Cell key_cell(const PlainTable& table, const PlainColumn& column);
  std::int64_t time(const PlainTable& table);
  RowPtr row(const PlainTable& table);

  Random& random_;
};

/// A change of a schema, whether it is legal, and the table behind it.
struct Alteration {
  SchemaChange change;
  bool legal = true;
  PlainTable after;
};
Alteration alteration(Chance chance, const PlainTable& before, int& numbers);

}  // namespace otolith::stateful
