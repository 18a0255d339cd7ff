#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "test/stateful/machine.h"

namespace otolith::stateful {

namespace {

std::string text_of(const Cell& cell) {
  if (!cell) return "null";
  if (const auto* text = std::get_if<std::string>(&*cell))
    return fmt::format("text of {} bytes", text->size());
  if (const auto* units = std::get_if<Decimal>(&*cell)) return decimal_format(*units, 0);
  if (const auto* number = std::get_if<double>(&*cell)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::int64_t>(&*cell)) return fmt::format("{}", *number);
  return fmt::format("{}", std::get<std::uint64_t>(*cell));
}

std::string text_of(const Row& row) {
  std::string out;
  for (const Cell& cell : row) out += (out.empty() ? "" : ", ") + text_of(cell);
  return out;
}

}  // namespace

void Machine::check_head(Handle& handle) {
  const Commit commit = handle.db->head();
  require(value_of(commit.number) == head(),
          fmt::format("HEAD is {} and not {}", value_of(commit.number), head()));
  require(head() == 0 || commit.hash == committed_.back().hash, "HEAD has another hash");
  std::vector<std::string> names;
  for (const auto& [name, table] : now()) names.push_back(name);
  require(handle.db->datasets() == names, "other tables are there");
  for (const std::string& name : names) check_dataset(*handle.db, name, now().at(name));
}

void Machine::check_old(Handle& handle) {
  const std::uint64_t number = chance_.upto(committed_.size());
  check_commit(handle.db->at(some_reference(number)), number, false);
  require(db::Door::digests(*handle.db, CommitNumber{number}) == committed_[number].digests,
          fmt::format("commit {} has other digests than when it was made", number));
  check_difference(*handle.db);
  check_time(*handle.db);
  check_log(*handle.db);
}

// By time: the newest commit that is not behind it.
void Machine::check_time(const Database& db) {
  Timestamp time = chance_.of(committed_).time;
  time.ns += static_cast<std::int64_t>(chance_.upto(3)) - 1;
  std::uint64_t wanted = 0;
  for (std::uint64_t n = 1; n <= head(); ++n) {
    if (committed_[n].time <= time) wanted = n;
  }
  require(value_of(db.at_time(time).commit().number) == wanted, "a time means another commit");
}

// A filtered log, and what brute force lists.
void Machine::check_log(const Database& db) {
  LogFilter filter;
  if (chance_.one_in(2)) filter.author = chance_.one_in(2) ? "ana" : "bob";
  if (chance_.one_in(2)) filter.since = chance_.of(committed_).time;
  if (chance_.one_in(2)) filter.until = chance_.of(committed_).time;
  if (chance_.one_in(2)) filter.limit = chance_.upto(4);
  filter.reverse = chance_.one_in(2);
  std::vector<std::string> wanted;
  for (std::uint64_t i = 1; i <= head(); ++i) {
    const Committed& one = committed_[filter.reverse ? i : head() + 1 - i];
    if (filter.author && one.author != *filter.author) continue;
    if ((filter.since && one.time < *filter.since) || (filter.until && one.time >= *filter.until))
      continue;
    if (!filter.limit || wanted.size() < *filter.limit) wanted.push_back(one.hash);
  }
  std::vector<std::string> listed;
  for (const Commit& commit : db.log(filter)) listed.push_back(commit.hash);
  require(listed == wanted, "the log lists other commits");
}

void Machine::check_held(const Handle& handle) {
  for (const auto& [snapshot, number] : handle.held) check_commit(snapshot, number, false);
}

// In full: each table.
void Machine::check_commit(const Snapshot& at, std::uint64_t number, bool in_full) {
  const Committed& committed = committed_[number];
  const Commit commit = at.commit();
  require(value_of(commit.number) == number, "a reference means another commit");
  require(number == 0 || commit.hash == committed.hash, "a commit has another hash");
  std::vector<std::string> names;
  for (const auto& [name, table] : committed.state) names.push_back(name);
  require(at.datasets() == names, fmt::format("other tables were there at {}", number));
  if (names.empty()) return;
  if (!in_full) names = {chance_.of(names)};
  for (const std::string& name : names) {
    try {
      check_dataset(at, name, committed.state.at(name));
    } catch (const Differs& differs) {
      differ(fmt::format("{} at {}: {}", name, number, differs.what));
    }
  }
}

void Machine::check_table(const Table& table, const PlainTable& plain) {
  const auto schema = table.schema();
  check_schema(*schema, plain);
  const Rows rows = plain.shown(Order::time);
  require(table.rows() == rows.size(),
          fmt::format("{} rows are counted, not {}", table.rows(), rows.size()));
  const auto range = table.time_range();
  require(range.has_value() == !rows.empty(), "there is no range of times, or one of no rows");
  if (range) {
    require(range->first.ns == rows.front()->time && range->second.ns == rows.back()->time,
            "the range of times is another");
  }
  compare(table, {}, plain, rows);
  check_read(table, plain);
}

void Machine::check_schema(const Schema& schema, const PlainTable& plain) const {
  Schema stored = schema;
  for (Column& column : stored.columns) column.id = 0;
  require(stored == schema_stored(plain.schema()), "the schema is another");
}

// A request of any kind, and what brute force answers.
void Machine::check_read(const Table& table, const PlainTable& plain) {
  const Choice choice = chance_.choice(plain, true);
  ReadRequest request{.start = choice.start,
                      .stop = choice.stop,
                      .keys = choice.filters(plain),
                      .where = choice.where};
  request.order = chance_.one_in(2) ? Order::time : Order::stored;
  request.reverse = chance_.one_in(3);
  if (chance_.one_in(3)) request.limit = chance_.upto(6);
  if (chance_.one_in(3)) {
    std::vector<std::string> names = plain.names();
    names.resize(1 + chance_.upto(names.size()));
    std::ranges::reverse(names);
    request.columns = std::move(names);
  }
  Rows rows = choice.matching(plain, plain.shown(request.order));
  if (request.reverse) std::ranges::reverse(rows);
  if (request.limit && rows.size() > *request.limit) rows.resize(*request.limit);
  compare(table, request, plain, rows);
}

void Machine::compare(const Table& table, const ReadRequest& request, const PlainTable& plain,
                      const Rows& wanted) const {
  const Data data = table.read(request);
  require(data.rows() == wanted.size(),
          fmt::format("{} rows are read, not {}", data.rows(), wanted.size()));
  std::size_t at = 0;
  for (const Batch& batch : data.batches()) {
    for (const Row& row : test::rows_of(batch)) {
      Row expected;
      for (const Column& column : data.schema().columns)
        expected.push_back(plain.cell(*wanted[at], *plain.find(column.name)));
      if (!test::same_row(row, expected)) {
        differ(fmt::format("row {} of {} is ({}) and not ({})", at, wanted.size(), text_of(row),
                           text_of(expected)));
      }
      ++at;
    }
  }
}

void Machine::check_tags(const Database& db) const {
  std::map<std::string, std::uint64_t> told;
  for (const auto& [name, commit] : db.tags()) told[name] = value_of(commit.number);
  require(told == tags_, "other tags are there");
}

// By a handle that has no recorder beside it.
void Machine::check_all(Database& db) {
  for (std::uint64_t number = 0; number <= head(); ++number) {
    check_commit(db.at(CommitNumber{number}), number, true);
    require(db::Door::digests(db, CommitNumber{number}) == committed_[number].digests,
            fmt::format("commit {} has other digests than when it was made", number));
  }
  check_tags(db);
  const std::vector<Commit> log = db.log();
  require(log.size() == head(), "the log has another number of commits");
  for (std::uint64_t i = 0; i < log.size(); ++i)
    require(log[i].hash == committed_[head() - i].hash, "the log has another hash");
  const Status status = db.status();
  require(status.damage.empty() && status.foreign.empty() && (lost_ || status.lost.empty()),
          "status tells of damage, foreign files or lost commits");
  for (const auto& [name, table] : now())
    require(status.datasets.at(name).rows == table.shown(Order::time).size(), "status counts rows");
  const VerifyReport report = db.verify();
  require(report.ok(), report.ok() ? "" : "verify: " + report.problems[0].what);
}

}  // namespace otolith::stateful
