#include "db/hall.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "ingest/sweep.h"
#include "io/fork.h"
#include "io/posix.h"
#include "io/sim_disk.h"
#include "scan/shown_apart.h"
#include "scan/store.h"
#include "segment/path.h"
#include "segment/reader.h"

namespace otolith::db {

namespace {

constexpr const char* kMemoryPath = ":memory:";

Ground posix_ground(const std::string& path, bool mmap) {
  return {.vfs = [path, mmap](bool create, bool read_only) -> std::shared_ptr<io::Vfs> {
            return io::posix_vfs(
                path, {.read_only = read_only, .mmap = mmap, .create = create && !read_only});
          },
          .environment = io::system_environment(),
          .history = {}};
}

Ground memory_ground() {
  history::HistoryOptions history;
  history.sweep_after_ns = 0;  // nobody else reads
  return {.vfs = [](bool create, bool read_only) -> std::shared_ptr<io::Vfs> {
            if (create && !read_only) return io::memory_vfs();
            throw_error(ErrorCode::invalid_argument,
                        "{} begins empty: open it with create=True and without read_only",
                        kMemoryPath);
          },
          .environment = io::system_environment(),
          .history = std::move(history),
          .reopen_in_child = false};
}

/// Whether a segment that a relaxed commit names did reach the disk, whole. What the OS refuses to
/// say is no answer: history is ended for good only where a segment is missing or damaged.
bool segment_sound(io::Vfs& vfs, const Id128& database, const history::SegmentRef& ref) {
  try {
    const std::string path = segment::segment_path(ref.id);
    segment::SegmentReader::open(vfs.open(path, io::OpenMode::read), path,
                                 {.segment = ref.id,
                                  .database = database,
                                  .dataset = {},
                                  .bytes = ref.bytes,
                                  .footer_hash = ref.footer_hash,
                                  .rows = ref.rows},
                                 false)
        ->verify();
    return true;
  } catch (const Error& error) {
    const bool gone = error.code() == ErrorCode::corrupt || error.code() == ErrorCode::not_found;
    if (!gone && !mutant("unread-segment-unsound")) throw;
    log_line(LogLevel::warning, error.what());
    return false;
  }
}

/// In a forked child the parent's threads do not exist and its descriptors are shared: neither is
/// touched again, so what holds them is never destroyed.
void leave_to_parent(std::shared_ptr<Rooms> rooms) {
  static auto* const kept = new std::vector<std::shared_ptr<Rooms>>;
  kept->push_back(std::move(rooms));
}

void sweep_behind(const ingest::IngestContext& context, bool at_once) noexcept {
  try {
    ingest::sweep(context, at_once);
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, std::string("files could not be swept: ") + error.what());
  } catch (...) {
    log_line(LogLevel::warning, "files could not be swept");
  }
}

// Who copies the folder meanwhile, the last file first, would meet neither the rows nor the seal
// that has them; not where a whole file of commits came between.
constexpr std::size_t kFollowers = 2;

void strip_behind(const ingest::IngestContext& context) noexcept {
  try {
    context.history->strip_log(kFollowers);
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, std::string("sealed rows stay in the log too: ") + error.what());
  } catch (...) {
    log_line(LogLevel::warning, "sealed rows stay in the log too");
  }
}

// Derived from what is there: an error is told, and the next commit asks again.
void seal_and_sweep(const ingest::IngestContext& context) noexcept {
  try {
    if (!context.history->seal_due() || ingest::seal_tail(context) == 0) return;
    strip_behind(context);
    ingest::sweep(context);
  } catch (const Error& error) {
    log_line(LogLevel::warning, std::string("the tail could not be sealed: ") + error.what());
    if (error.code() == ErrorCode::no_space) sweep_behind(context, true);  // the next one may fit
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, std::string("the tail could not be sealed: ") + error.what());
  } catch (...) {
    log_line(LogLevel::warning, "the tail could not be sealed");
  }
}

// The commit of a snapshot as it is stored now; null where the database was closed.
std::shared_ptr<const history::Snapshot> renew(const std::weak_ptr<Rooms>& of,
                                               const history::Snapshot& snapshot) {
  const std::shared_ptr<Rooms> rooms = of.lock();
  return rooms ? rooms->history->renew(snapshot) : nullptr;
}

unsigned worker_count(unsigned asked) {
  return asked != 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

void check_open_options(const OpenOptions& options) {
  if (options.threads > kThreadsMax) {
    throw_error(ErrorCode::invalid_argument, "threads is {}; give 1 to {}, or 0 for one per core",
                options.threads, kThreadsMax);
  }
  if (options.memory_bytes < kMemoryBytesMin) {
    throw_error(ErrorCode::invalid_argument, "memory_bytes is {}; give at least {} (1 MiB)",
                options.memory_bytes, kMemoryBytesMin);
  }
}

void throw_no_dataset(const history::Snapshot& snapshot, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& entry : snapshot.datasets()) names.push_back(entry.name);
  throw_error(ErrorCode::not_found,
              "no dataset {} as of commit {}{}; datasets() lists those there are", quoted(name),
              value_of(snapshot.number()), nearest_hint(name, names));
}

