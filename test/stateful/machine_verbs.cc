#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/ids.h"
#include "test/stateful/machine.h"

namespace otolith::stateful {

namespace {

constexpr std::uint64_t kRequestsMax = 12;  // that are remembered to be repeated

bool same_rows_and_columns(const PlainTable& a, const PlainTable& b) {
  return a.rows == b.rows && same_columns(a, b, true);
}

}  // namespace

// ---- what follows a call

void Machine::perform(Handle& handle, Request request, PlainState next, const Changes& changes) {
  if (std::ranges::any_of(next, [](const auto& of) { return of.second.refuses_duplicates(); })) {
    say(", of rows that are there");
    return must_refuse({ErrorCode::conflict}, "a second row of one key and time",
                       [&] { request.call(*handle.db, request.options); });
  }
  const std::optional<Commit> made = request.call(*handle.db, request.options);
  const std::uint64_t before = head();
  if (made && value_of(made->number) > before) {
    const CommitOptions& asked = request.options;
    require(!asked.time || made->time == *asked.time, "the time is another than was stated");
    require(made->author == asked.author.value_or("ana") && made->message == asked.message &&
                made->extra == asked.extra,
            "author, message or extra are others");
  }
  follow(handle, made ? *made : handle.db->head(), std::move(next), changes);
  if (!request.options.change_id || head() == before) return;
  request.number = head();
  if (requests_.size() == kRequestsMax) requests_.erase(requests_.begin());
  requests_.push_back(std::move(request));
}

void Machine::follow(Handle& handle, const Commit& commit, PlainState next, const Changes& changes,
                     bool though_same) {
  const std::uint64_t number = value_of(commit.number);
  const PlainState& before = now();
  const bool same = std::ranges::equal(next, before, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.id == b.second.id &&
           same_rows_and_columns(a.second, b.second);
  });
  const bool again = though_same && number == head() + 1;  // it shows what HEAD showed
  require(again || number == head() + (same ? 0 : 1),
          fmt::format("commit {} came behind commit {}{}", number, head(),
                      same ? ", and nothing was changed" : ""));
  if (commit.durable) durable_ = std::max(durable_, number);
  if (same && !again) return;
  require(commit.parent == (number == 1 ? std::string(64, '0') : committed_.back().hash),
          "the parent is another");
  for (const auto& [name, count] : changes) {
    const auto found = commit.changes.find(name);
    const ChangeCount told = found == commit.changes.end() ? ChangeCount{} : found->second;
    require(told == count, fmt::format("{}: {} rows added and {} ended are told as {} and {}", name,
                                       count.added, count.ended, told.added, told.ended));
  }
  Digests digests = db::Door::digests(*handle.db, commit.number);
  for (const auto& [name, table] : next) {
    const auto was = before.find(name);
    if (was == before.end() || was->second.id != table.id) continue;
    if (!same_rows_and_columns(was->second, table)) continue;
    require(digests.at(name) == committed_.back().digests.at(name),
            name + " was not touched, and has another digest");
  }
  require(commit.time >= committed_.back().time || number == 1, "time went back");
  committed_.push_back(
      {std::move(next), commit.hash, commit.time, commit.author, std::move(digests)});
}

// ---- rows

Batch Machine::batch(const PlainTable& table, const std::shared_ptr<const Schema>& schema,
                     const Rows& rows) {
  std::vector<Row> values;
  for (const RowPtr& row : rows) values.push_back(table.values(*row));
  const Batch out = test::batch_of(schema, values);
  if (!chance_.one_in(4) || out.columns.size() < 2) return out;
  auto other = std::make_shared<Schema>(*schema);  // the columns in another order
  Batch turned{other, out.rows, out.columns};
  std::ranges::rotate(other->columns, other->columns.begin() + 1);
  std::ranges::rotate(turned.columns, turned.columns.begin() + 1);
  return turned;
}

