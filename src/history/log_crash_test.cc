// Power loss at any operation: what was durable survives, the rest is whole and in order, the log
// opens by itself and goes on.
#include "history/log_story.h"
#include "test/budget.h"

namespace otolith::history {

namespace {

constexpr int kSteps = 40;

// Opens what a crash left, reads it without and with a lock, and appends.
void check_state(const LogStory& story, const io::SimDisk& found, std::uint64_t durable_to,
                 std::uint64_t boot) {
  TestDisk disk(found);
  const auto reader = std::make_unique<TestProcess>(disk.reader(boot));
  reader->refresh();
  CHECK(story.complaint(*reader, durable_to) == "");

  TestProcess writer = disk.process(small_log(), boot);
  writer.refresh();
  const std::string before = writer.texts();
  CHECK(reader->texts() == before);
  const RecordNumber number = writer.append("more");
  writer.seen.erase(value_of(number));
  CHECK(writer.texts() == before);
  CHECK(story.complaint(writer, durable_to) == "");

  disk.disk.lose_power(
      [](const io::DiskState& state) { return io::after_power_loss(state, io::PowerLoss{}); });
  TestProcess again = disk.process(small_log(), boot + 1);
  CHECK(again.refreshed() == (before.empty() ? "more" : before + " more"));
}

// Loses power once more, at one moment of the recovery of this state.
void check_crash_within_recovery(const LogStory& story, io::CrashState& state) {
  TestDisk disk(state.disk.copy());
  io::CrashRecorder recorder(disk.disk);
  disk.process(small_log(), 2).append("7000000");
  io::for_each_crash_state(recorder.finish(), {.seed = state.point, .states_max = 8},
                           [&](io::CrashState& second) {
                             TestProcess opened = TestDisk(second.disk).process(small_log(), 3);
                             opened.refresh();
                             opened.seen.erase(value_of(opened.log->last()));
                             TestProcess late = TestDisk(second.disk).process(small_log(), 3);
                             late.append("more");
                           });
  (void)story;
}

struct Reached {
  std::uint64_t stories = 0;
  std::uint64_t states = 0;
  std::uint64_t stripped = 0;  // files
};

void live_through(std::uint64_t seed, const io::CrashBudget& budget, StoryPlot plot,
                  Reached& reached) {
  CAPTURE(seed);
  io::SimDiskOptions options;
  options.seed = seed;
  TestDisk disk(options);
  io::CrashRecorder recorder(disk.disk);
  LogStory story(disk, seed, plot);
  for (int i = 0; i < kSteps; ++i) {
    story.step([&](std::uint64_t durable_to) { recorder.mark_acknowledged(durable_to); });
  }
  std::uint64_t states = 0;
  io::for_each_crash_state(recorder.finish(), budget, [&](io::CrashState& state) {
    INFO(state.describe());
    if (++states % 50 == 0) check_crash_within_recovery(story, state);
    check_state(story, state.disk, state.acknowledged, 2);
  });
  ++reached.stories;
  reached.states += states;
  reached.stripped += story.stripped();
}

}  // namespace

TEST_CASE("log: what was durable survives a power loss at any operation") {
  Reached reached;
  const std::uint64_t seed = test::seed();
  for (std::uint64_t i = 0; i < 6; ++i) {
    live_through(seed + i, {.seed = seed + i, .states_max = 150}, {}, reached);
  }
  MESSAGE("log: ", reached.states, " crash states of ", reached.stories, " runs from seed ", seed);
  CHECK(reached.stripped > 0);
}

TEST_SUITE("long") {
  TEST_CASE("log: what was durable survives a power loss, many runs") {
    Reached reached;
    const std::uint64_t seed = test::seed();
    for (const test::Budget budget; budget.left();) {
      const std::uint64_t i = seed + 1000 + reached.stories;
      live_through(i, {.seed = i, .states_max = 400}, {}, reached);
    }
    MESSAGE("log: ", reached.states, " crash states of ", reached.stories, " runs from seed ",
            seed);
  }
}

}  // namespace otolith::history
