// Rollbacks, reverts and differences, against states of plain tables.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "test/stateful/machine.h"

namespace otolith::stateful {

namespace {

const PlainTable* table_of(const PlainState& state, int id, std::string* name = nullptr) {
  return find_id(const_cast<PlainState&>(state), id, name);
}

bool holds(const Rows& rows, const RowPtr& row) {
  return std::ranges::find(rows, row) != rows.end();
}

// Documents that were put again as they had been are the same to who looks.
bool alike(const RowPtr& a, const RowPtr& b) {
  return a == b || (a->time == b->time && a->cells == b->cells);
}

Rows without_alike(const Rows& a, const Rows& b) {
  Rows out;
  for (const RowPtr& row : a) {
    if (std::ranges::none_of(b, [&](const RowPtr& of) { return alike(row, of); }))
      out.push_back(row);
  }
  return out;
}

Rows without(const Rows& a, const Rows& b) {
  Rows out;
  for (const RowPtr& row : a) {
    if (!holds(b, row)) out.push_back(row);
  }
  return out;
}

std::set<int> ids_of(std::initializer_list<const PlainState*> states) {
  std::set<int> out;
  for (const PlainState* state : states) {
    for (const auto& [name, table] : *state) out.insert(table.id);
  }
  return out;
}

// Rows of both that share keys and time, and are not the same. Keys may have been widened.
std::uint64_t changed_rows(const PlainTable& before, const PlainTable& after, const Rows& gone,
                           const Rows& come) {
  if (after.duplicates == Duplicates::keep && !after.documents) return 0;
  const auto same_place = [&](const PlainRow& was, const PlainRow& is) {
    return before.same_place(was, is) || after.same_place(was, is);
  };
  return static_cast<std::uint64_t>(std::ranges::count_if(gone, [&](const RowPtr& was) {
    return std::ranges::any_of(come, [&](const RowPtr& is) { return same_place(*was, *is); });
  }));
}

}  // namespace

// In the order of the commits that added them, and of their places there.
Rows Machine::in_order(int id, Rows rows) const {
  Rows out;
  for (const Committed& commit : committed_) {
    const PlainTable* table = table_of(commit.state, id);
    if (table == nullptr) continue;
    for (const RowPtr& row : table->rows) {
      if (!holds(rows, row)) continue;
      out.push_back(row);
      std::erase(rows, row);
    }
  }
  return out;
}

// A state that comes back: what a table ever held counts on.
PlainState Machine::state_again(PlainState state) {
  for (auto& [name, table] : state) {
    for (const Committed& commit : committed_) {
      const PlainTable* before = table_of(commit.state, table.id);
      table.held_rows = table.held_rows || (before != nullptr && before->held_rows);
    }
    const PlainTable* present = table_of(now(), table.id);
    if (present == nullptr || !same_columns(*present, table, false)) undone_.insert(table.id);
  }
  return state;
}

// Nothing or a commit, also one that shows the same as the one before.
void Machine::undo(Handle& handle, Request request, PlainState next) {
  const bool twice = std::ranges::any_of(
      next, [](const auto& of) { return of.second.documents && of.second.refuses_duplicates(); });
  if (twice) {
    must_refuse({ErrorCode::conflict}, "two documents of one id",
                [&] { request.call(*handle.db, request.options); });
    return;
  }
  const Commit made = *request.call(*handle.db, request.options);
  const std::uint64_t before = head();
  follow(handle, made, state_again(std::move(next)), {}, true);
  if (!request.options.change_id || head() == before) return;
  request.number = head();
  requests_.push_back(std::move(request));
}

void Machine::rollback(Handle& handle) {
  const std::uint64_t to = chance_.upto(head() + 1);
  const PlainState& then = committed_[to].state;
  Request request{.options = some_options()};
  RollbackOptions options;
  PlainState next = then;
  if (!then.empty() && chance_.one_in(2)) {
    auto at = then.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(chance_.upto(then.size())));
    options = {.dataset = at->first, .replace_name = chance_.one_in(2)};
    next = now();
    std::erase_if(next, [&](const auto& of) { return of.second.id == at->second.id; });
    if (next.contains(at->first) && !options.replace_name) {
      say(", whose name is taken");
      return must_refuse({ErrorCode::conflict}, "a name that another table has",
                         [&] { handle.db->rollback(fmt::format("{}", to), options); });
    }
    next.insert_or_assign(at->first, at->second);
  }
  say(fmt::format(" to {}{}", to, options.dataset ? " of " + *options.dataset : ""));
  request.call = [to, options](Database& db, const CommitOptions& commit) {
    return db.rollback(fmt::format("{}", to), options, commit);
  };
  undo(handle, std::move(request), std::move(next));
}

void Machine::rollback_some(Handle& handle) {
  const auto collection = some_collection();
  if (collection && chance_.one_in(2)) return rollback_documents(handle, *collection);
  const std::string name = some_table();
  PlainState next = now();
  PlainTable& table = next.at(name);
  const std::uint64_t to = chance_.upto(head() + 1);
  std::string called;
  const PlainTable* then = table_of(committed_[to].state, table.id, &called);
  Choice choice = chance_.choice(table, false);
  if (then == nullptr || choice.names_all()) return;
  say(fmt::format(" to {} of {}{}", to, name, choice.text(table)));
  const Rows gone = choice.matching(table, table.rows);
  const Rows come = choice.matching(table, then->rows);
  Rows rows = without(table.rows, gone);
  rows.insert(rows.end(), come.begin(), come.end());
  table.rows = in_order(table.id, std::move(rows));
  Request request{.options = some_options()};
  const RollbackOptions options{.dataset = called,
                                .start = choice.start,
                                .stop = choice.stop,
                                .keys = choice.filters(now().at(name))};
  request.call = [to, options](Database& db, const CommitOptions& commit) {
    return db.rollback(fmt::format("{}", to), options, commit);
  };
  Codes codes;  // rows may not fit the present columns
  if (undone_.contains(table.id) || !same_columns(*then, table, false))
    codes = {ErrorCode::conflict};
  if (refused(codes, [&] { undo(handle, std::move(request), std::move(next)); }))
    say(", which does not fit");
}

