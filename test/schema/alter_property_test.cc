// Random programs of append, alter, drop, rename and create against plain rows: every old commit
// is read again, behind seals and after reopening.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

// A column as the oracle knows it: its rows hold a cell under its number, or none.
struct PlainColumn {
  int number = 0;
  std::string name;
  Type type;
};
struct PlainRow {
  std::int64_t time = 0;
  std::map<int, Cell> cells;
};
struct PlainTable {
  std::vector<PlainColumn> columns;  // the first is the time, the second the key
  std::vector<PlainRow> rows;
  std::string time() const { return columns[0].name; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const PlainColumn& column : columns) out.push_back(column.name);
    return out;
  }
};
using PlainState = std::map<std::string, PlainTable>;

constexpr TypeKind kNumbers[] = {TypeKind::int8,    TypeKind::int16,  TypeKind::int32,
                                 TypeKind::int64,   TypeKind::uint8,  TypeKind::uint16,
                                 TypeKind::uint32,  TypeKind::uint64, TypeKind::float32,
                                 TypeKind::float64, TypeKind::decimal};

bool is_signed_integer(Type type) {
  return type.kind >= TypeKind::int8 && type.kind <= TypeKind::int64;
}
bool is_unsigned_integer(Type type) {
  return type.kind >= TypeKind::uint8 && type.kind <= TypeKind::uint64;
}
bool is_float(Type type) {
  return type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
}

// What may become what, said once more in other words than the code's.
bool may_widen(Type from, Type to) {
  if (from == to) return true;
  const auto bits = [](Type type) { return type_width(type) * 8; };
  if (is_signed_integer(from)) return is_signed_integer(to) && bits(from) < bits(to);
  if (is_unsigned_integer(from))
    return (is_signed_integer(to) || is_unsigned_integer(to)) && bits(from) < bits(to);
  if (from.kind == TypeKind::float32) return to.kind == TypeKind::float64;
  return from.kind == TypeKind::decimal && to.kind == TypeKind::decimal && from.scale == to.scale &&
         from.precision < to.precision;
}

// The same number as a value of its column's present type.
Cell as_type(const Cell& cell, Type type) {
  if (cell && is_signed_integer(type) && std::holds_alternative<std::uint64_t>(*cell))
    return Value(static_cast<std::int64_t>(std::get<std::uint64_t>(*cell)));
  return cell;
}

double number_of(const Cell& cell, Type type) {
  if (is_signed_integer(type)) return static_cast<double>(std::get<std::int64_t>(*cell));
  if (is_unsigned_integer(type)) return static_cast<double>(std::get<std::uint64_t>(*cell));
  return std::get<double>(*cell);
}

