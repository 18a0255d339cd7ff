#include <map>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "db/collection_place.h"
#include "db/hall.h"
#include "db/row_store.h"
#include "db/rows_to_end.h"
#include "io/fork.h"
#include "model/utf8.h"

namespace otolith {

namespace db {

/// What a public Recorder holds: the datasets it has rows of, by the names they were staged under,
/// and one ingest recorder.
struct Staging {
  // Constant.
  const std::shared_ptr<Hall> hall;
  const std::shared_ptr<Rooms> rooms;
  const CommitOptions options;
  const std::uint64_t fork_generation = io::fork_generation();

  Mutex in_use{};  // held during a call
  std::map<std::string, history::DatasetEntry, std::less<>> staged OTO_GUARDED_BY(in_use){};
  ingest::Recorder recorder OTO_GUARDED_BY(in_use);
  std::map<std::string, ingest::CollectionName, std::less<>> collections OTO_GUARDED_BY(in_use){};
  // By dataset, whatever it is called meanwhile; appenders keep them longer.
  std::map<DatasetId, std::shared_ptr<RowStore>> row_stores OTO_GUARDED_BY(in_use){};

  ~Staging() OTO_NO_ANALYSIS { end_rows(); }  // nobody is in a call

  bool of_parent() const noexcept { return io::fork_generation() != fork_generation; }

  /// As its rows were staged, else as of HEAD; refused where recorder or database has ended.
  history::DatasetEntry entry(std::string_view name) OTO_REQUIRES(in_use) {
    hall->rooms_to_write();  // refuses a closed database
    recorder.check_usable();
    if (const auto found = staged.find(name); found != staged.end()) return found->second;
    const auto snapshot = rooms->history->head();
    auto entry = snapshot->find(name);
    if (!entry) throw_no_dataset(*snapshot, name);
    check_is_table(*entry);
    return *std::move(entry);
  }

  /// The collection as it was when it was first written to here, else as of HEAD.
  const ingest::CollectionName& collection(std::string_view name) OTO_REQUIRES(in_use) {
    hall->rooms_to_write();  // refuses a closed database
    recorder.check_usable();
    if (const auto found = collections.find(name); found != collections.end()) return found->second;
    ingest::CollectionName out{.name = std::string(name)};
    if (const auto entry = rooms->history->head()->find(name)) {
      check_is_collection(*entry);
      out.dataset = entry->id;
      out.schema = *entry->schema;
    } else {
      model::name_check("dataset", name);
    }
    return collections.emplace(name, std::move(out)).first->second;
  }

  void write(std::string_view name, std::vector<ingest::DocumentOperation> operations)
      OTO_REQUIRES(in_use) {
    recorder.write(collection(name), std::move(operations));
  }

  /// What appenders of a table have set comes before what is staged of it next.
  void take_rows(DatasetId dataset) OTO_REQUIRES(in_use) {
    if (const auto found = row_stores.find(dataset); found != row_stores.end())
      take_rows(*found->second);
  }
  void take_rows(RowStore& store) OTO_REQUIRES(in_use) {
    hall->rooms_to_write();  // refuses a closed database
    recorder.check_usable();
    recorder.append_built(store.dataset(), store.take());
  }
  void take_all_rows() OTO_REQUIRES(in_use) {
    for (auto& [dataset, store] : row_stores) take_rows(*store);
  }
  void end_rows() noexcept OTO_REQUIRES(in_use) {
    for (auto& [dataset, store] : row_stores) store->end();
    row_stores.clear();
  }

  /// Refused while another thread has it, and to a child.
  void enter() OTO_ACQUIRE(in_use) {
    if (of_parent()) {
      throw_error(
          ErrorCode::invalid_argument,
          "this recorder was opened before the process forked; open the database and a recorder "
          "in the child");
    }
    if (!in_use.try_lock()) {
      throw_error(ErrorCode::invalid_argument,
                  "this recorder is in use by another thread; give each thread its own, or take "
                  "turns");
    }
    try {
      if (!recorder.failed()) recorder.check_usable();
    } catch (...) {
      in_use.unlock();
      throw;
    }
  }
};

/// The right to use a recorder, while it lives.
class OTO_SCOPED_LOCK Turn {
 public:
  explicit Turn(Staging& staging) OTO_ACQUIRE(staging.in_use) : in_use_(staging.in_use) {
    staging.enter();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() OTO_RELEASE() { in_use_.unlock(); }

 private:
  Mutex& in_use_;
};

}  // namespace db

Recorder::Recorder(std::unique_ptr<db::Staging> staging) : staging_(std::move(staging)) {}
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder& Recorder::operator=(Recorder&&) noexcept = default;

Recorder::~Recorder() {
  // In a forked child the staged files and locks are the parent's.
  if (staging_ && staging_->of_parent()) (void)staging_.release();
}

Recorder Database::recorder(const CommitOptions& options) {
  auto rooms = hall_->rooms_to_write();
  hall_->request(*rooms, options);  // refuses bad options now rather than at the commit
  ingest::Recorder inner(hall_->ingest_context(*rooms, options.progress),
                         options.change_id.has_value());
  return Recorder(std::unique_ptr<db::Staging>(new db::Staging{
      .hall = hall_, .rooms = std::move(rooms), .options = options, .recorder = std::move(inner)}));
}

void Recorder::append(std::string_view table, const Batch& batch) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  staging_->take_rows(entry.id);
  staging_->recorder.append(entry, batch);
  if (batch.rows != 0) staging_->staged.emplace(table, entry);
}

void Recorder::remove(std::string_view table, const DeleteRequest& rows) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  staging_->take_rows(entry.id);
  staging_->recorder.remove(entry, db::rows_to_delete(rows));
  staging_->staged.emplace(table, entry);
}

