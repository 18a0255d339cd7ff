#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "test/stateful/machine.h"

namespace otolith::stateful {

// Some operations more; what others commit before the recorder does counts as if it came before.
void Machine::stage(Handle& handle) {
  if (!handle.recording) {
    CommitOptions options = some_options(true);
    handle.recording.emplace(handle.db->recorder(options), std::move(options));
  }
  for (std::uint64_t count = 1 + chance_.upto(4); count > 0; --count)
    stage_one(handle, *handle.recording);
}

void Machine::stage_one(Handle& handle, Recording& recording) {
  std::string name = some_table();
  if (!recording.names.empty() && chance_.one_in(2)) {
    auto at = recording.names.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(chance_.upto(recording.names.size())));
    name = at->first;
  }
  const auto known = recording.names.find(name);
  const PlainTable table =
      known != recording.names.end() ? recording.tables.at(known->second).table : now().at(name);
  require(recording.recorder.schema(name)->names() == table.names(),
          "the recorder sees another schema");
  const auto staged = recording.tables.find(table.id);
  if (staged != recording.tables.end() && !same_columns(staged->second.table, table, true)) {
    say(" " + name + ", altered since under another name");
    return must_refuse({ErrorCode::conflict}, "a table that was altered", [&] {
      recording.recorder.append(
          name, batch(table, handle.db->table(name).schema(), chance_.rows(table, 1)));
    });
  }
  Staged& to = recording.tables.try_emplace(table.id, Staged{table}).first->second;
  const std::uint64_t dice = chance_.upto(10);
  if (dice < 5) {
    stage_rows(recording, name, to);
  } else if (dice < 8) {
    stage_removal(recording, name, to);
  } else {
    stage_replacement(recording, name, to);
  }
  if (chance_.one_in(3)) check_staged(recording, name, to);
}

// A recorder shows HEAD with what it staged, or refuses where its commit would be.
void Machine::check_staged(const Recording& recording, const std::string& name,
                           const Staged& staged) {
  say(", read");
  PlainState state = now();
  const PlainTable* at_head = find_id(state, staged.table.id);
  if (at_head == nullptr || !same_columns(*at_head, staged.table, false)) {
    return must_refuse({ErrorCode::conflict}, "reading a table that changed meanwhile",
                       [&] { (void)recording.recorder.table(name); });
  }
  PlainTable seen = *at_head;
  for (const Choice& choice : staged.removed) choice.remove_from(seen, seen.rows);
  seen.rows.insert(seen.rows.end(), staged.rows.begin(), staged.rows.end());
  if (!seen.refuses_duplicates()) check_table(recording.recorder.table(name), seen);
}

void Machine::stage_rows(Recording& recording, const std::string& name, Staged& staged) {
  Rows rows;
  if (chance_.one_in(12)) rows = chance_.long_rows(staged.table);
  if (!rows.empty() && !staged.is_long) {
    staged.is_long = true;
    ++tally_.spilled;
  }
  if (rows.empty()) rows = chance_.rows(staged.table, 1 + chance_.upto(8));
  say(fmt::format(" {} rows to {}", rows.size(), name));
  const Batch sent = batch(staged.table, recording.recorder.schema(name), rows);
  recording.told.emplace_back([name, sent](Recorder& to) { to.append(name, sent); });
  recording.told.back()(recording.recorder);
  recording.names.emplace(name, staged.table.id);
  staged.rows.insert(staged.rows.end(), rows.begin(), rows.end());
}

// The table with what was staged for it: what is drawn from it meets both.
PlainTable Machine::with_staged(const Staged& staged) {
  PlainTable out = staged.table;
  out.rows.insert(out.rows.end(), staged.rows.begin(), staged.rows.end());
  return out;
}

