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
  std::uint64_t fork_generation = 0;

  void check_usable() const {
    if (io::fork_generation() != fork_generation) {
      throw_error(
          ErrorCode::invalid_argument,
          "this recorder was opened before the process forked; open the database and a recorder "
          "in the child");
    }
    hall->rooms_to_write();  // refuses a closed database
    if (!recorder.open()) {
      throw_error(ErrorCode::invalid_argument,
                  "this recorder has committed or discarded; take a new one from the database");
    }
  }
};

}  // namespace db

Recorder::Recorder(std::unique_ptr<db::Staging> staging) : staging_(std::move(staging)) {}
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder& Recorder::operator=(Recorder&&) noexcept = default;

Recorder::~Recorder() {
  // In a forked child the staged files and locks are the parent's.
  if (staging_ && io::fork_generation() != staging_->fork_generation) (void)staging_.release();
}

Recorder Database::recorder(const CommitOptions& options) {
  auto rooms = hall_->rooms_to_write();
  hall_->request(options);  // refuses bad options now rather than at the commit
  auto snapshot = rooms->history->head();
  ingest::Recorder inner(hall_->ingest_context(*rooms));
  return Recorder(std::unique_ptr<db::Staging>(
      new db::Staging{hall_, std::move(rooms), std::move(snapshot), std::move(inner), options,
                      io::fork_generation()}));
}

void Recorder::append(std::string_view table, const Batch& batch) {
  staging_->check_usable();
  auto entry = staging_->snapshot->find(table);
  if (!entry) {  // made by someone else, or by this process, since the recorder began
    staging_->snapshot = staging_->rooms->history->head();
    entry = staging_->snapshot->find(table);
  }
  if (!entry) db::throw_no_dataset(*staging_->snapshot, table);
  staging_->recorder.append(*entry, batch);
}

std::shared_ptr<const Schema> Recorder::schema(std::string_view table) const {
  staging_->check_usable();
  const auto entry = staging_->rooms->history->head()->find(table);
  if (!entry) db::throw_no_dataset(*staging_->snapshot, table);
  return entry->schema;
}

Commit Recorder::commit() {
  staging_->check_usable();
  Commit commit = staging_->recorder.commit(staging_->hall->request(staging_->options));
  staging_->hall->committed(*staging_->rooms);
  return commit;
}

void Recorder::discard() {
  staging_->check_usable();
  staging_->recorder.discard();
}

bool Recorder::open() const noexcept { return staging_ && staging_->recorder.open(); }

}  // namespace otolith
