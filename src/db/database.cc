#include "otolith/database.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "db/alter.h"
#include "db/collection_place.h"
#include "db/hall.h"
#include "db/schema_rules.h"
#include "model/utf8.h"

namespace otolith {

namespace {

std::shared_ptr<const db::Pinned> live() {
  static const auto pinned = std::make_shared<const db::Pinned>();
  return pinned;
}

std::shared_ptr<const db::Pinned> pinned_at(std::shared_ptr<const history::Snapshot> snapshot) {
  return std::make_shared<db::Pinned>(std::move(snapshot), history::DatasetEntry{});
}

/// True if a dataset of this name is there and has this schema; conflict if it has another.
bool accept_existing(history::History& history, const std::string& name, const Schema& schema) {
  const auto entry = history.head()->find(name);
  if (entry) db::check_equal_schema(name, *entry->schema, schema);
  return entry.has_value();
}

}  // namespace

Database::Database(std::shared_ptr<db::Hall> hall) : hall_(std::move(hall)) {}

Database Database::open(const std::string& path, const OpenOptions& options) {
  return Database(db::Hall::open(path, options));
}

Table Database::create_table(const std::string& name, const Schema& schema,
                             const CreateOptions& options) {
  const auto rooms = hall_->rooms_to_write();
  model::name_check("dataset", name);
  schema_check(schema);
  if (schema.kind != DatasetKind::table) {
    throw_error(ErrorCode::invalid_argument,
                "a collection is made by its first write; take {} as a collection and put",
                quoted(name));
  }
  if (options.exist_ok && accept_existing(*rooms->history, name, schema)) return table(name);
  history::CommitRequest request = hall_->request(*rooms, options.commit);
  request.catalog.push_back(history::CreateDataset{name, schema_stored(schema)});
  request.request_hash = db::request_hash("create", name, schema_stored(schema));
  try {
    rooms->history->commit(std::move(request));
  } catch (const Error& error) {  // someone else may have created it since we looked
    const bool there = error.code() == ErrorCode::conflict && options.exist_ok &&
                       accept_existing(*rooms->history, name, schema);
    if (!there) throw;
  }
  hall_->committed(*rooms);
  return table(name);
}

namespace {

// Commits one change of the dataset that has this name; `change_of` makes it of the dataset.
template <typename ChangeOf>
Commit change_dataset(db::Hall& hall, std::string_view name, Hash256 asked,
                      const CommitOptions& options, ChangeOf change_of) {
  const auto rooms = hall.rooms_to_write();
  history::CommitRequest request = hall.request(*rooms, options);
  request.request_hash = asked;
  if (!mutant("retry-asked-late")) {
    if (auto commit = hall.repeated(*rooms, request)) return *std::move(commit);
  }
  const auto snapshot = rooms->history->head();
  const auto dataset = snapshot->find(name);
  if (!dataset) db::throw_no_dataset(*snapshot, name);
  if (auto change = change_of(*dataset)) request.catalog.push_back(*std::move(change));
  Commit commit = rooms->history->commit(std::move(request));
  hall.committed(*rooms);
  return commit;
}

}  // namespace

Commit Database::drop(std::string_view name, const CommitOptions& options) {
  using Change = std::optional<history::CatalogChange>;
  return change_dataset(*hall_, name, db::request_hash({"drop", name}), options,
                        [](const history::DatasetEntry& dataset) -> Change {
                          return history::DropDataset{dataset.id, dataset.name};
                        });
}

Commit Database::rename(std::string_view name, const std::string& to,
                        const CommitOptions& options) {
  using Change = std::optional<history::CatalogChange>;
  model::name_check("dataset", to);
  return change_dataset(*hall_, name, db::request_hash({"rename", name, to}), options,
                        [&](const history::DatasetEntry& dataset) -> Change {
                          if (dataset.name == to) return std::nullopt;
                          return history::RenameDataset{dataset.id, to, dataset.name};
                        });
}

namespace {

// The least schema there is; nobody sees more of it than the metadata.
Schema database_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  return schema_stored(schema);
}

}  // namespace

std::map<std::string, std::string> Database::metadata() const {
  return Snapshot(hall_, pinned_at(hall_->snapshot(*live()))).metadata();
}