// What a commit did, taken out of HEAD.
PlainState Machine::reverted(std::uint64_t number, std::optional<int> only) const {
  const PlainState& before = committed_[number - 1].state;
  const PlainState& after = committed_[number].state;
  std::vector<std::pair<std::string, PlainTable>> tables;
  for (const int id : ids_of({&before, &after, &now()})) {
    std::string name;
    std::string old_name;
    std::string new_name;
    const PlainTable* present = table_of(now(), id, &name);
    const PlainTable* old_table = table_of(before, id, &old_name);
    const PlainTable* new_table = table_of(after, id, &new_name);
    const bool about = !only || *only == id;
    if (about && old_table == nullptr && new_table != nullptr) continue;
    if (about && old_table != nullptr && new_table == nullptr) {
      tables.emplace_back(old_name, *old_table);
      continue;
    }
    if (present == nullptr) continue;
    PlainTable table = *present;
    if (about && old_table != nullptr) {
      if (old_name != new_name) name = old_name;
      if (!same_columns(*old_table, *new_table, true)) {
        table = *old_table;
        table.rows = present->rows;
      }
      Rows rows = without(table.rows, without(new_table->rows, old_table->rows));
      const Rows back = without(old_table->rows, new_table->rows);
      rows.insert(rows.end(), back.begin(), back.end());
      table.rows = in_order(id, std::move(rows));
    }
    tables.emplace_back(name, std::move(table));
  }
  return {tables.begin(), tables.end()};
}

void Machine::revert(Handle& handle) {
  if (head() == 0) return;
  const std::uint64_t number = chance_.one_in(2) ? head() : 1 + chance_.upto(head());
  Request request{.options = some_options()};
  RevertOptions options;
  std::optional<int> only;
  if (!now().empty() && chance_.one_in(3)) {
    const std::string name = some_dataset();
    const PlainState& then = committed_[number].state;
    const PlainState& before = committed_[number - 1].state;
    options.dataset = name;
    only = (then.contains(name) ? then : before.contains(name) ? before : now()).at(name).id;
  }
  say(fmt::format(" of {}{}", number, options.dataset ? " in " + *options.dataset : ""));
  request.call = [number, options](Database& db, const CommitOptions& commit) {
    return db.revert(fmt::format("{}", number), options, commit);
  };
  const std::optional<Error> error =
      attempt([&] { undo(handle, std::move(request), reverted(number, only)); });
  if (!error) return;
  say(", against which something stands");
  require(error->code() == ErrorCode::conflict, std::string("refused: ") + error->what());
  require(!error->differences().empty(), "a conflict lists nothing");
  require(number != head() || only, "the newest commit cannot be undone");
}

// Counts of a difference, and what brute force counts.
void Machine::check_difference(const Database& db) {
  const std::uint64_t a = chance_.upto(committed_.size());
  const std::uint64_t b = chance_.upto(committed_.size());
  const Diff diff = db.diff(some_reference(a), some_reference(b));
  const PlainState& from = committed_[a].state;
  const PlainState& to = committed_[b].state;
  for (const int id : ids_of({&from, &to})) {
    std::string name;
    const PlainTable* before = table_of(from, id, &name);
    const PlainTable* after = table_of(to, id, &name);
    const Rows was = before == nullptr ? Rows() : before->shown(Order::time);
    const Rows is = after == nullptr ? Rows() : after->shown(Order::time);
    const bool documents = (before == nullptr ? after : before)->documents;
    const Rows gone = documents ? without_alike(was, is) : without(was, is);
    const Rows come = documents ? without_alike(is, was) : without(is, was);
    const bool both = before != nullptr && after != nullptr;
    const std::uint64_t changed = both ? changed_rows(*before, *after, gone, come) : 0;
    const auto found = std::ranges::find_if(diff.datasets, [&](const DatasetDiff& of) {
      return of.name == name && of.created() == (before == nullptr) &&
             of.dropped() == (after == nullptr);
    });
    const bool there = found != diff.datasets.end();
    const auto told = [&](const DiffRows DatasetDiff::* side) {
      return there ? ((*found).*side).rows : 0;
    };
    require(there || (gone.empty() && come.empty() && both),
            fmt::format("{} does not differ from {} to {}", name, a, b));
    require(
        told(&DatasetDiff::changed_after) == changed &&
            told(&DatasetDiff::added) == come.size() - changed &&
            told(&DatasetDiff::removed) == gone.size() - changed,
        fmt::format("{} differs otherwise from {} to {}: {} added, {} removed, {} changed; told "
                    "are {}, {} and {}",
                    name, a, b, come.size() - changed, gone.size() - changed, changed,
                    told(&DatasetDiff::added), told(&DatasetDiff::removed),
                    told(&DatasetDiff::changed_after)));
  }
}

}  // namespace otolith::stateful
