#include "test/processes/diary.h"

#include <fmt/format.h>

#include <charconv>

#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::int64_t kLongRows = 70;  // of kLongBytes each: beyond a third of the least memory
constexpr std::size_t kLongBytes = 6000;
constexpr std::uint64_t kLookedAtMax = 30;  // newest commits of a writer

}  // namespace

enum class Diary::Verb : std::uint8_t {
  append,
  late,
  remove,
  replace,
  record,
  alter,
  rename,
  tidy
};

Diary::Diary(std::string writer)
    : writer_(std::move(writer)), name_(writer_ + " small"), column_("value") {}

void Diary::begin(Database& db) const {
  db.create_table(name_, sensors());
  db.create_table(writer_ + " long", sensors());
}

CommitOptions Diary::options() const {
  CommitOptions out;
  out.author = writer_;
  out.message = fmt::format("{}", step_);
  return out;
}

Diary::Verb Diary::verb() const {
  using enum Verb;
  static constexpr Verb kVerbs[] = {append, append,  late,   remove, append, replace,
                                    append, record,  alter,  append, rename, append,
                                    tidy,   replace, remove, record};
  return kVerbs[static_cast<std::size_t>(step_ * 7 + step_ / 16) % std::size(kVerbs)];
}

void Diary::go_on(Database* db) {
  ++step_;
  switch (verb()) {
    case Verb::append:
      return append(db, now(), 1 + step_ % 3);
    case Verb::late:
      return append(db, now() - 55, 2);
    case Verb::remove:
      return remove(db);
    case Verb::replace:
      return replace(db);
    case Verb::record:
      return record(db);
    case Verb::alter:
      return alter(db);
    case Verb::rename:
      return rename(db);
    case Verb::tidy:
      if (db != nullptr) db->compact();
  }
}

void Diary::reach(std::int64_t step) {
  while (step_ < step) go_on();
}

Batch Diary::batch(const std::shared_ptr<const Schema>& schema,
                   const std::map<std::int64_t, Entry>& rows) const {
  std::vector<Row> out;
  for (const auto& [time, entry] : rows) {
    Row row{time, entry.sensor, entry.value};
    row.resize(schema->columns.size());
    out.push_back(std::move(row));
  }
  return batch_of(schema, out);
}

void Diary::erase(std::int64_t start, std::int64_t stop) {
  rows_.erase(rows_.lower_bound(start), rows_.lower_bound(stop));
}

// A row a time: what is there already is not written again.
void Diary::append(Database* db, std::int64_t first, std::int64_t count) {
  std::map<std::int64_t, Entry> rows;
  for (std::int64_t time = first; time < first + count; ++time) {
    if (!rows_.contains(time))
      rows[time] = {time % 2 == 0 ? "even" : "odd", static_cast<double>(step_)};
  }
  rows_.insert(rows.begin(), rows.end());
  if (db == nullptr) return;
  const Table table = db->table(name_);
  table.append(batch(table.schema(), rows), options());
}

void Diary::remove(Database* db) {
  const std::int64_t start = now() - 900;
  const std::int64_t stop = now() - 300;
  erase(start, stop);
  if (db == nullptr) return;
  db->table(name_).remove({.start = Timestamp{start}, .stop = Timestamp{stop}}, options());
}

void Diary::replace(Database* db) {
  const std::int64_t start = now() - 100;
  const std::map<std::int64_t, Entry> rows{{now() - 3, {"even", static_cast<double>(step_)}},
                                           {now() - 2, {"odd", static_cast<double>(step_)}}};
  erase(start, now());
  rows_.insert(rows.begin(), rows.end());
  if (db == nullptr) return;
  const Table table = db->table(name_);
  table.replace({.start = Timestamp{start}, .stop = Timestamp{now()}}, batch(table.schema(), rows),
                options());
}

// So many rows that they go into a file before the commit, and some of the other table.
void Diary::record(Database* db) {
  std::map<std::int64_t, Entry> rows;
  rows[now()] = {"odd", static_cast<double>(step_)};
  const std::int64_t start = now() - 250;
  std::erase_if(rows_,
                [&](const auto& row) { return row.first >= start && row.second.sensor == "even"; });
  rows_.insert(rows.begin(), rows.end());
  long_step_ = step_;
  if (db == nullptr) return;
  Recorder recorder = db->recorder(options());
  const std::string other = writer_ + " long";
  std::map<std::int64_t, Entry> many;
  for (std::int64_t i = 0; i < kLongRows; ++i)
    many[i] = {std::string(kLongBytes, 'l'), static_cast<double>(step_)};
  recorder.remove(name_, {.start = Timestamp{start}, .keys = {{"sensor", {"even"}}}});
  recorder.remove(other, {.all = true});
  recorder.append(other, batch(recorder.schema(other), many));
  recorder.append(name_, batch(recorder.schema(name_), rows));
  recorder.commit();
}

void Diary::alter(Database* db) {
  SchemaChange change;
  const std::string to = column_ == "value" ? "worth" : "value";
  change.rename[column_] = to;
  if (extra_) change.drop = {"extra"};
  if (!extra_) change.add = {{.name = "extra", .type = {TypeKind::string}}};
  column_ = to;
  extra_ = !extra_;
  if (db != nullptr) db->table(name_).alter(change, options());
}

void Diary::rename(Database* db) {
  const std::string small = writer_ + " small";
  const std::string from = std::exchange(name_, name_ == small ? writer_ + " other" : small);
  if (db != nullptr) db->rename(from, name_, options());
}

std::string Diary::wrong(const Snapshot& at) const {
  if (!at.contains(name_)) return "no table " + name_;
  const Table table = at.table(name_);
  if (table.schema()->find("extra").has_value() != extra_) return "another schema";
  const Data data = table.read({.columns = {{"time", "sensor", column_}}});
  if (data.rows() != rows_.size())
    return fmt::format("{} rows and not {}", data.rows(), rows_.size());
  auto row = rows_.begin();
  for (std::uint64_t i = 0; i < data.rows(); ++i, ++row) {
    const bool same = data.column(0).value<std::int64_t>(i) == row->first &&
                      data.column(1).text(i) == row->second.sensor &&
                      data.column(2).value<double>(i) == row->second.value;
    if (!same) return fmt::format("row {} is another", i);
  }
  const Data many = at.table(writer_ + " long").read({.columns = {{"value"}}});
  if (many.rows() != (long_step_ == 0 ? 0 : kLongRows)) return "other long rows";
  for (std::uint64_t i = 0; i < many.rows(); ++i) {
    if (many.column(0).value<double>(i) != static_cast<double>(long_step_))
      return "a long row is another";
  }
  return "";
}

std::int64_t step_at(const Database& db, const std::string& writer, CommitNumber number) {
  const std::vector<Commit> newest = db.log({.author = writer, .limit = kLookedAtMax});
  for (const Commit& commit : newest) {
    if (commit.number > number) continue;
    std::int64_t step = 0;
    const std::string& text = commit.message;
    std::from_chars(text.data(), text.data() + text.size(), step);
    return step;
  }
  return newest.size() < kLookedAtMax ? 0 : -1;
}

}  // namespace otolith::test