void Machine::append(Handle& handle) {
  const std::string name = some_table();
  PlainState next = now();
  PlainTable& table = next.at(name);
  Rows rows;
  if (chance_.one_in(40)) rows = chance_.long_rows(table);
  if (rows.empty()) {
    rows = chance_.rows(table, chance_.one_in(8) ? 30 + chance_.upto(150) : chance_.upto(7));
  }
  say(fmt::format(" {} rows to {}", rows.size(), name));
  const Batch sent = batch(table, handle.db->table(name).schema(), rows);
  Request request{.options = some_options()};
  request.tables.emplace(name, table);
  request.call = [name, sent](Database& db, const CommitOptions& options) {
    return db.table(name).append(sent, options);
  };
  table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  table.held_rows = table.held_rows || !rows.empty();
  perform(handle, std::move(request), std::move(next), {{name, {rows.size(), 0}}});
}

void Machine::remove(Handle& handle) {
  const std::string name = some_table();
  PlainState next = now();
  PlainTable& table = next.at(name);
  const Choice choice = chance_.choice(table, true);
  say(" of " + name + choice.text(table));
  Request request{.options = some_options()};
  request.tables.emplace(name, table);
  request.call = [name, asked = choice.delete_request(table)](Database& db,
                                                              const CommitOptions& options) {
    return db.table(name).remove(asked, options);
  };
  const RowPtr last = table.rows.empty() ? nullptr : table.rows.back();
  const std::uint64_t ended = choice.remove_from(table, table.rows);
  if (lie_ == Lie::keeps_a_deleted_row && ended > 1) table.rows.push_back(last);
  perform(handle, std::move(request), std::move(next), {{name, {0, ended}}});
}

// Of any rows those that are within.
Rows Machine::rows_within(const PlainTable& table, const Choice& choice) {
  Rows rows = chance_.rows(table, chance_.upto(12));
  std::erase_if(rows, [&](const RowPtr& row) { return !choice.in_range(table, *row); });
  return rows;
}

void Machine::replace(Handle& handle) {
  const std::string name = some_table();
  PlainState next = now();
  PlainTable& table = next.at(name);
  const Choice choice = chance_.choice(table, false);
  Rows rows = chance_.one_in(5) ? chance_.rows(table, 2) : rows_within(table, choice);
  const bool within =
      std::ranges::all_of(rows, [&](const RowPtr& row) { return choice.in_range(table, *row); });
  say(fmt::format(" of {}{} by {} rows{}", name, choice.text(table), rows.size(),
                  within ? "" : ", some outside"));
  const Batch sent = batch(table, handle.db->table(name).schema(), rows);
  const ReplaceRequest range = choice.replace_request(table);
  Request request{.options = some_options()};
  request.tables.emplace(name, table);
  request.call = [name, sent, range](Database& db, const CommitOptions& options) {
    return db.table(name).replace(range, sent, options);
  };
  if (!within) {
    return must_refuse({ErrorCode::invalid_argument}, "a row outside of what is replaced",
                       [&] { request.call(*handle.db, {}); });
  }
  const std::uint64_t ended = choice.remove_from(table, table.rows);
  table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  table.held_rows = table.held_rows || !rows.empty();
  perform(handle, std::move(request), std::move(next), {{name, {rows.size(), ended}}});
}

// That commit fails and nothing else does. Where its outcome is unknown a sync finds it out.
void Machine::full(Handle& handle) {
  const std::string name = some_table();
  PlainState next = now();
  PlainTable& table = next.at(name);
  Rows rows;
  if (chance_.one_in(2)) rows = chance_.long_rows(table);
  if (rows.empty()) rows = chance_.rows(table, 1 + chance_.upto(30));
  const Batch sent = batch(table, handle.db->table(name).schema(), rows);
  table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  table.held_rows = true;
  if (table.refuses_duplicates()) return;
  const std::uint64_t space = chance_.upto(chance_.one_in(2) ? 2'000 : 30'000);
  say(fmt::format(" disk but for {} bytes: {} rows to {}", space, rows.size(), name));
  disk_.set_space_limit(disk_.bytes_used() + space);
  std::optional<Commit> made;
  const bool failed =
      refused({ErrorCode::no_space}, [&] { made = handle.db->table(name).append(sent); });
  disk_.set_space_limit(0);
  if (failed) {
    ++tally_.full;
    handle.db->sync();
    durable_ = head();
    const Commit newest = handle.db->head();
    if (value_of(newest.number) == head()) return say(", which fails");
    made = newest;
  }
  follow(handle, *made, std::move(next), {{name, {rows.size(), 0}}});
}

// ---- tables

