// The power cut, at every moment: a random program is recorded call by call, every state that the
// disk may be left in is opened, read, compared with what was committed, and written to again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <random>

#include "base/limits.h"
#include "db/hall.h"
#include "io/crash_states.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr int kStepsMax = 14;
constexpr std::uint64_t kStatesPerProgram = 1000;
constexpr int kCrashAgainEvery = 50;
constexpr double kStatesPerSecondMin = 50;  // of the budget; fewer: it runs, but tests little

/// Sizes so small that a few steps cross every limit; which ones, the seed says. Rows beyond the
/// inline limit get a segment of their own.
history::HistoryOptions small_sizes(std::mt19937_64& random) {
  constexpr std::array<std::uint64_t, 4> kInlineBytes{0, 60, 200, kInlineBytesMax};
  history::HistoryOptions sizes;
  sizes.log.file_bytes = (2 + random() % 7) << 10;
  sizes.log.preallocate_bytes = 2 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  sizes.tail_bytes_max = 1500;
  sizes.tail_commits_max = 1 + random() % 4;
  sizes.checkpoint_commits = 1 + random() % 5;
  sizes.inline_bytes_max = kInlineBytes[random() % kInlineBytes.size()];
  return sizes;
}

/// Each `boot` is another start of the machine: what the lock page says counts within one only.
Database open_on(const std::shared_ptr<io::Vfs>& vfs, const history::HistoryOptions& sizes,
                 std::uint64_t seed, std::uint64_t boot,
                 Durability durability = Durability::durable) {
  return db::Door::open(vfs, io::simulated_environment(seed, {.boot = boot, .process = seed}),
                        {.durability = durability}, sizes);
}

/// What the programs' disks held at the end.
struct Reached {
  std::uint64_t rotations = 0;
  std::uint64_t fresh_segments = 0;  // where no rows stand in frames
  std::uint64_t other_segments = 0;  // sealed from the tail, or of commits beyond the limit
  std::uint64_t crashed_again = 0;   // states of a crash within recovery, beside the others
};

/// What was committed, by commit number: its hash, all rows as of it, and their digests.
struct Truth {
  history::HistoryOptions sizes;
  std::vector<std::string> hashes{""};
  std::vector<std::string> rows{""};
  std::vector<std::map<std::string, model::StateDigest>> digests{{}};
};

std::string rows_at(const Snapshot& at) {
  std::string out;
  for (const std::string& name : at.datasets())
    out += name + ":\n" + text_of(at.table(name).read());
  return out;
}

/// One random program: tables made, rows appended by two handles, some large, some relaxed.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed), seed_(seed), recorder_(disk_) {
    relaxed_ = random_() % 3 == 0;
    sizes_ = small_sizes(random_);
  }

  io::CrashRecording run(Truth& truth, Reached& reached) {
    truth.sizes = sizes_;
    {
      auto db = open_handle();
      const int steps = 3 + static_cast<int>(random_() % kStepsMax);
      for (int step = 0; step < steps; ++step) {
        if (random_() % 6 == 0) db = open_handle();  // the one before closes: sync mark, checkpoint
        run_step(db, step);
        note(db, truth);
      }
      count(db, reached);
    }
    recorder_.mark_acknowledged(truth.hashes.size() - 1);  // closing makes relaxed commits durable
    return recorder_.finish();
  }

 private:
  Database open_handle() {
    return open_on(disk_.attach(), sizes_, ++seed_, 1,
                   relaxed_ ? Durability::relaxed : Durability::durable);
  }

  void run_step(Database& db, int step) {
    if (step == 0 || random_() % 8 == 0) {
      db.create_table(fmt::format("t{}", step), sensors());
      return;
    }
    const auto names = db.datasets();
    Recorder recorder = db.recorder({.author = "ana", .message = fmt::format("step {}", step)});
    const std::size_t touched = 1 + random_() % std::min<std::size_t>(2, names.size());
    for (std::size_t i = 0; i < touched; ++i) {
      const std::string& name = names[(random_() + i) % names.size()];
      recorder.append(name, batch_of(recorder.schema(name), random_rows(step)));
    }
    recorder.commit();
  }

  std::vector<Row> random_rows(int step) {
    std::vector<Row> rows;
    for (std::uint64_t i = 0; i <= random_() % 4; ++i) {
      const auto day = static_cast<std::int64_t>(random_() % 3) * 86'400'000'000'000;
      rows.push_back({day + static_cast<std::int64_t>(random_() % 1000),
                      std::string(1, static_cast<char>('a' + random_() % 3)),
                      static_cast<double>(step), kNull});
    }
    return rows;
  }

  void note(Database& db, Truth& truth) {
    const Commit head = db.head();
    if (static_cast<std::uint64_t>(head.number) < truth.hashes.size()) return;
    truth.hashes.push_back(head.hash);
    truth.rows.push_back(rows_at(db.at("HEAD")));
    truth.digests.push_back(db::Door::digests(db, head.number));
    REQUIRE(static_cast<std::uint64_t>(head.number) + 1 == truth.hashes.size());
    if (!relaxed_) recorder_.mark_acknowledged(truth.hashes.size() - 1);
  }

  void count(Database& db, Reached& reached) const {
    const Status status = db.status();
    reached.rotations += status.log_files - 1;
    for (const auto& [name, dataset] : status.datasets) {
      (sizes_.inline_bytes_max == 0 ? reached.fresh_segments : reached.other_segments) +=
          dataset.segments;
    }
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  history::HistoryOptions sizes_;
  io::SimDisk disk_;
  io::CrashRecorder recorder_;
  bool relaxed_ = false;
};