Commit Database::alter(const MetadataChange& metadata, const CommitOptions& options) {
  const auto rooms = hall_->rooms_to_write();
  const SchemaChange change{.metadata = metadata};
  history::CommitRequest request = hall_->request(*rooms, options);
  request.request_hash = db::request_hash(history::kDatabaseName, change);
  if (auto commit = hall_->repeated(*rooms, request)) return *std::move(commit);
  const auto there = rooms->history->head()->database();
  const Schema present = there ? *there->schema : database_schema();
  Schema altered = db::altered(present, change);
  if (altered != present) {
    if (there) {
      request.catalog.push_back(
          history::AlterDataset{there->id, std::move(altered), there->schema});
    } else {
      request.catalog.push_back(
          history::CreateDataset{std::string(history::kDatabaseName), std::move(altered)});
    }
  }
  Commit commit = rooms->history->commit(std::move(request));
  hall_->committed(*rooms);
  return commit;
}

Table Database::table(std::string_view name) const {
  const auto snapshot = hall_->snapshot(*live());
  auto entry = snapshot->find(name);
  if (!entry) db::throw_no_dataset(*snapshot, name);
  db::check_is_table(*entry);
  return {hall_, std::make_shared<db::Pinned>(nullptr, *std::move(entry))};
}

std::vector<std::string> Database::datasets() const {
  return Snapshot(hall_, pinned_at(hall_->snapshot(*live()))).datasets();
}

bool Database::contains(std::string_view name) const {
  return hall_->snapshot(*live())->find(name).has_value();
}

Commit Database::head() const {
  const auto rooms = hall_->rooms();
  return rooms->history->commit_info(rooms->history->head()->number());
}

Snapshot Database::at(std::string_view reference) const {
  return at(hall_->rooms()->history->resolve(reference));
}

Snapshot Database::at(CommitNumber number) const {
  return {hall_, pinned_at(hall_->rooms()->history->at(number))};
}

Snapshot Database::at_time(Timestamp time) const {
  return at(hall_->rooms()->history->resolve_time(time));
}

std::vector<Commit> Database::log(const LogFilter& filter) const {
  return hall_->rooms()->history->log(filter);
}

void Database::tag(const std::string& name, std::string_view reference) {
  const auto rooms = hall_->rooms_to_write();
  rooms->history->tag(name, rooms->history->resolve(reference));
}

void Database::untag(const std::string& name) { hall_->rooms_to_write()->history->untag(name); }

std::map<std::string, Commit> Database::tags() const {
  const auto rooms = hall_->rooms();
  std::map<std::string, Commit> out;
  for (const auto& [name, number] : rooms->history->tags()) {
    out.emplace(name, rooms->history->commit_info(number));
  }
  return out;
}

Database db::Door::open(const std::shared_ptr<io::Vfs>& vfs,
                        std::shared_ptr<io::Environment> environment, const OpenOptions& options,
                        const history::HistoryOptions& history) {
  return Database(Hall::open(":test:", options,
                             {.vfs = [vfs](bool, bool) { return vfs; },
                              .environment = std::move(environment),
                              .history = history,
                              .reopen_in_child = false,
                              .seal_behind = false}));
}

Database db::Door::open(const std::string& path, const OpenOptions& options,
                        const history::HistoryOptions& sizes) {
  return Database(Hall::open(path, options, sizes));
}

std::map<std::string, model::StateDigest> db::Door::digests(const Database& database,
                                                            CommitNumber number) {
  Hall& hall = *database.hall_;
  const auto rooms = hall.rooms();
  const auto snapshot = rooms->history->at(number);
  std::map<std::string, model::StateDigest> digests;
  for (const history::DatasetEntry& dataset : snapshot->datasets()) {
    digests.emplace(dataset.name, scan::state_digest(hall.scan_context(*rooms), snapshot, dataset));
  }
  return digests;
}

std::uint64_t db::Door::standing(const Database& database, std::string_view dataset) {
  const auto head = database.hall_->rooms()->history->head();
  const DatasetId id = head->find(dataset).value().id;
  const auto stands = [&](const history::SegmentEntry& entry) {
    return head->stands(id, entry, entry.begin_first, entry.begin_last);
  };
  return static_cast<std::uint64_t>(std::ranges::count_if(head->segments_and_past(id), stands));
}

void Database::sync() { hall_->rooms_to_write()->history->sync(); }
void Database::close() { hall_->close(); }
bool Database::closed() const noexcept { return hall_->closed(); }
std::string Database::path() const { return hall_->path(); }

}  // namespace otolith
