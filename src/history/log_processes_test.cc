// Real processes on a real disk: killed and stopped at any moment, while others append and read.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <thread>

#include "history/test_log.h"
#include "io/posix.h"
#include "io/random.h"
#include "io/test_folder.h"
#include "test/budget.h"

namespace otolith::history {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsMax = 1 << 20;
constexpr int kWriters = 3;

LogOptions options_of_processes() {
  LogOptions options;
  options.file_bytes = 64 << 10;
  options.preallocate_bytes = 16 << 10;
  options.reserve_bytes = 0;
  options.lock_wait_ns = 300'000'000;
  return options;
}

// What the writers have been told is durable, by record number; shared with the children.
class Acknowledged {
 public:
  Acknowledged()
      : words_(static_cast<std::uint32_t*>(::mmap(nullptr, kRecordsMax * sizeof(std::uint32_t),
                                                  PROT_READ | PROT_WRITE,
                                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Acknowledged() { ::munmap(words_, kRecordsMax * sizeof(std::uint32_t)); }
  Acknowledged(const Acknowledged&) = delete;
  Acknowledged& operator=(const Acknowledged&) = delete;

  void set(std::uint64_t number, std::uint32_t text) {
    __atomic_store_n(words_ + number, text, __ATOMIC_RELEASE);
  }
  std::map<std::uint64_t, std::uint32_t> all(std::uint64_t until) const {
    std::map<std::uint64_t, std::uint32_t> found;
    for (std::uint64_t number = 1; number <= until && number < kRecordsMax; ++number) {
      const std::uint32_t text = __atomic_load_n(words_ + number, __ATOMIC_ACQUIRE);
      if (text != 0) found.emplace(number, text);
    }
    return found;
  }

 private:
  std::uint32_t* const words_;
};

std::unique_ptr<Log> open_in(const std::string& folder) {
  return Log::open(io::posix_vfs(folder), io::system_environment(), kTestDatabase,
                   options_of_processes());
}

// A child: appends until it is killed. Leaves with an exit code only if something is wrong.
[[noreturn]] void write_for_ever(const std::string& folder, Acknowledged& acknowledged,
                                 std::uint64_t seed) {
  try {
    const auto log = open_in(folder);
    io::SeededRandom random(seed);
    for (;;) {
      const auto text = static_cast<std::uint32_t>(random.next() | 1);
      const bool relaxed = random.one_in(3);
      try {
        const auto lock = log->lock();
        lock->catch_up({}, {});
        std::vector<Record> records;
        records.push_back(record_of(fmt::format("{}", text), relaxed));
        const RecordNumber number = lock->append(std::move(records)).front();
        if (!relaxed) acknowledged.set(value_of(number), text);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::locked) throw;  // its holder may have been stopped
      }
      log->tend();
    }
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
  }
  ::_exit(1);
}

class Writers {
 public:
  Writers(const std::string& folder, std::uint64_t seed) : folder_(folder), seed_(seed) {
    for (pid_t& each : children_) each = spawn();
  }
  ~Writers() {
    for (const pid_t each : children_) end(each);
  }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  void kill_one(std::size_t which) {
    CHECK(end(children_[which]));
    children_[which] = spawn();
  }
  void stop_one(std::size_t which, std::chrono::milliseconds pause) {
    ::kill(children_[which], SIGSTOP);
    std::this_thread::sleep_for(pause);
    ::kill(children_[which], SIGCONT);
  }
  const Acknowledged& acknowledged() const { return acknowledged_; }

 private:
  pid_t spawn() {
    const std::uint64_t seed = ++seed_;
    const pid_t child = ::fork();
    if (child == 0) write_for_ever(folder_, acknowledged_, seed);
    return child;
  }
  // False if it had ended by itself.
  static bool end(pid_t child) {
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  const std::string folder_;
  std::uint64_t seed_;
  Acknowledged acknowledged_;
  std::array<pid_t, kWriters> children_{};
};

class Reader {
 public:
  explicit Reader(const std::string& folder) : log_(open_in(folder)) {}

  void refresh() {
    log_->refresh(
        [this](const Frame& frame) {
          if (frame.type != FrameType::commit) return;
          seen_.emplace(value_of(frame.number), std::string(as_text(frame.payload)));
        },
        {});
  }
  // Everything that was acknowledged before the refresh is in what it showed.
  std::string missing(const std::map<std::uint64_t, std::uint32_t>& acknowledged) const {
    for (const auto& [number, text] : acknowledged) {
      const auto found = seen_.find(number);
      if (found == seen_.end()) return fmt::format("record {} is not seen", number);
      if (found->second != fmt::format("{}", text))
        return fmt::format("record {} is not it", number);
    }
    return {};
  }
  std::uint64_t last() const { return value_of(log_->last()); }

 private:
  std::unique_ptr<Log> log_;
  std::map<std::uint64_t, std::string> seen_;
};

struct Reached {
  std::uint64_t kills = 0;
  std::uint64_t stops = 0;
  std::uint64_t records = 0;
};

Reached kill_and_stop(std::uint64_t seed, std::chrono::duration<double> time) {
  const io::TestFolder folder;
  Log::create(*io::posix_vfs(folder.path()), *io::system_environment(), kTestDatabase,
              options_of_processes());
  io::SeededRandom random(seed);
  Reached reached;
  std::map<std::uint64_t, std::uint32_t> acknowledged;
  {
    Reader reader(folder.path());
    Writers writers(folder.path(), seed);
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end && reader.last() + 20'000 < kRecordsMax) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(8000)));
      const std::size_t which = random.below(kWriters);
      if (random.one_in(4)) {
        writers.stop_one(which, std::chrono::milliseconds(random.below(20)));
        ++reached.stops;
      } else {
        writers.kill_one(which);
        ++reached.kills;
      }
      acknowledged = writers.acknowledged().all(reader.last() + 20'000);
      reader.refresh();
      REQUIRE(reader.missing(acknowledged) == "");
    }
    acknowledged = writers.acknowledged().all(kRecordsMax);
  }
  Reader late(folder.path());
  late.refresh();
  CHECK(late.missing(acknowledged) == "");
  const auto log = open_in(folder.path());
  const auto lock = log->lock();
  lock->catch_up({}, {});
  std::vector<Record> records;
  records.push_back(record_of("more"));
  CHECK(value_of(lock->append(std::move(records)).front()) > late.last());
  log->verify([](const Error& error) { FAIL(error.what()); });
  reached.records = late.last();
  return reached;
}

}  // namespace

TEST_CASE("log: every acknowledged record of killed and stopped processes is seen") {
  const Reached reached = kill_and_stop(test::seed(), 700ms);
  MESSAGE("log: ", reached.records, " records, ", reached.kills, " kills, ", reached.stops,
          " stops from seed ", test::seed());
}

TEST_SUITE("long") {
  TEST_CASE("log: many kills and stops of real processes") {
    Reached all;
    std::uint64_t seed = test::seed();
    for (const test::Budget budget; budget.left(); seed += 1000) {
      const Reached reached = kill_and_stop(seed, 1500ms);
      all.kills += reached.kills;
      all.stops += reached.stops;
      all.records += reached.records;
    }
    MESSAGE("log: ", all.records, " records, ", all.kills, " kills, ", all.stops,
            " stops from seed ", test::seed());
  }
}

TEST_CASE("log: a stopped holder of the lock holds up no reader, and writers learn its name") {
  const io::TestFolder folder;
  Log::create(*io::posix_vfs(folder.path()), *io::system_environment(), kTestDatabase);
  const auto log = open_in(folder.path());
  {
    const auto lock = log->lock();
    lock->catch_up({}, {});
    std::vector<Record> records;
    records.push_back(record_of("one"));
    (void)lock->append(std::move(records));
  }
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto own = open_in(folder.path());
    const auto lock = own->lock();
    lock->catch_up({}, {});
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(holder, &status, WUNTRACED);
  REQUIRE(WIFSTOPPED(status));
  std::string seen;
  log->refresh([&](const Frame& frame) { seen += as_text(frame.payload); }, {});
  const auto reader = open_in(folder.path());
  reader->refresh([&](const Frame& frame) { seen += as_text(frame.payload); }, {});
  CHECK(seen == "one");
  const Error error = error_of([&] { (void)log->lock(); });
  CHECK(error.code() == ErrorCode::locked);
  CHECK(error.message().find(fmt::format("process {} holds it", holder)) != std::string::npos);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, &status, 0);
  CHECK_NOTHROW((void)log->lock());
}

TEST_CASE("log: a forked child may read on, but not write, through its parent's handle") {
  const io::TestFolder folder;
  Log::create(*io::posix_vfs(folder.path()), *io::system_environment(), kTestDatabase);
  const auto log = open_in(folder.path());
  auto lock = log->lock();
  const pid_t child = ::fork();
  if (child == 0) {
    bool refused = false;
    try {
      (void)log->lock();
    } catch (const Error& error) {
      refused = error.code() == ErrorCode::invalid_argument;
    }
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  // The child's copy of the lock's descriptor died with the fork: the parent's is the only one.
  lock.reset();
  CHECK_NOTHROW((void)open_in(folder.path())->lock());
}

}  // namespace otolith::history