void Machine::create(Handle& handle) {
  const std::string name = chance_.name();
  const PlainTable table = chance_.table(++ids_, numbers_);
  say(" " + name);
  const auto there = now().find(name);
  const bool a_table = there != now().end() && !there->second.documents;
  if (a_table && chance_.one_in(2)) {  // an equal one is taken, another not
    const CreateOptions options{.exist_ok = true};
    (void)handle.db->create_table(name, there->second.schema(), options);
    must_refuse({ErrorCode::conflict}, "another schema",
                [&] { handle.db->create_table(name, table.schema(), options); });
    return follow(handle, handle.db->head(), now(), {});
  }
  Request request{.options = some_options()};
  request.call = [name, table](Database& db,
                               const CommitOptions& options) -> std::optional<Commit> {
    db.create_table(name, table.schema(), {.commit = options});
    return std::nullopt;
  };
  if (there != now().end()) {
    return must_refuse({ErrorCode::conflict}, "a name that is taken",
                       [&] { request.call(*handle.db, {}); });
  }
  PlainState next = now();
  next.emplace(name, table);
  request.tables.emplace(name, table);  // its retry ends with the table of that name
  perform(handle, std::move(request), std::move(next), {});
}

void Machine::alter(Handle& handle) {
  const std::string name = some_table();
  PlainState next = now();
  Alteration made = alteration(chance_, next.at(name), numbers_);
  say(fmt::format(" {}: {} added, {} dropped, {} renamed, {} widened{}", name,
                  made.change.add.size(), made.change.drop.size(), made.change.rename.size(),
                  made.change.widen.size(), made.legal ? "" : ", not legal"));
  Request request{.options = some_options()};
  request.tables.emplace(name, PlainTable{.id = made.after.id});  // whatever its columns are
  request.call = [name, change = made.change](Database& db, const CommitOptions& options) {
    return db.table(name).alter(change, options);
  };
  if (undone_.contains(made.after.id) && !made.change.widen.empty()) return;
  if (!made.legal) {
    return must_refuse({ErrorCode::conflict, ErrorCode::invalid_argument}, "such a change",
                       [&] { request.call(*handle.db, {}); });
  }
  next.at(name) = std::move(made.after);
  perform(handle, std::move(request), std::move(next), {});
}

void Machine::rename(Handle& handle) {
  const std::string name = some_dataset();
  const std::string to = chance_.name();
  say(" " + name + " to " + to);
  Request request{.options = some_options()};
  request.call = [name, to](Database& db, const CommitOptions& options) {
    return db.rename(name, to, options);
  };
  if (to != name && now().contains(to)) {
    return must_refuse({ErrorCode::conflict}, "a name that is taken",
                       [&] { request.call(*handle.db, {}); });
  }
  PlainState next = now();
  const bool documents = now().at(name).documents;
  const auto live = documents ? std::nullopt : std::optional(handle.db->table(name));
  auto node = next.extract(name);
  node.key() = lie_ == Lie::forgets_a_rename ? name : to;
  next.insert(std::move(node));
  perform(handle, std::move(request), std::move(next), {});
  require(!live || live->name() == to, "a live table did not follow its name");
}

void Machine::drop(Handle& handle) {
  const std::string name = some_dataset();
  say(" " + name);
  const bool documents = now().at(name).documents;
  const auto live = documents ? std::nullopt : std::optional(handle.db->table(name));
  Request request{.options = some_options()};
  request.call = [name](Database& db, const CommitOptions& options) {
    return db.drop(name, options);
  };
  PlainState next = now();
  next.erase(name);
  perform(handle, std::move(request), std::move(next), {});
  if (live)
    must_refuse({ErrorCode::not_found}, "a table that is gone", [&] { (void)live->rows(); });
}

// ---- once more

