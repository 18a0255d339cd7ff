// Database: rolling back, reverting, and how states differ: two commits, or HEAD and what either
// would make of it.
#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "db/diff_maker.h"
#include "db/hall.h"
#include "db/schema_rules.h"
#include "document/document_id.h"
#include "ingest/document_scope.h"
#include "ingest/removals.h"
#include "otolith/database.h"
#include "otolith/diff.h"

namespace otolith {

namespace {

using history::DatasetEntry;

// ---- which dataset is meant -------------------------------------------------------------------

// By its name at one of these commits, the first that has it, else at HEAD.
DatasetEntry dataset_named(history::History& history, const std::string& name,
                           std::initializer_list<CommitNumber> commits) {
  for (const CommitNumber commit : commits) {
    if (auto entry = history.at(commit)->find(name)) return *std::move(entry);
  }
  const auto head = history.head();
  if (auto entry = head->find(name)) return *std::move(entry);
  db::throw_no_dataset(*head, name);
}

// As of the commit that it goes back to.
DatasetEntry dataset_then(history::History& history, const std::string& name, CommitNumber to) {
  const DatasetEntry named = dataset_named(history, name, {to});
  if (auto entry = history.at(to)->find(named.id)) return *std::move(entry);
  throw_error(ErrorCode::not_found,
              "the dataset {} did not exist as of commit {}; commit {} created it: roll back to "
              "that one or a later one, or drop the dataset",
              quoted(name), value_of(to), value_of(named.id.created));
}

// ---- requests ---------------------------------------------------------------------------------

ReadRequest rows_of(const RollbackOptions& options) {
  return {.start = options.start, .stop = options.stop, .keys = options.keys};
}

void check_options(const RollbackOptions& options) {
  if (!options.scoped()) return;
  if (!options.dataset) {
    throw_error(ErrorCode::invalid_argument,
                "a range, keys or ids are of one dataset: name it with dataset=, or leave them out "
                "to roll back the whole database");
  }
  for (const std::string& id : options.ids.value_or(std::vector<std::string>{}))
    document::check_id(id);
  if (options.replace_name) {
    throw_error(ErrorCode::invalid_argument,
                "replace_name= is of a whole dataset: rows that are rolled back change no name");
  }
}

// Of what was asked, in the caller's words: a retry may find HEAD elsewhere.
Hash256 hash_of(std::string_view verb, std::string_view reference,
                const std::optional<std::string>& dataset, const RollbackOptions& options = {}) {
  Blake3 hash;
  hash.add(db::request_hash({verb, reference, dataset ? "of" : "all", dataset.value_or(""),
                             options.replace_name ? "replace" : ""})
               .view());
  if (options.scoped()) ingest::hash_request(hash, {}, 0, rows_of(options));
  if (options.ids) hash.add(db::request_hash({"ids"}).view());
  for (const std::string& id : options.ids.value_or(std::vector<std::string>{}))
    hash.add(db::request_hash({id}).view());
  return hash.finish();
}

// Keys are of tables, ids of collections.
void check_scope(const DatasetEntry& dataset, const RollbackOptions& options) {
  const bool collection = dataset.schema->kind == DatasetKind::collection;
  if (collection && !options.keys.empty()) {
    throw_error(ErrorCode::invalid_argument,
                "{} is a collection, whose documents have no keys; name them by ids= or a range",
                quoted(dataset.name));
  }
  if (!collection && options.ids) {
    throw_error(ErrorCode::invalid_argument,
                "{} is a table, whose rows have no ids; name them by keys= or a range",
                quoted(dataset.name));
  }
}

// Rows of a dataset that is there then and now.
history::Marking marking_of(const db::Hall& hall, const db::Rooms& rooms, const DatasetEntry& then,
                            CommitNumber to, const RollbackOptions& options) {
  const auto now = rooms.history->head()->find(then.id);
  if (!now) {
    throw_error(ErrorCode::not_found,
                "the dataset {} was dropped since commit {}: roll back the whole dataset, without "
                "a range, keys or ids",
                quoted(then.name), value_of(to));
  }
  check_scope(*now, options);
  if (now->schema->kind == DatasetKind::collection) {
    return ingest::marking_back(hall.scan_context(rooms), *now,
                                {.ids = options.ids, .start = options.start, .stop = options.stop},
                                to);
  }
  ingest::Removals rows(*now);
  rows.add(rows_of(options));
  history::Marking out = rows.marking(hall.scan_context(rooms));
  out.as_at = to;
  return out;
}

// ---- messages of who gave none -----------------------------------------------------------------

constexpr std::size_t kIdsTold = 3;
constexpr std::size_t kSubjectBytesMax = 200;  // of the message of what is reverted

// "ids a, b, c and 2 more", "from 2026-01-05T09:30:00Z", "keys symbol"; empty: all of the dataset.
std::string scope_text(const RollbackOptions& options) {
  std::vector<std::string> out;
  if (options.ids) {
    const std::size_t told = std::min(options.ids->size(), kIdsTold);
    const std::span<const std::string> some(options.ids->data(), told);
    std::string text =
        fmt::format("id{} {}", options.ids->size() == 1 ? "" : "s", fmt::join(some, ", "));
    if (options.ids->size() > told) text += fmt::format(" and {} more", options.ids->size() - told);
    out.push_back(std::move(text));
  }
  for (const KeyFilter& key : options.keys) out.push_back("some " + key.column);
  if (options.start) out.push_back("from " + timestamp_format(*options.start));
  if (options.stop) out.push_back("to " + timestamp_format(*options.stop));
  return fmt::format("{}", fmt::join(out, ", "));
}

std::string message_of(CommitNumber to, const RollbackOptions& options) {
  std::string out = "rollback";
  if (options.dataset) out += " of " + *options.dataset;
  out += fmt::format(" to {}", value_of(to));
  return options.scoped() ? fmt::format("{} ({})", out, scope_text(options)) : out;
}

// The first line, or what of it is short enough.
std::string subject_of(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  if (message.size() <= kSubjectBytesMax) return std::string(message);
  std::size_t end = kSubjectBytesMax;
  while (end != 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return std::string(message.substr(0, end)) + "…";
}

std::string message_of(const Commit& undone, const RevertOptions& options) {
  std::string out = fmt::format("revert of {}", value_of(undone.number));
  if (options.dataset) out += " in " + *options.dataset;
  return undone.message.empty() ? out : fmt::format("{}: {}", out, subject_of(undone.message));
}

// ---- what is asked ----------------------------------------------------------------------------

void ask_rollback(const db::Hall& hall, db::Rooms& rooms, std::string_view to,
                  const RollbackOptions& options, history::CommitRequest& request) {
  const CommitNumber commit = rooms.history->resolve(to);
  if (request.message.empty()) request.message = message_of(commit, options);
  if (!options.dataset) {
    request.lineage = history::Rollback{commit, std::nullopt, options.replace_name};
    return;
  }
  const DatasetEntry then = dataset_then(*rooms.history, *options.dataset, commit);
  if (options.scoped()) {
    request.markings.push_back(marking_of(hall, rooms, then, commit, options));
  } else {
    request.lineage = history::Rollback{commit, then.id, options.replace_name};
  }
}

void ask_revert(db::Rooms& rooms, std::string_view reference, const RevertOptions& options,
                history::CommitRequest& request) {
  const CommitNumber commit = rooms.history->resolve(reference);
  if (request.message.empty())
    request.message = message_of(rooms.history->commit_info(commit), options);
  history::Revert revert{commit, std::nullopt};
  if (options.dataset) {
    const CommitNumber before{value_of(commit) == 0 ? 0 : value_of(commit) - 1};
    revert.dataset = dataset_named(*rooms.history, *options.dataset, {commit, before}).id;
  }
  request.lineage = revert;
}

// Commits what `ask` adds to the request, once.
template <typename Ask>
Commit undo(db::Hall& hall, Hash256 asked, const CommitOptions& options, Ask ask) {
  const auto rooms = hall.rooms_to_write();
  history::CommitRequest request = hall.request(*rooms, options);
  request.request_hash = asked;
  if (auto commit = hall.repeated(*rooms, request)) return *std::move(commit);
  ask(*rooms, request);
  Commit commit = rooms->history->commit(std::move(request));
  hall.committed(*rooms);
  return commit;
}

// How HEAD would differ, were it committed.
template <typename Ask>
Diff would_undo(const std::shared_ptr<db::Hall>& hall, Ask ask) {
  const auto rooms = hall->rooms();
  history::CommitRequest request = hall->request(*rooms, {});
  ask(*rooms, request);
  return db::DiffMaker(hall).diff(rooms->history->preview(std::move(request)), true);
}

// Of a diff: by its name in the second state, else in the first, else at HEAD.
std::optional<DatasetId> dataset_of(history::History& history,
                                    const std::optional<std::string>& name, CommitNumber from,
                                    CommitNumber to) {
  if (!name) return std::nullopt;
  return dataset_named(history, *name, {to, from}).id;
}

}  // namespace

Diff Database::diff(std::string_view from, std::string_view to,
                    const std::optional<std::string>& dataset) const {
  history::History& history = *hall_->rooms()->history;
  const CommitNumber first = history.resolve(from);
  const CommitNumber second = history.resolve(to);
  return db::DiffMaker(hall_).diff(
      history.apart(first, second, dataset_of(history, dataset, first, second)), false);
}

Commit Database::rollback(std::string_view to, const RollbackOptions& options,
                          const CommitOptions& commit) {
  check_options(options);
  return undo(*hall_, hash_of("rollback", to, options.dataset, options), commit,
              [&](db::Rooms& rooms, history::CommitRequest& request) {
                ask_rollback(*hall_, rooms, to, options, request);
              });
}

Diff Database::rollback_diff(std::string_view to, const RollbackOptions& options) const {
  check_options(options);
  return would_undo(hall_, [&](db::Rooms& rooms, history::CommitRequest& request) {
    ask_rollback(*hall_, rooms, to, options, request);
  });
}

Commit Database::revert(std::string_view reference, const RevertOptions& options,
                        const CommitOptions& commit) {
  return undo(*hall_, hash_of("revert", reference, options.dataset), commit,
              [&](db::Rooms& rooms, history::CommitRequest& request) {
                ask_revert(rooms, reference, options, request);
              });
}

Diff Database::revert_diff(std::string_view reference, const RevertOptions& options) const {
  return would_undo(hall_, [&](db::Rooms& rooms, history::CommitRequest& request) {
    ask_revert(rooms, reference, options, request);
  });
}

}  // namespace otolith
