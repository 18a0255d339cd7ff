// A whole visible state as plain data, and what can be asked of it without any history.
//
// Role:    what brute force copies per commit, and what the model of lineage must arrive at.
// Shapes:  names, labels and keys are small numbers; a row is told by its stamp, a column by its
//          identity: both unique over a whole program, whatever numbers the model gives them.
// Errors:  none.
// Threads: thread-compatible.
// Why:     brute force knows neither commits nor marks nor sets, so it cannot share a mistake with
//          them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace otolith::lineage_model {

using Commit = std::uint64_t;
using Stamp = std::uint64_t;

struct Dataset {
  Commit created = 0;
  int index = 0;
  auto operator<=>(const Dataset&) const = default;
};

// `collection` has unique keys (ids); the others are tables with a duplicates policy over (key,
// time).
enum class Policy { keep, last, first, error, collection };

constexpr int kWidthMax = 4;  // 8, 16, 32, 64 bits

struct Column {
  Stamp identity = 0;
  int id = 0;  // given by the model; brute force leaves it 0
  int label = 0;
  bool required = false;
  int width = 1;
  bool operator==(const Column&) const = default;
};
using Columns = std::vector<Column>;

struct Row {
  int key = 0;
  int time = 0;
  Columns written;  // as they were when the row was written
};

struct Table {
  int name = 0;
  Policy policy = Policy::keep;
  Columns columns;
  std::map<Stamp, Row> rows;
};
using State = std::map<Dataset, Table>;

// How a row finds the value of a column: by what the column is (brute force), by its id (the
// model).
enum class Match { identity, id };

// What a reader gets to see of a table.
struct Seen {
  struct SeenRow {
    int key = 0;
    int time = 0;
    std::vector<Stamp> values;  // per column: the identity it was written under, 0 for null
    bool operator==(const SeenRow&) const = default;
  };
  int name = 0;
  Policy policy = Policy::keep;
  std::vector<Stamp> columns;
  std::map<Stamp, SeenRow> rows;  // all visible ones
  std::vector<Stamp> shown;       // those the policy shows, ascending
  bool operator==(const Seen&) const = default;
};
using SeenState = std::map<Dataset, Seen>;

Seen see(const Table& table, Match match);
SeenState see(const State& state, Match match);

// Of rows that share key and time, those that the policy shows; stamps ascend with (begin,
// ordinal).
std::vector<Stamp> shown(const Table& table);

// Whether a row can be shown under these columns: none lost width, those it lacks may be null.
bool fits(const Columns& written, const Columns& columns, Match match);

// No two rows of one id in a collection, or of one key and time under `error`.
bool is_unique(const Table& table);

// Names are held once, rows are unique where they must be and fit their table.
bool is_valid(const State& state);

}  // namespace otolith::lineage_model