// The same request is the same commit, whatever came since. Where the tables it names are gone or
// were altered it may also be refused, but it is never done twice.
void Machine::retry(Handle& handle) {
  if (requests_.empty()) return;
  const Request& request = chance_.of(requests_);
  const bool as_before = std::ranges::all_of(request.tables, [&](const auto& named) {
    const auto found = now().find(named.first);
    if (found == now().end() || found->second.id != named.second.id) return false;
    return named.second.columns.empty() || same_columns(found->second, named.second, true);
  });
  say(fmt::format(" of commit {}{}", request.number, as_before ? "" : ", its table has changed"));
  std::optional<Commit> got;
  Codes codes;
  if (!as_before) codes = {ErrorCode::not_found, ErrorCode::conflict, ErrorCode::invalid_argument};
  if (!refused(codes, [&] { got = request.call(*handle.db, request.options); })) {
    ++tally_.retried;
    require(!got || value_of(got->number) == request.number, "a retry became another commit");
    require(!got || got->hash == committed_[request.number].hash, "a retry has another hash");
  }
}

void Machine::reuse(Handle& handle) {
  if (requests_.empty()) return;
  const std::string name = some_table();
  const PlainTable& table = now().at(name);
  const Batch sent = batch(table, handle.db->table(name).schema(), chance_.rows(table, 1));
  CommitOptions options;
  options.change_id = chance_.of(requests_).options.change_id;
  options.message = "another request";
  must_refuse({ErrorCode::conflict}, "a change id of another request",
              [&] { handle.db->table(name).append(sent, options); });
}

// ---- names of commits, snapshots, waiting

std::string Machine::some_reference(std::uint64_t number) {
  const std::uint64_t way = chance_.upto(4);
  if (way == 0 || number == 0) return fmt::format("{}", number);
  if (way == 1) return fmt::format("HEAD~{}", head() - number);
  if (way == 2) return "#" + committed_[number].hash.substr(0, 16);
  for (const auto& [name, tagged] : tags_) {
    if (tagged == number) return name;
  }
  return number == head() ? "HEAD" : fmt::format("{}", number);
}

void Machine::tag(Handle& handle) {
  if (head() == 0) return;
  const std::string name = fmt::format("v{}", chance_.upto(5));
  const std::uint64_t number = 1 + chance_.upto(head());
  const std::string reference = some_reference(number);
  if (!tags_.contains(name)) {
    say(" " + name + " at " + reference);
    handle.db->tag(name, reference);
    tags_[name] = number;
    durable_ = head();
  } else if (chance_.one_in(2)) {
    say(" " + name + " taken away");
    handle.db->untag(name);
    tags_.erase(name);
    durable_ = head();
    must_refuse({ErrorCode::not_found}, "a tag that is gone", [&] { handle.db->untag(name); });
  } else {
    must_refuse({ErrorCode::conflict}, "a tag twice", [&] { handle.db->tag(name, reference); });
  }
  check_tags(*handle.db);
}

void Machine::hold(Handle& handle) {
  const std::uint64_t number = chance_.upto(committed_.size());
  handle.held.emplace_back(handle.db->at(some_reference(number)), number);
}

void Machine::wait(Handle& handle) {
  const std::uint64_t after = chance_.upto(committed_.size());
  const auto met = handle.db->wait({.after = CommitNumber{after}, .timeout_ns = 0});
  require(met || after >= durable_, "a durable commit was not met");
  if (!met) return;
  require(value_of(met->number) == after + 1 && met->durable, "another commit was met");
  require(met->hash == committed_[after + 1].hash, "a commit was met that has another hash");
}

void Machine::refuse(Handle& handle) {
  const std::string name = some_table();
  const PlainTable& table = now().at(name);
  const Codes wrong{ErrorCode::invalid_argument};
  const Batch sent = batch(table, handle.db->table(name).schema(), chance_.rows(table, 1));
  must_refuse(wrong, "a delete of nothing", [&] { handle.db->table(name).remove({}); });
  must_refuse(wrong, "an append to the past",
              [&] { handle.db->at("HEAD").table(name).append(sent); });
  must_refuse({ErrorCode::not_found}, "no table", [&] { handle.db->drop("nobody"); });
  Batch fewer = sent;
  auto narrow = std::make_shared<Schema>(*fewer.schema);
  narrow->columns.pop_back();
  fewer.columns.pop_back();
  fewer.schema = narrow;
  must_refuse(wrong, "a column too few", [&] { handle.db->table(name).append(fewer); });
  Database reading = open_database(disk_.attach(), {.read_only = true, .threads = 1});
  must_refuse(wrong, "a write read-only", [&] { reading.table(name).append(sent); });
  check_commit(reading.at("HEAD"), head(), true);
}

}  // namespace otolith::stateful
