// Tables as plain values: what the stateful model holds databases against.
//
// Role:    the oracle: rows in the order they came, columns by numbers that outlive their names.
// Shapes:  a state per commit; rows are shared among states and never changed.
// Errors:  none.
// Threads: thread-compatible.
// Why:     slow and obvious; nothing of the rooms but the types of include/otolith.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "otolith/otolith.h"
#include "test/rows.h"

namespace otolith::stateful {

using test::Cell;
using test::Row;

struct PlainColumn {
  int number = 0;  // never given twice
  std::string name;
  Type type;
  bool nullable = true;
  std::string codec{};
  std::map<std::string, std::string> metadata{};
  bool operator==(const PlainColumn&) const = default;
};

/// A value per column it was added under; other columns are null.
struct PlainRow {
  std::int64_t time = 0;
  std::map<int, Cell> cells;
};
using RowPtr = std::shared_ptr<const PlainRow>;
using Rows = std::vector<RowPtr>;

struct PlainTable {
  int id = 0;  // never given twice, also not to a name that is free again
  std::vector<PlainColumn> columns{};
  int time = 0;             // numbers of columns
  std::vector<int> keys{};  // in the order of sorting
  Partition partition = Partition::day;
  Duplicates duplicates = Duplicates::keep;
  std::string codec = "hot";
  std::map<std::string, std::string> metadata{};
  Rows rows{};             // in the order they came
  bool held_rows = false;  // also ones that are gone
  bool documents = false;  // a collection: rows are documents, of which an id has one

  const PlainColumn& column(int number) const;
  const PlainColumn* find(const std::string& name) const;
  std::vector<std::string> names() const;
  bool is_key(int number) const;
  /// As create_table is asked for it.
  Schema schema() const;
  /// The value of a column under the type it has by now.
  Cell cell(const PlainRow& row, const PlainColumn& column) const;
  /// All values, in the order of the columns.
  Row values(const PlainRow& row) const;
  /// What reading shows, in this order.
  Rows shown(Order order) const;
  /// Of one time, and of one key each; of documents: of one id.
  bool same_place(const PlainRow& a, const PlainRow& b) const;
  /// Whether it has rows that its policy does not take, or two documents of one id.
  bool refuses_duplicates() const;
};

/// Whether rows staged under one schema fit the other, or with `notes` whether nothing differs.
bool same_columns(const PlainTable& a, const PlainTable& b, bool notes);

/// All tables of one commit, by name.
using PlainState = std::map<std::string, PlainTable>;

/// The name and the table of an id; nullptr where it is gone.
PlainTable* find_id(PlainState& state, int id, std::string* name = nullptr);

/// Which rows to end or to read, in both worlds.
struct Choice {
  std::optional<Timestamp> start;
  std::optional<Timestamp> stop;
  std::map<int, std::vector<Cell>> keys;  // by column; one of the values
  std::optional<Expression> where;

  bool names_all() const { return !start && !stop && keys.empty() && !where; }
  bool in_range(const PlainTable& table, const PlainRow& row) const;
  /// Those of the rows that match.
  Rows matching(const PlainTable& table, const Rows& rows) const;
  /// Takes the matching rows out; how many.
  std::uint64_t remove_from(const PlainTable& table, Rows& rows) const;
  std::vector<KeyFilter> filters(const PlainTable& table) const;
  DeleteRequest delete_request(const PlainTable& table) const;
  ReplaceRequest replace_request(const PlainTable& table) const;
  std::string text(const PlainTable& table) const;
};

}  // namespace otolith::stateful
