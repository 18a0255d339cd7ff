#include <algorithm>

#include "base/error.h"
#include "db/alter.h"
#include "db/collection_place.h"
#include "db/diff_maker.h"
#include "db/hall.h"
#include "db/reversed.h"
#include "db/rows_to_end.h"
#include "scan/asof.h"
#include "segment/writer.h"

namespace otolith {

Table::Table(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::Pinned> pinned)
    : hall_(std::move(hall)), pinned_(std::move(pinned)) {}

std::string Table::name() const {
  return hall_->dataset(*hall_->snapshot(*pinned_), *pinned_).name;
}

std::shared_ptr<const Schema> Table::schema() const {
  return hall_->dataset(*hall_->snapshot(*pinned_), *pinned_).schema;
}

std::uint64_t Table::rows() const {
  const auto snapshot = hall_->snapshot(*pinned_);
  return scan::count_rows(hall_->scan_context(*hall_->rooms()), *snapshot,
                          hall_->dataset(*snapshot, *pinned_));
}

std::optional<std::pair<Timestamp, Timestamp>> Table::time_range() const {
  const auto snapshot = hall_->snapshot(*pinned_);
  return scan::time_range(hall_->scan_context(*hall_->rooms()), snapshot,
                          hall_->dataset(*snapshot, *pinned_));
}

Data Table::read(const ReadRequest& request) const {
  const auto snapshot = hall_->snapshot(*pinned_);
  scan::Scan scan(hall_->scan_context(*hall_->rooms()), snapshot,
                  hall_->dataset(*snapshot, *pinned_), request);
  std::vector<Batch> batches = scan.rest();
  return Data(scan.schema(), std::move(batches));
}

Data Table::head(std::uint64_t rows) const { return read({.limit = rows}); }

Data Table::tail(std::uint64_t rows) const {
  return db::reversed(read({.limit = rows, .reverse = true}));
}

Data Table::asof(const AsofRequest& request) const {
  const auto snapshot = hall_->snapshot(*pinned_);
  scan::LastRows last = scan::asof(hall_->scan_context(*hall_->rooms()), snapshot,
                                   hall_->dataset(*snapshot, *pinned_), request);
  return Data(std::move(last.schema), std::move(last.batches));
}

std::vector<Blamed> Table::blame(const BlameRequest& request) const {
  const auto snapshot = hall_->snapshot(*pinned_);
  return db::DiffMaker(hall_).blame(snapshot, hall_->dataset(*snapshot, *pinned_), request);
}

void Table::check_live() const {
  if (!pinned_->snapshot) return;
  throw_error(
      ErrorCode::invalid_argument,
      "{} is as of commit {} and cannot be written; take the table from the database itself",
      quoted(pinned_->dataset.name), value_of(pinned_->snapshot->number()));
}

Commit Table::alter(const SchemaChange& change, const CommitOptions& options) const {
  check_live();
  const auto rooms = hall_->rooms_to_write();
  const DatasetId id = pinned_->dataset.id;
  history::CommitRequest request = hall_->request(*rooms, options);
  request.request_hash =
      db::request_hash(fmt::format("{}.{}", value_of(id.created), id.index), change);
  if (auto commit = hall_->repeated(*rooms, request)) return *std::move(commit);
  const auto dataset = hall_->dataset(*rooms->history->head(), *pinned_);
  Schema schema = schema_stored(db::altered(*dataset.schema, change));
  for (const auto& [name, type] : change.widen) {  // one of a user's may not take the new type
    const auto at = *dataset.schema->find(name);
    const auto& columns = schema.columns;
    const auto& column = *std::ranges::find(columns, dataset.schema->columns[at].id, &Column::id);
    (void)segment::column_codec(schema, column, dataset.name);
  }
  if (schema != *dataset.schema) {
    request.catalog.push_back(history::AlterDataset{id, std::move(schema), dataset.schema});
  }
  Commit commit = rooms->history->commit(std::move(request));
  hall_->committed(*rooms);
  return commit;
}

namespace {

// A table to write to: a recorder of it, and the dataset at HEAD.
struct Writing {
  const std::shared_ptr<db::Hall>& hall;
  std::shared_ptr<db::Rooms> rooms;
  history::DatasetEntry dataset;
  ingest::Recorder recorder;

  Writing(const std::shared_ptr<db::Hall>& of, const db::Pinned& pinned,
          const CommitOptions& options)
      : hall(of),
        rooms(of->rooms_to_write()),
        dataset(of->dataset(*rooms->history->head(), pinned)),
        recorder(of->ingest_context(*rooms, options.progress), options.change_id.has_value()) {}

  Commit commit(const CommitOptions& options) {
    Commit commit = recorder.commit(hall->request(*rooms, options));
    hall->committed(*rooms);
    return commit;
  }
};

}  // namespace

Commit Table::append(const Batch& batch, const CommitOptions& options) const {
  check_live();
  Writing writing(hall_, *pinned_, options);
  writing.recorder.append_borrowed(writing.dataset, batch);
  return writing.commit(options);
}

Commit Table::remove(const DeleteRequest& rows, const CommitOptions& options) const {
  check_live();
  Writing writing(hall_, *pinned_, options);
  writing.recorder.remove(writing.dataset, db::rows_to_delete(rows));
  return writing.commit(options);
}

Commit Table::replace(const ReplaceRequest& range, const Batch& batch,
                      const CommitOptions& options) const {
  check_live();
  Writing writing(hall_, *pinned_, options);
  const ReadRequest rows = db::rows_to_replace(range, batch, writing.dataset.schema);
  writing.recorder.remove(writing.dataset, rows);
  writing.recorder.append_borrowed(writing.dataset, batch);
  return writing.commit(options);
}

Snapshot::Snapshot(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::Pinned> pinned)
    : hall_(std::move(hall)), pinned_(std::move(pinned)) {}

Commit Snapshot::commit() const {
  return hall_->rooms()->history->commit_info(pinned_->snapshot->number());
}

std::map<std::string, std::string> Snapshot::metadata() const {
  const auto entry = hall_->snapshot(*pinned_)->database();
  return entry ? entry->schema->metadata : std::map<std::string, std::string>{};
}

std::vector<std::string> Snapshot::datasets() const {
  std::vector<std::string> names;
  for (auto& entry : hall_->snapshot(*pinned_)->datasets()) names.push_back(std::move(entry.name));
  return names;
}

bool Snapshot::contains(std::string_view name) const {
  return hall_->snapshot(*pinned_)->find(name).has_value();
}

Table Snapshot::table(std::string_view name) const {
  const auto snapshot = hall_->snapshot(*pinned_);
  auto entry = snapshot->find(name);
  if (!entry) db::throw_no_dataset(*snapshot, name);
  db::check_is_table(*entry);
  return {hall_, std::make_shared<db::Pinned>(snapshot, *std::move(entry))};
}

}  // namespace otolith