void Recorder::replace(std::string_view table, const ReplaceRequest& range, const Batch& batch) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  const ReadRequest rows = db::rows_to_replace(range, batch, entry.schema);
  staging_->take_rows(entry.id);
  staging_->recorder.remove(entry, rows);
  staging_->recorder.append(entry, batch);
  staging_->staged.emplace(table, entry);
}

// The table is kept as it is now: rows that are set can be staged later, whoever alters it.
RowAppender Recorder::rows(std::string_view table) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  auto found = staging_->row_stores.find(entry.id);
  if (found == staging_->row_stores.end()) {
    const auto hand_over = [staging = staging_.get()](db::RowStore& store) {
      const db::Turn turn_of_store(*staging);
      staging->take_rows(store);
    };
    auto store = std::make_shared<db::RowStore>(entry, staging_->hall->memory_bytes(),
                                                staging_->hall->closed_flag(), hand_over);
    staging_->staged.emplace(table, entry);
    found = staging_->row_stores.emplace(entry.id, std::move(store)).first;
  }
  return {found->second, *found->second};
}

std::shared_ptr<const Schema> Recorder::schema(std::string_view table) const {
  const db::Turn turn(*staging_);
  return staging_->entry(table).schema;
}

Table Recorder::table(std::string_view name) const {
  const db::Turn turn(*staging_);
  history::DatasetEntry entry = staging_->entry(name);
  staging_->take_rows(entry.id);
  auto snapshot = staging_->recorder.look(entry);
  db::Pinned pinned{std::move(snapshot), std::move(entry)};
  pinned.staged = true;
  return {staging_->hall, std::make_shared<const db::Pinned>(std::move(pinned))};
}

namespace {

std::vector<std::string> ids_of(const std::vector<ingest::DocumentOperation>& operations) {
  std::vector<std::string> out;
  for (const ingest::DocumentOperation& operation : operations) out.push_back(operation.id);
  return out;
}

}  // namespace

std::vector<std::string> Recorder::put(std::string_view collection,
                                       std::span<const Document> documents,
                                       const std::optional<ExpectedRevision>& if_revision) {
  const db::Turn turn(*staging_);
  auto operations = db::put_operations(ingest::DocumentOperation::Kind::put, documents, if_revision,
                                       *staging_->rooms->environment);
  std::vector<std::string> ids = ids_of(operations);
  staging_->write(collection, std::move(operations));
  return ids;
}

std::vector<std::string> Recorder::insert(std::string_view collection,
                                          std::span<const Document> documents,
                                          const std::optional<ExpectedRevision>& if_revision) {
  const db::Turn turn(*staging_);
  auto operations = db::put_operations(ingest::DocumentOperation::Kind::insert, documents,
                                       if_revision, *staging_->rooms->environment);
  std::vector<std::string> ids = ids_of(operations);
  staging_->write(collection, std::move(operations));
  return ids;
}

void Recorder::patch(std::string_view collection, std::string_view id, const Document& patch,
                     const std::optional<ExpectedRevision>& if_revision) {
  const db::Turn turn(*staging_);
  staging_->write(collection, {db::patch_operation(id, patch, if_revision)});
}

void Recorder::remove(std::string_view collection, std::span<const std::string> ids,
                      const std::optional<ExpectedRevision>& if_revision) {
  const db::Turn turn(*staging_);
  staging_->write(collection, db::remove_operations(ids, if_revision));
}

void Recorder::remove(std::string_view collection, const Expression& where) {
  const db::Turn turn(*staging_);
  staging_->write(collection, {db::remove_operation(where)});
}

bool Recorder::holds_documents(std::string_view name) const {
  const db::Turn turn(*staging_);
  staging_->hall->rooms_to_write();  // refuses a closed database
  if (staging_->staged.contains(name)) return false;
  if (staging_->collections.contains(name)) return true;
  const auto entry = staging_->rooms->history->head()->find(name);
  return !entry || entry->schema->kind == DatasetKind::collection;
}

Collection Recorder::collection(std::string_view name) const {
  const db::Turn turn(*staging_);
  const ingest::CollectionName& of = staging_->collection(name);
  auto look = staging_->recorder.look_documents(of);
  db::CollectionPlace place{.collection = of, .snapshot = std::move(look.snapshot), .staged = true};
  const bool made = look.dataset && value_of(look.dataset->id.created) == 0;
  if (made) place.made_by_commit = std::move(look.dataset);
  return {staging_->hall, std::make_shared<const db::CollectionPlace>(std::move(place))};
}

Commit Recorder::commit() {
  const db::Turn turn(*staging_);
  staging_->hall->rooms_to_write();  // refuses a closed database
  if (!staging_->recorder.failed()) staging_->take_all_rows();
  staging_->end_rows();
  Commit commit =
      staging_->recorder.commit(staging_->hall->request(*staging_->rooms, staging_->options));
  staging_->hall->committed(*staging_->rooms);
  return commit;
}

void Recorder::discard() {
  if (staging_->of_parent()) return;  // what is staged is the parent's
  const db::Turn turn(*staging_);
  staging_->end_rows();
  staging_->recorder.discard();
}

bool Recorder::open() const noexcept {
  if (!staging_ || staging_->of_parent()) return staging_ != nullptr;
  if (!staging_->in_use.try_lock()) return true;  // what is in use has not ended
  const MutexLock lock(staging_->in_use, std::adopt_lock);
  return staging_->recorder.open();
}

}  // namespace otolith
