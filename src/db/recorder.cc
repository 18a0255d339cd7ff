#include <mutex>
#include <utility>

#include "base/error.h"
#include "db/hall.h"
#include "io/fork.h"

namespace otolith {

namespace db {

/// What a public Recorder holds: one snapshot for names and schemas, one ingest recorder.
struct Staging {
  std::shared_ptr<Hall> hall;
  std::shared_ptr<Rooms> rooms;
  std::shared_ptr<const history::Snapshot> snapshot;
  ingest::Recorder recorder;
  CommitOptions options;
  std::uint64_t fork_generation = io::fork_generation();
  std::mutex in_use{};  // held during a call

  bool of_parent() const noexcept { return io::fork_generation() != fork_generation; }

  /// The right to use it, until the lock goes: refused while another thread has it, and to a child.
  std::unique_lock<std::mutex> enter() {
    if (of_parent()) {
      throw_error(
          ErrorCode::invalid_argument,
          "this recorder was opened before the process forked; open the database and a recorder "
          "in the child");
    }
    std::unique_lock lock(in_use, std::try_to_lock);
    if (!lock) {
      throw_error(ErrorCode::invalid_argument,
                  "this recorder is in use by another thread; give each thread its own, or take "
                  "turns");
    }
    if (!recorder.open()) {
      throw_error(ErrorCode::invalid_argument,
                  "this recorder has committed or discarded; take a new one from the database");
    }
    return lock;
  }
  /// As enter, for what needs the database open.
  std::unique_lock<std::mutex> enter_open() {
    auto lock = enter();
    hall->rooms_to_write();  // refuses a closed database
    return lock;
  }
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
  auto snapshot = rooms->history->head();
  ingest::Recorder inner(hall_->ingest_context(*rooms));
  return Recorder(std::unique_ptr<db::Staging>(
      new db::Staging{hall_, std::move(rooms), std::move(snapshot), std::move(inner), options}));
}

void Recorder::append(std::string_view table, const Batch& batch) {
  const auto lock = staging_->enter_open();
  auto entry = staging_->snapshot->find(table);
  if (!entry) {  // made by someone else, or by this process, since the recorder began
    staging_->snapshot = staging_->rooms->history->head();
    entry = staging_->snapshot->find(table);
  }
  if (!entry) db::throw_no_dataset(*staging_->snapshot, table);
  staging_->recorder.append(*entry, batch);
}

std::shared_ptr<const Schema> Recorder::schema(std::string_view table) const {
  const auto lock = staging_->enter_open();
  const auto entry = staging_->rooms->history->head()->find(table);
  if (!entry) db::throw_no_dataset(*staging_->snapshot, table);
  return entry->schema;
}

Commit Recorder::commit() {
  const auto lock = staging_->enter_open();
  Commit commit =
      staging_->recorder.commit(staging_->hall->request(*staging_->rooms, staging_->options));
  staging_->hall->committed(*staging_->rooms);
  return commit;
}

void Recorder::discard() {
  if (staging_->of_parent()) return;  // what is staged is the parent's
  const auto lock = staging_->enter();
  staging_->recorder.discard();
}

bool Recorder::open() const noexcept {
  if (!staging_ || staging_->of_parent()) return staging_ != nullptr;
  const std::unique_lock lock(staging_->in_use, std::try_to_lock);
  return !lock || staging_->recorder.open();  // what is in use has not ended
}

}  // namespace otolith