ForkedMutex::~ForkedMutex() {
  Gate* const gate = now_.load();
  if (gate->forks == io::fork_generation()) delete gate;
}

ForkedMutex::Gate& ForkedMutex::gate() {
  Gate* gate = now_.load();
  while (gate->forks != io::fork_generation()) {
    auto fresh = std::make_unique<Gate>();
    if (now_.compare_exchange_strong(gate, fresh.get())) gate = fresh.release();
  }
  return *gate;
}

// No analysis: the mutex it says it takes is the gate's.
ForkedLock::ForkedLock(ForkedMutex& mutex) OTO_NO_ANALYSIS : held_(mutex.gate().mutex) {
  held_.lock();
}
ForkedLock::~ForkedLock() OTO_NO_ANALYSIS { held_.unlock(); }

Hall::Hall(std::string path, const OpenOptions& options, Ground ground)
    : path_(std::move(path)),
      options_(options),
      ground_(std::move(ground)),
      threads_(worker_count(options.threads)) {}

std::shared_ptr<Hall> Hall::open(const std::string& path, const OpenOptions& options,
                                 const history::HistoryOptions& sizes) {
  Ground ground = path == kMemoryPath ? memory_ground() : posix_ground(path, options.mmap);
  ground.history = sizes;
  return open(path, options, std::move(ground));
}

std::shared_ptr<Hall> Hall::open(std::string path, const OpenOptions& options, Ground ground) {
  check_open_options(options);
  const std::shared_ptr<Hall> hall(new Hall(std::move(path), options, std::move(ground)));
  hall->opened_in_ = io::fork_generation();
  hall->generation_ = hall->opened_in_;
  auto rooms = hall->open_rooms(options.create, options.read_only);
  const ForkedLock lock(hall->mutex_);
  hall->rooms_ = std::move(rooms);
  return hall;
}

std::shared_ptr<Rooms> Hall::open_rooms(bool create, bool read_only) const {
  auto rooms = std::make_shared<Rooms>();
  rooms->read_only = read_only;
  rooms->environment = ground_.environment;
  rooms->vfs = ground_.vfs(create, read_only);
  rooms->directory =
      directory_open(*rooms->vfs, *rooms->environment, create && !read_only, ground_.history.log);
  rooms->store = std::make_shared<scan::SegmentStore>(
      rooms->vfs, rooms->directory.database,
      scan::StoreOptions{
          .map = options_.mmap,
          .renew = [of = std::weak_ptr(rooms)](
                       const history::Snapshot& snapshot) { return renew(of, snapshot); },
          .ids_bytes_max = options_.memory_bytes / scan::kIdsShare});
  history::HistoryOptions history = ground_.history;
  history.log.read_only = read_only;
  history.log.lock_wait_ns = options_.lock_wait_ns;
  history.segment_ok = [vfs = rooms->vfs, id = rooms->directory.database](const auto& ref) {
    return segment_sound(*vfs, id, ref);
  };
  history.meetings = [store = rooms->store](const history::DatasetEntry& dataset, const auto& back,
                                            const auto& since) {
    return scan::meetings({.store = store}, dataset, back, since, kDifferencesMax);
  };
  history.sync_segments = [parts = rooms.get()](const auto& segments) {
    parts->unsynced.sync(*parts->vfs, segments);
  };
  rooms->history =
      history::History::open(rooms->vfs, rooms->environment, rooms->directory.database, history);
  ingest::IngestContext context = ingest_context(*rooms);
  context.threads = std::max(1u, context.threads / 2);  // who commits has the others
  rooms->sealer =
      std::make_unique<Sealer>(SealerWork{.seal = [context] { seal_and_sweep(context); },
                                          .sweep =
                                              [context] {
                                                sweep_behind(context, false);
                                                strip_behind(context);
                                              }},
                               rooms->environment, ground_.seal_behind);
  rooms->sweep_after_ns = history.sweep_after_ns;
  return rooms;
}

Hall::~Hall() {
  if (of_parent()) {
    leave_to_parent(std::move(rooms_));
    return;
  }
  try {
    close();
  } catch (const Error& error) {
    log_line(LogLevel::error, error.what());
  }
}

bool Hall::of_parent() const noexcept { return generation_.load() != io::fork_generation(); }

bool Hall::in_child() const noexcept { return ground_.reopen_in_child && of_parent(); }

