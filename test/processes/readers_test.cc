// Many readers beside a writer: nobody waits for a lock, none misses a commit.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr int kReaders = 128;
constexpr std::int64_t kSmallCommits = 200;  // so that few more change what a read costs
constexpr std::int64_t kRowsBefore = 1000 + kSmallCommits;
constexpr double kAloneS = 0.8;  // of each phase, at least
constexpr double kPatienceS = 30;
constexpr std::uint64_t kCommitsMin = 5;

enum Phase : int { begin, alone, beside_a_writer, over };

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// What parent and children share.
struct Shared {
  std::atomic<int> phase{Phase::begin};
  std::atomic<std::uint64_t> reads[4]{};  // by phase
  std::atomic<std::uint64_t> stale{0};    // reads that missed a commit acknowledged before
  std::atomic<std::uint64_t> acknowledged{0};
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

void read_for_ever(const std::string& path, Shared& shared, int pipe) {
  const Database db = Database::open(path, {.read_only = true});
  const Table table = db.table("t");
  say(pipe, static_cast<std::int64_t>(table.rows()));
  while (true) {
    const int phase = shared.phase;
    if (phase == Phase::over) return;
    if (phase == Phase::begin) {
      ::usleep(1000);
      continue;
    }
    const std::uint64_t least = shared.acknowledged;
    if (table.read({.columns = {{"value"}}, .keys = {{"sensor", {"a"}}}}).rows() < least) {
      ++shared.stale;
    }
    ++shared.reads[phase];
  }
}

void write_for_ever(const std::string& path, Shared& shared) {
  const Database db = Database::open(path);
  const Table table = db.table("t");
  for (std::int64_t i = 2000; shared.phase != Phase::over; ++i) {
    table.append(batch_of(table.schema(), {{i, "a", 1.0, kNull}}));
    ++shared.acknowledged;
  }
}

}  // namespace

TEST_CASE("processes: 128 readers beside a writer meet no lock and miss no commit") {
  Folder folder;
  const std::string path = folder.path("read.oto");
  const auto shared = share();
  {
    Database db = Database::open(path);
    const Table table = db.create_table("t", sensors());
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 1000; ++i) rows.push_back({i, "a", 0.5, kNull});
    table.append(batch_of(table.schema(), rows));
    for (std::int64_t i = 0; i < kSmallCommits; ++i) {
      table.append(batch_of(table.schema(), {{i, "a", 0.5, kNull}}));
    }
    shared->acknowledged = kRowsBefore;
  }
  std::vector<std::unique_ptr<Child>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(
        std::make_unique<Child>([&](int pipe) { read_for_ever(path, *shared, pipe); }));
  }
  for (const auto& reader : readers) REQUIRE(reader->next() == kRowsBefore);
  // A writer among so many has a hundredth of the cores, and so has each reader.
  const auto for_a_while = [&](Phase phase, std::uint64_t commits) {
    const std::uint64_t before = shared->acknowledged;
    const auto begin = Clock::now();
    shared->phase = phase;
    const auto seen = [&] {
      return shared->acknowledged - before >= commits && shared->reads[phase] > 0;
    };
    while (seconds_since(begin) < kAloneS || (!seen() && seconds_since(begin) < kPatienceS)) {
      ::usleep(10'000);
    }
    return seconds_since(begin);
  };
  const double alone_s = for_a_while(Phase::alone, 0);
  Child writer([&](int) { write_for_ever(path, *shared); });
  while (shared->acknowledged == kRowsBefore) ::usleep(1000);
  const std::uint64_t before = shared->acknowledged;
  const double beside_s = for_a_while(Phase::beside_a_writer, kCommitsMin);
  const std::uint64_t commits = shared->acknowledged - before;
  shared->phase = Phase::over;
  for (const auto& reader : readers) CHECK(reader->finish() == 0);  // 9: an error
  CHECK(writer.finish() == 0);
  const auto rate = [](std::uint64_t count, double s) { return static_cast<double>(count) / s; };
  MESSAGE(kReaders, " readers: ", rate(shared->reads[Phase::alone], alone_s), " reads/s alone, ",
          rate(shared->reads[Phase::beside_a_writer], beside_s), " beside a writer of ",
          rate(commits, beside_s), " commits/s");
  CHECK(shared->stale == 0);
  CHECK(commits >= kCommitsMin);
  CHECK(shared->reads[Phase::beside_a_writer] > 0);
  CHECK(Database::open(path).table("t").rows() == shared->acknowledged);
}

}  // namespace otolith::test