void Machine::stage_removal(Recording& recording, const std::string& name, Staged& staged) {
  const Choice choice = chance_.choice(with_staged(staged), true);
  say(" a delete of " + name + choice.text(staged.table));
  const auto tell = [name, asked = choice.delete_request(staged.table)](Recorder& to) {
    to.remove(name, asked);
  };
  const Duplicates policy = staged.table.duplicates;
  const bool one_shown = policy == Duplicates::last || policy == Duplicates::first;
  const bool may_refuse =
      choice.where && one_shown;  // where rows were staged, also if none is left
  const Codes codes = may_refuse ? Codes{ErrorCode::invalid_argument} : Codes{};
  if (refused(codes, [&] { tell(recording.recorder); }))
    return say(", which would judge staged rows");
  recording.told.emplace_back(tell);
  recording.names.emplace(name, staged.table.id);
  choice.remove_from(staged.table, staged.rows);
  staged.removed.push_back(choice);
}

void Machine::stage_replacement(Recording& recording, const std::string& name, Staged& staged) {
  const Choice choice = chance_.choice(with_staged(staged), false);
  const Rows rows = rows_within(staged.table, choice);
  say(fmt::format(" {} rows that replace{} of {}", rows.size(), choice.text(staged.table), name));
  const Batch sent = batch(staged.table, recording.recorder.schema(name), rows);
  const auto tell = [name, sent, range = choice.replace_request(staged.table)](Recorder& to) {
    to.replace(name, range, sent);
  };
  tell(recording.recorder);
  recording.told.emplace_back(tell);
  recording.names.emplace(name, staged.table.id);
  choice.remove_from(staged.table, staged.rows);
  staged.removed.push_back(choice);
  staged.rows.insert(staged.rows.end(), rows.begin(), rows.end());
}

void Machine::settle(Handle& handle) {
  if (!handle.recording) return;
  Recording recording = std::move(*handle.recording);
  handle.recording.reset();
  const std::uint64_t dice = chance_.upto(8);
  if (dice > 1) return commit_recording(handle, std::move(recording));
  say(" by giving up");
  if (dice == 0) recording.recorder.discard();
}

// A table that is gone, or has other columns than what was staged for it.
bool Machine::stands_against(const Recording& recording) const {
  PlainState state = now();
  return std::ranges::any_of(recording.tables, [&](const auto& entry) {
    const Staged& staged = entry.second;
    if (staged.rows.empty() && staged.removed.empty()) return false;
    const PlainTable* table = find_id(state, entry.first);
    if (table == nullptr) return true;
    return !same_columns(*table, staged.table, !staged.removed.empty());
  });
}

void Machine::commit_recording(Handle& handle, Recording recording) {
  say(fmt::format(" a commit of {} operations", recording.told.size()));
  if (stands_against(recording)) {
    ++tally_.conflicts;
    const auto commit = [&] { recording.recorder.commit(); };
    must_refuse({ErrorCode::conflict}, "a table that changed meanwhile", commit);
    require(!recording.recorder.open(), "a recorder that failed is open");
    must_refuse({ErrorCode::conflict}, "a commit of a recorder that failed", commit);
    return recording.recorder.discard();
  }
  PlainState next = now();
  Changes changes;
  Request request{.options = recording.options};
  for (auto& [id, staged] : recording.tables) {
    std::string name;
    PlainTable* table = find_id(next, id, &name);
    if (table == nullptr) continue;  // nothing was staged for it
    ChangeCount& count = changes[name];
    for (const Choice& choice : staged.removed)
      count.ended += choice.remove_from(*table, table->rows);
    count.added = staged.rows.size();
    table->rows.insert(table->rows.end(), staged.rows.begin(), staged.rows.end());
    table->held_rows = table->held_rows || !staged.rows.empty();
  }
  for (const auto& [name, id] : recording.names)
    request.tables.emplace(name, recording.tables.at(id).table);
  auto first = std::make_shared<Recorder>(std::move(recording.recorder));
  request.call = [first, told = recording.told](Database& db,
                                                const CommitOptions& options) mutable {
    if (const auto own = std::exchange(first, nullptr)) return std::optional(own->commit());
    Recorder again = db.recorder(options);
    for (const auto& tell : told) tell(again);
    return std::optional(again.commit());
  };
  perform(handle, std::move(request), std::move(next), changes);
}

}  // namespace otolith::stateful
