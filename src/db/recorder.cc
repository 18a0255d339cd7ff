#include <map>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "db/hall.h"
#include "db/rows_to_end.h"
#include "io/fork.h"

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

  bool of_parent() const noexcept { return io::fork_generation() != fork_generation; }

  /// As its rows were staged, else as of HEAD; refused where recorder or database has ended.
  history::DatasetEntry entry(std::string_view name) OTO_REQUIRES(in_use) {
    hall->rooms_to_write();  // refuses a closed database
    recorder.check_usable();
    if (const auto found = staged.find(name); found != staged.end()) return found->second;
    const auto snapshot = rooms->history->head();
    auto entry = snapshot->find(name);
    if (!entry) throw_no_dataset(*snapshot, name);
    return *std::move(entry);
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
  ingest::Recorder inner(hall_->ingest_context(*rooms), options.change_id.has_value());
  return Recorder(std::unique_ptr<db::Staging>(new db::Staging{
      .hall = hall_, .rooms = std::move(rooms), .options = options, .recorder = std::move(inner)}));
}

void Recorder::append(std::string_view table, const Batch& batch) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  staging_->recorder.append(entry, batch);
  if (batch.rows != 0) staging_->staged.emplace(table, entry);
}

void Recorder::remove(std::string_view table, const DeleteRequest& rows) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  staging_->recorder.remove(entry, db::rows_to_delete(rows));
  staging_->staged.emplace(table, entry);
}

void Recorder::replace(std::string_view table, const ReplaceRequest& range, const Batch& batch) {
  const db::Turn turn(*staging_);
  const history::DatasetEntry entry = staging_->entry(table);
  const ReadRequest rows = db::rows_to_replace(range, batch, entry.schema);
  staging_->recorder.remove(entry, rows);
  staging_->recorder.append(entry, batch);
  staging_->staged.emplace(table, entry);
}

std::shared_ptr<const Schema> Recorder::schema(std::string_view table) const {
  const db::Turn turn(*staging_);
  return staging_->entry(table).schema;
}

Commit Recorder::commit() {
  const db::Turn turn(*staging_);
  staging_->hall->rooms_to_write();  // refuses a closed database
  Commit commit =
      staging_->recorder.commit(staging_->hall->request(*staging_->rooms, staging_->options));
  staging_->hall->committed(*staging_->rooms);
  return commit;
}

void Recorder::discard() {
  if (staging_->of_parent()) return;  // what is staged is the parent's
  const db::Turn turn(*staging_);
  staging_->recorder.discard();
}

bool Recorder::open() const noexcept {
  if (!staging_ || staging_->of_parent()) return staging_ != nullptr;
  if (!staging_->in_use.try_lock()) return true;  // what is in use has not ended
  const MutexLock lock(staging_->in_use, std::adopt_lock);
  return staging_->recorder.open();
}

}  // namespace otolith
