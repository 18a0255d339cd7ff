// Writers of all verbs killed and stopped at any moment, beside a reader that checks every commit
// it meets.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>

#include "db/hall.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/processes/diary.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr int kWriters = 2;
constexpr int kCyclesMin = 500;  // where there are kLongBudgetS or more
constexpr double kLongBudgetS = 20;
constexpr double kCyclesPerSecondMin = 5;  // of a smaller budget
constexpr int kReaderCycles = 40;          // then another reader begins
constexpr double kPatienceS = 20;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 64 << 10;
  sizes.log.preallocate_bytes = 16 << 10;
  sizes.log.reserve_bytes = 16 << 10;
  sizes.tail_commits_max = 25;
  sizes.checkpoint_commits = 40;
  sizes.sweep_after_ns = 0;  // of what was joined
  sizes.inline_bytes_max = 16 << 10;
  return sizes;
}

Database open(const std::string& path) {
  return db::Door::open(path, {.threads = 1, .memory_bytes = 1 << 20}, small_sizes());
}

std::string name_of(int writer) { return "writer " + std::to_string(writer); }

/// What parent and children share.
struct Shared {
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::int64_t> acknowledged[kWriters]{};  // steps
};

struct Unmap {
  void operator()(Shared* shared) const { ::munmap(shared, sizeof(Shared)); }
};

std::unique_ptr<Shared, Unmap> share() {
  void* const at =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(at != MAP_FAILED);
  return std::unique_ptr<Shared, Unmap>(new (at) Shared);
}

// Goes on behind the last step that stands.
void write_for_ever(const std::string& path, Shared& shared, int writer) {
  Database db = open(path);
  Diary diary(name_of(writer));
  db.sync();  // adopts what the one before was killed with
  diary.reach(step_at(db, diary.writer(), db.head().number));
  while (true) {
    diary.go_on(&db);
    shared.acknowledged[writer] = diary.step();
  }
}

// Each commit it meets shows what its writers' steps have made of their tables, and all that was
// acknowledged before it was asked for.
void read_for_ever(const std::string& path, Shared& shared) {
  const Database db = Database::open(path, {.read_only = true, .threads = 1});
  Diary diaries[kWriters]{Diary(name_of(0)), Diary(name_of(1))};
  CommitNumber before{0};
  while (!shared.over) {
    std::int64_t least[kWriters];
    for (int i = 0; i < kWriters; ++i) least[i] = shared.acknowledged[i];
    const Snapshot at = db.at("HEAD");
    const CommitNumber number = at.commit().number;
    if (number < before) throw Error(ErrorCode::corrupt, "HEAD went back");
    before = number;
    for (int i = 0; i < kWriters; ++i) {
      Diary& diary = diaries[i];
      const std::int64_t step = step_at(db, diary.writer(), number);
      if (step < 0) continue;
      diary.reach(step);
      // Steps that only tidy make no commit.
      Diary later = diary;
      while (later.step() < least[i]) later.go_on();
      const std::string wrong = diary.wrong(at);
      if (!wrong.empty())
        throw Error(ErrorCode::corrupt,
                    fmt::format("{} at step {}: {}", diary.writer(), step, wrong));
      if (!later.wrong(at).empty() && later.step() > diary.step())
        throw Error(ErrorCode::corrupt, fmt::format("{} misses step {}", diary.writer(), least[i]));
    }
    ++shared.reads;
  }
}

// Some steps of both together; a machine that others use may make it wait.
void let_them_go_on(const Shared& shared, std::int64_t steps) {
  const auto made = [&] { return shared.acknowledged[0] + shared.acknowledged[1]; };
  const std::int64_t wanted = made() + steps;
  const auto begin = std::chrono::steady_clock::now();
  while (made() < wanted) {
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    REQUIRE_MESSAGE(waited.count() < kPatienceS, "no writer goes on");
    ::usleep(100);
  }
}