class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed), seed_(seed) {
    options_.tail_commits_max = 1 + below(random_, 8);
    options_.inline_bytes_max = below(random_, 3) == 0 ? 0 : 1 << 20;
    options_.checkpoint_commits = 1 + below(random_, 20);
    states_.emplace_back();
    open();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      step();
      REQUIRE(states_.size() == value_of(db_->head().number) + 1);
      check(below(random_, states_.size()));
      check(states_.size() - 1);
    }
    open();
    for (std::uint64_t n = 0; n < states_.size(); ++n) check(n);
    const VerifyReport report = db_->verify();
    for (const Problem& problem : report.problems) MESSAGE(problem.what);
    REQUIRE(report.ok());
  }

  std::uint64_t alters = 0;

 private:
  void open() {
    db_.reset();
    db_ = db::Door::open(vfs_, io::simulated_environment(seed_ + opened_++), {}, options_);
  }

  void step() {
    const std::uint64_t dice = below(random_, 20);
    PlainState state = states_.back();
    if (state.empty() || dice == 0) return create(std::move(state));
    auto at = state.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(below(random_, state.size())));
    const std::string name = at->first;
    if (dice == 1) return open();
    if (dice == 2) {
      db_->drop(name);
      state.erase(at);
      states_.push_back(std::move(state));
    } else if (dice == 3) {
      rename(std::move(state), name);
    } else if (dice < 11) {
      alter(std::move(state), name);
    } else {
      append(std::move(state), name);
    }
  }

  std::string some_name() { return std::string(1, static_cast<char>('a' + below(random_, 9))); }

  Type random_type() {
    const std::uint64_t dice = below(random_, 8);
    if (dice == 0) return {TypeKind::string};
    if (dice == 1) return {TypeKind::boolean};
    const TypeKind kind = kNumbers[below(random_, std::size(kNumbers))];
    if (kind != TypeKind::decimal) return {kind};
    return {kind, static_cast<std::uint8_t>(2 + below(random_, 37)), 2};
  }

  void create(PlainState state) {
    const std::string name = some_name();
    PlainTable table;
    table.columns = {{numbers_++, "time", {TypeKind::timestamp}},
                     {numbers_++, "key", {TypeKind::string}}};
    if (below(random_, 2) == 0) table.columns[1].type = {TypeKind::int8};
    if (below(random_, 2) == 0) table.columns.push_back({numbers_++, "x", random_type()});
    Schema schema;
    for (const PlainColumn& column : table.columns)
      schema.columns.push_back({.name = column.name, .type = column.type});
    schema.keys = {"key"};
    schema.partition = below(random_, 2) == 0 ? Partition::none : Partition::day;
    static constexpr const char* kCodecs[] = {"hot", "small", "raw"};
    schema.codec = kCodecs[below(random_, 3)];
    expect(!state.contains(name), [&] { db_->create_table(name, schema); });
    if (state.contains(name)) return;
    state.emplace(name, std::move(table));
    states_.push_back(std::move(state));
  }

  void rename(PlainState state, const std::string& name) {
    const std::string to = some_name();
    expect(to == name || !state.contains(to), [&] { db_->rename(name, to); });
    if (state.contains(to)) return;
    auto node = state.extract(name);
    node.key() = to;
    state.insert(std::move(node));
    states_.push_back(std::move(state));
  }

  void append(PlainState state, const std::string& name) {
    PlainTable& table = state.at(name);
    const Table live = db_->table(name);
    const auto schema = live.schema();
    std::vector<Row> rows;
    for (std::uint64_t i = 0, count = 1 + below(random_, 6); i < count; ++i) {
      PlainRow plain;
      plain.time = static_cast<std::int64_t>(below(random_, 400)) * kDayNs / 100 + clock_++;
      Row row{plain.time};
      for (std::size_t c = 1; c < table.columns.size(); ++c) {
        row.push_back(random_cell(random_, schema->columns[c]));
        plain.cells[table.columns[c].number] = row.back();
      }
      rows.push_back(std::move(row));
      table.rows.push_back(std::move(plain));
    }
    live.append(batch_of(schema, rows));
    states_.push_back(std::move(state));
  }

  // One alter of several parts, legal or not: the oracle says which before it is asked for.
  void alter(PlainState state, const std::string& name) {
    PlainTable& table = state.at(name);
    const PlainTable before = table;
    SchemaChange change;
    bool legal = true;
    std::set<std::string> dropped;
    for (std::size_t c = 0; c < before.columns.size(); ++c) {
      const PlainColumn& column = before.columns[c];
      PlainColumn& now = table.columns[c];
      if (below(random_, c < 2 ? 60 : 8) == 0) {
        change.drop.push_back(column.name);
        dropped.insert(column.name);
        legal = legal && c >= 2;
        continue;
      }
      if (below(random_, 10) == 0) {
        now.name = change.rename[column.name] = some_name();
      }
      if (c != 0 && below(random_, 3) == 0) {
        Type type = random_type();
        for (int again = 0; again < 20 && !may_widen(column.type, type); ++again)
          type = random_type();
        now.type = change.widen[column.name] = type;
        legal = legal && may_widen(column.type, now.type);
      }
    }
    std::erase_if(table.columns, [&](const PlainColumn& column) {
      return std::ranges::any_of(before.columns, [&](const PlainColumn& was) {
        return was.number == column.number && dropped.contains(was.name);
      });
    });
    for (std::uint64_t count = below(random_, 3); count-- > 0;) {
      const PlainColumn added{numbers_++, some_name(), random_type()};
      change.add.push_back({.name = added.name, .type = added.type});
      table.columns.push_back(added);
    }
    std::vector<std::string> names = table.names();
    std::ranges::sort(names);
    legal = legal && std::ranges::adjacent_find(names) == names.end();
    expect(legal, [&] { db_->table(name).alter(change); });
    if (!legal) return;
    ++alters;
    const bool same = std::ranges::equal(
        table.columns, before.columns, [](const PlainColumn& a, const PlainColumn& b) {
          return a.number == b.number && a.name == b.name && a.type == b.type;
        });
    if (!same) states_.push_back(std::move(state));
  }

  template <typename Work>
  static void expect(bool accepted, const Work& work) {
    std::string refusal;
    try {
      work();
    } catch (const Error& error) {
      refusal = error.what();
      REQUIRE((error.code() == ErrorCode::conflict || error.code() == ErrorCode::invalid_argument));
    }
    INFO(refusal);
    REQUIRE(refusal.empty() == accepted);
  }

  // ---- what a commit shows

  void check(std::uint64_t number) {
    CAPTURE(number);
    const PlainState& state = states_[number];
    const Snapshot snapshot = db_->at(CommitNumber{number});
    std::vector<std::string> names;
    for (const auto& [name, table] : state) names.push_back(name);
    REQUIRE(snapshot.datasets() == names);
    for (const auto& [name, table] : state) {
      CAPTURE(name);
      check(snapshot.table(name), table);
    }
  }

  void check(const Table& table, const PlainTable& plain) {
    const auto schema = table.schema();
    REQUIRE(schema->names() == plain.names());
    for (std::size_t c = 0; c < plain.columns.size(); ++c)
      REQUIRE(schema->columns[c].type == plain.columns[c].type);
    REQUIRE(table.rows() == plain.rows.size());
    std::vector<const PlainRow*> rows;
    for (const PlainRow& row : plain.rows) rows.push_back(&row);
    std::ranges::sort(rows, {}, &PlainRow::time);
    const auto range = table.time_range();
    REQUIRE(range.has_value() == !rows.empty());
    if (range)
      REQUIRE(*range == std::pair{Timestamp{rows.front()->time}, Timestamp{rows.back()->time}});
    ReadRequest request;
    compare(table, request, plain, rows);
    const std::size_t asked = below(random_, plain.columns.size());
    const PlainColumn& column = plain.columns[asked];
    if (asked != 0 && (is_signed_integer(column.type) || is_unsigned_integer(column.type) ||
                       is_float(column.type))) {
      const double constant = static_cast<double>(below(random_, 100));
      request.where = col(column.name) > constant;
      std::erase_if(rows, [&](const PlainRow* row) {
        const Cell cell = cell_of_plain(*row, column);
        return !cell || !(number_of(cell, column.type) > constant);
      });
    } else if (asked != 0) {
      request.where = col(column.name).is_null();
      std::erase_if(rows, [&](const PlainRow* row) { return cell_of_plain(*row, column); });
    }
    if (below(random_, 2) == 0) ask_keys(request, plain.columns[1], rows);
    request.reverse = below(random_, 2) == 0;
    if (request.reverse) std::ranges::reverse(rows);
    if (below(random_, 2) == 0) {
      request.limit = below(random_, 6);
      if (rows.size() > *request.limit) rows.resize(*request.limit);
    }
    compare(table, request, plain, rows);
  }

  // The key of some row, and one that perhaps none has.
  void ask_keys(ReadRequest& request, const PlainColumn& key, std::vector<const PlainRow*>& rows) {
    std::vector<KeyValue> values;
    if (!rows.empty()) {
      const Cell cell = cell_of_plain(*rows[below(random_, rows.size())], key);
      if (const auto* text = std::get_if<std::string>(&*cell))
        values.emplace_back(*text);
      else
        values.emplace_back(std::get<std::int64_t>(*cell));
    }
    if (key.type.kind == TypeKind::string)
      values.emplace_back(std::string("JFK"));
    else
      values.emplace_back(static_cast<std::int64_t>(below(random_, 400)) - 50);
    request.keys = {{key.name, values}};
    std::erase_if(rows, [&](const PlainRow* row) {
      const Cell cell = cell_of_plain(*row, key);
      return std::ranges::none_of(values, [&](const KeyValue& value) {
        if (const auto* text = std::get_if<std::string>(&value)) return *cell == Value(*text);
        return *cell == Value(std::get<std::int64_t>(value));
      });
    });
  }

  static Cell cell_of_plain(const PlainRow& row, const PlainColumn& column) {
    const auto found = row.cells.find(column.number);
    return found == row.cells.end() ? std::nullopt : as_type(found->second, column.type);
  }

  static void compare(const Table& table, const ReadRequest& request, const PlainTable& plain,
                      const std::vector<const PlainRow*>& wanted) {
    std::vector<Row> expected;
    for (const PlainRow* row : wanted) {
      expected.push_back({row->time});
      for (std::size_t c = 1; c < plain.columns.size(); ++c)
        expected.back().push_back(cell_of_plain(*row, plain.columns[c]));
    }
    std::vector<Row> read;
    for (const Batch& batch : table.read(request).batches()) {
      for (Row& row : rows_of(batch)) read.push_back(std::move(row));
    }
    REQUIRE(same_rows(read, expected));
  }

  static constexpr std::int64_t kDayNs = 86'400'000'000'000;

  Random random_;
  std::uint64_t seed_;
  std::uint64_t opened_ = 0;
  history::HistoryOptions options_;
  io::SimDisk disk_;
  std::shared_ptr<io::Vfs> vfs_ = disk_.attach();
  std::optional<Database> db_;
  std::vector<PlainState> states_;  // by commit
  int numbers_ = 0;
  std::int64_t clock_ = 0;  // no two rows have one time
};

}  // namespace

TEST_CASE("alter: random programs show what plain rows show, at every commit") {
  const Budget budget;
  std::uint64_t programs = 0;
  std::uint64_t alters = 0;
  for (std::uint64_t first = seed(); programs < 20 || budget.left(); ++programs) {
    CAPTURE(first + programs);
    Program program(first + programs);
    program.run(40);
    alters += program.alters;
  }
  MESSAGE(programs << " programs with " << alters << " alters from seed " << seed());
}

}  // namespace otolith::test