/// Opens what is left and holds it against the truth; throws Error or fails the test where it
/// differs.
void check_survivor(const io::SimDisk& disk, std::uint64_t acknowledged, const Truth& truth) {
  io::SimDisk mutable_disk = disk;
  Database db = open_on(mutable_disk.attach(), truth.sizes, 99, 3);
  const auto head = static_cast<std::uint64_t>(db.head().number);
  REQUIRE_MESSAGE(head >= acknowledged, "an acknowledged commit is lost");
  REQUIRE_MESSAGE(head < truth.hashes.size(), "a commit that nobody made");
  if (head > 0) REQUIRE(db.head().hash == truth.hashes[head]);
  REQUIRE(rows_at(db.at("HEAD")) == truth.rows[head]);
  for (std::uint64_t n = 0; n < head; ++n) {
    REQUIRE(db::Door::digests(db, CommitNumber{n}) == truth.digests[n]);
  }
  const Table after = db.create_table("after", sensors());
  after.append(batch_of(after.schema(), {{std::int64_t{1}, "z", 1.0, kNull}}));
  db.close();
  Database again = open_on(mutable_disk.attach(), truth.sizes, 100, 3);
  REQUIRE(static_cast<std::uint64_t>(again.head().number) == head + 2);
  REQUIRE(again.table("after").rows() == 1);
}

/// The power fails a second time while the first recovery runs.
void crash_again(const io::CrashState& state, const Truth& truth, std::uint64_t seed,
                 Reached& reached) {
  io::SimDisk disk = state.disk.copy();
  io::CrashRecorder recorder(disk);
  recorder.mark_acknowledged(state.acknowledged);
  {
    Database db = open_on(disk.attach(), truth.sizes, 98, 2);
    db.close();
  }
  const io::CrashRecording recovery = recorder.finish();
  io::for_each_crash_state(recovery, {.seed = seed, .states_max = 40}, [&](io::CrashState& second) {
    INFO("crashed again: ", second.describe());
    ++reached.crashed_again;
    check_survivor(second.disk, second.acknowledged, truth);
  });
}

std::uint64_t check_program(std::uint64_t seed, std::uint64_t states_max, Reached& reached) {
  Truth truth;
  const io::CrashRecording recording = Program(seed).run(truth, reached);
  std::uint64_t states = 0;
  io::for_each_crash_state(recording, {.seed = seed, .states_max = states_max},
                           [&](io::CrashState& state) {
                             INFO("OTOLITH_SEED=", seed, ": ", state.describe());
                             if (++states % kCrashAgainEvery == 0) {
                               crash_again(state, truth, seed + states, reached);
                             }
                             check_survivor(state.disk, state.acknowledged, truth);
                           });
  return states;
}

}  // namespace

TEST_SUITE_BEGIN("long");

TEST_CASE(
    "crash: after a power cut at any moment, every acknowledged commit is there and none is half") {
  std::uint64_t states = 0;
  std::uint64_t programs = 0;
  Reached reached;
  for (const Budget budget; budget.left(); ++programs) {
    states += check_program(seed() + programs, kStatesPerProgram, reached);
  }
  MESSAGE(states, " crash states of ", programs, " programs from seed ", seed(), ", and ",
          reached.crashed_again, " of crashes within recovery; ", reached.rotations, " rotations, ",
          reached.fresh_segments, " segments of commits without inlined rows, ",
          reached.other_segments, " others");
  CHECK(static_cast<double>(states) >= kStatesPerSecondMin * budget_s());
}

TEST_SUITE_END();

TEST_CASE("crash: a few hundred states of fixed programs, with rotations, seals and segments") {
  Reached reached;
  std::uint64_t states = 0;
  for (std::uint64_t seed = 7; seed < 19; ++seed) states += check_program(seed, 40, reached);
  CHECK(states > 200);
  CHECK(reached.rotations > 0);
  CHECK(reached.fresh_segments > 0);
  CHECK(reached.other_segments > 0);
}

}  // namespace otolith::test