void expect_more_reads(const Shared& shared) {
  const std::uint64_t before = shared.reads;
  const auto begin = std::chrono::steady_clock::now();
  while (shared.reads < before + 2) {
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    REQUIRE_MESSAGE(waited.count() < kPatienceS, "a stopped writer holds up a reader");
    ::usleep(200);
  }
}

// All that was acknowledged is there, and at most the step that was under way besides.
void check_writers(const Database& db, Shared& shared) {
  const Snapshot at = db.at("HEAD");
  for (int i = 0; i < kWriters; ++i) {
    Diary diary(name_of(i));
    const std::int64_t step = step_at(db, diary.writer(), at.commit().number);
    REQUIRE(step >= 0);
    REQUIRE(step <= shared.acknowledged[i] + 1);
    diary.reach(std::max<std::int64_t>(step, shared.acknowledged[i]));
    const std::string wrong = diary.wrong(at);
    INFO(diary.writer(), " at step ", step, ", acknowledged ", shared.acknowledged[i].load());
    REQUIRE(wrong.empty());
    shared.acknowledged[i] = diary.step();
  }
}

}  // namespace

TEST_SUITE_BEGIN("long");

TEST_CASE("processes: writers of all verbs, killed or stopped at any moment, leave whole commits") {
  Folder folder;
  const std::string path = folder.path("diary.oto");
  {
    Database db = open(path);
    for (int i = 0; i < kWriters; ++i) Diary(name_of(i)).begin(db);
  }
  const auto shared = share();
  std::mt19937_64 random(seed());
  const int wanted =
      budget_s() >= kLongBudgetS ? kCyclesMin : static_cast<int>(kCyclesPerSecondMin * budget_s());
  int cycles = 0;
  int stops = 0;
  std::unique_ptr<Child> reader;
  const Budget budget;
  for (; cycles < wanted || budget.left(); ++cycles) {
    INFO("cycle ", cycles, " seed ", seed());
    if (cycles % kReaderCycles == 0) {
      shared->over = true;
      if (reader) REQUIRE(reader->finish() == 0);  // 9: an error
      shared->over = false;
      reader = std::make_unique<Child>([&](int) { read_for_ever(path, *shared); });
    }
    std::vector<std::unique_ptr<Child>> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.push_back(std::make_unique<Child>([&, i](int) { write_for_ever(path, *shared, i); }));
    }
    let_them_go_on(*shared, 1 + static_cast<std::int64_t>(random() % 12));
    ::usleep(static_cast<useconds_t>(random() % 4'000));
    if (cycles % 2 == 1) {
      ++stops;
      writers[random() % kWriters]->signal(SIGSTOP);
      expect_more_reads(*shared);
    }
    for (const auto& writer : writers) REQUIRE(writer->finish(SIGKILL) == -SIGKILL);
    Database db = open(path);
    db.sync();  // adopts what the killed had in flight, which would turn up a cycle later
    check_writers(db, *shared);
    if (cycles % 50 == 0) REQUIRE(db.verify().problems.empty());
  }
  shared->over = true;
  CHECK(reader->finish() == 0);
  Database db = open(path);
  db.compact();
  const Status status = db.status();
  INFO(status.unnamed_files, " files of ", status.unnamed_bytes, " bytes");
  CHECK(status.unnamed_files == 0);
  CHECK(db.verify().problems.empty());
  MESSAGE(cycles, " cycles of kill -9, a writer stopped before in ", stops, ", ",
          shared->acknowledged[0] + shared->acknowledged[1], " steps beside ", shared->reads.load(),
          " checked reads");
  CHECK(cycles >= wanted);
  CHECK(stops >= wanted / 2);
  CHECK(shared->reads > static_cast<std::uint64_t>(cycles));
  CHECK(shared->acknowledged[0] + shared->acknowledged[1] > 2 * cycles);
}

TEST_SUITE_END();

}  // namespace otolith::test