std::shared_ptr<Rooms> Hall::rooms() {
  if (closed_.load()) {
    throw_error(ErrorCode::invalid_argument, "the database {} is closed; open it again", path_);
  }
  const ForkedLock lock(mutex_);
  if (in_child()) {
    leave_to_parent(std::move(rooms_));
    rooms_ = open_rooms(false, true);
    generation_ = io::fork_generation();
  }
  return rooms_;
}

std::shared_ptr<Rooms> Hall::rooms_to_write() {
  if (ground_.reopen_in_child && io::fork_generation() != opened_in_) {
    throw_error(
        ErrorCode::invalid_argument,
        "this handle of {} was opened before the process forked and only reads here; open the "
        "database in the child to write",
        path_);
  }
  std::shared_ptr<Rooms> out = rooms();
  if (out->read_only) {
    throw_error(ErrorCode::invalid_argument, "the database {} was opened read-only", path_);
  }
  return out;
}

void Hall::close() {
  if (closed_.exchange(true)) return;
  if (of_parent() && !mutant("child-closes-parents-handle")) return;  // there is nothing to close
  std::shared_ptr<Rooms> rooms;
  {
    const ForkedLock lock(mutex_);
    rooms = std::exchange(rooms_, nullptr);
  }
  if (!rooms) return;
  rooms->sealer->close();
  rooms->history->close();
}

bool Hall::closed() const noexcept { return closed_.load(); }

std::shared_ptr<const history::Snapshot> Hall::snapshot(const Pinned& pinned) {
  const std::shared_ptr<Rooms> open = rooms();
  if (!pinned.snapshot) return open->history->head();
  // The parent's snapshot shares locks with its threads: the child resolves the commit anew.
  const bool taken_before = ground_.reopen_in_child && pinned.forks != io::fork_generation();
  if (taken_before && pinned.staged) {
    throw_error(ErrorCode::invalid_argument,
                "this table was taken from a recorder or a difference before the process forked; "
                "what it shows is the parent's");
  }
  return taken_before ? open->history->at(pinned.snapshot->number()) : pinned.snapshot;
}

history::DatasetEntry Hall::dataset(const history::Snapshot& snapshot, const Pinned& pinned) const {
  if (auto entry = snapshot.find(pinned.dataset.id)) return *std::move(entry);
  if (snapshot.find(pinned.dataset.name)) {
    throw_error(
        ErrorCode::not_found,
        "the dataset {} that this table was taken from was dropped, and another has its name "
        "as of commit {}; take the table from the database again",
        quoted(pinned.dataset.name), value_of(snapshot.number()));
  }
  throw_no_dataset(snapshot, pinned.dataset.name);
}

ingest::IngestContext Hall::ingest_context(Rooms& rooms, Progress progress) const {
  return {.vfs = rooms.vfs.get(),
          .environment = rooms.environment.get(),
          .history = rooms.history.get(),
          .database = rooms.directory.database,
          .threads = threads_,
          .memory_bytes = options_.memory_bytes,
          .inline_bytes_max = ground_.history.inline_bytes_max,
          .unsynced = &rooms.unsynced,
          .store = rooms.store,
          .progress = std::move(progress)};
}

scan::ScanContext Hall::scan_context(const Rooms& rooms) const {
  return {.store = rooms.store, .threads = threads_};
}

history::CommitRequest Hall::request(Rooms& rooms, const CommitOptions& options) const {
  history::CommitRequest out;
  out.author = options.author.value_or(options_.author);
  out.message = options.message;
  out.extra = options.extra;
  out.time = options.time;
  out.relaxed = options_.durability == Durability::relaxed;
  if (options.change_id) {
    Id128 id;
    if (!id128_parse(*options.change_id, id)) {
      throw_error(ErrorCode::invalid_argument, "change_id {} is not 32 lower-case hex digits",
                  quoted(*options.change_id));
    }
    out.change_id = id;
  }
  history::request_check_texts(out);
  if (out.relaxed) rooms.unsynced.check();
  return out;
}

std::optional<Commit> Hall::repeated(Rooms& rooms, const history::CommitRequest& request) const {
  if (!request.change_id) return std::nullopt;
  Commit commit = rooms.history->commit(request);
  if (commit.change_id == request.change_id->text()) return commit;
  return std::nullopt;
}

void Hall::committed(Rooms& rooms) const noexcept {
  try {
    rooms.sealer->committed();
    if (!rooms.history->seal_due()) return;
    rooms.sealer->ask();
    if (rooms.history->seal_due(2)) rooms.sealer->wait();
  } catch (const std::exception& error) {  // the commit stands
    log_line(LogLevel::warning, error.what());
  }
}

}  // namespace otolith::db
