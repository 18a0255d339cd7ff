// Every call of a run fails once and for good, with every error: typed errors, nothing
// acknowledged is lost, and work goes on when the disk does.
#include <set>

#include "history/test_log.h"
#include "io/fault_sweep.h"
#include "test/budget.h"

namespace otolith::history {

namespace {

// A run of two processes over appends, relaxed appends, rotation, sync and close.
class Scenario {
 public:
  explicit Scenario(io::SweepRun& run) : run_(run), disk_(run.disk) {}

  void live() {
    attempt([&] {
      TestProcess a = disk_.process();
      attempt([&] { append(a, "a1"); });
      attempt([&] { append(a, std::string(900, 'b')); });
      TestProcess b = disk_.process();
      attempt([&] { b.refresh(); });
      attempt([&] { append(b, "c3", true); });
      attempt([&] { append(a, std::string(2500, 'd')); });
      attempt([&] { append(b, "e5"); });
      attempt([&] { append(b, "f6", true); });
      attempt([&] { b.log->sync(); });
      attempt([&] { append(a, std::string(1500, 'g')); });
      attempt([&] { a.log->tend(); });
      attempt([&] { append(a, "h8"); });
      attempt([&] { a.log->close(); });
    });
  }

  void verify() {
    INFO(run_.describe());
    // Where the lock page could not be written, readers lag until the next writer has adopted what
    // stands in the log.
    TestProcess reader = disk_.reader();
    reader.refresh();
    check_sound(reader);
    TestProcess writer = disk_.process();
    const RecordNumber number = writer.append("more");
    reader.refresh();
    for (TestProcess* process : {&reader, &writer}) {
      process->seen.erase(value_of(number));
      check(*process);
    }
    disk_.disk.lose_power(
        [](const io::DiskState& state) { return io::after_power_loss(state, io::PowerLoss{}); });
    TestProcess later = disk_.process(small_log(), 2);
    later.refresh();
    if (later.seen.empty() || later.seen.rbegin()->second != "more")
      FAIL("what came after is lost");
    later.seen.erase(std::prev(later.seen.end()));
    check(later);
  }

 private:
  template <typename Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const Error& error) {
      INFO(run_.describe());
      INFO(std::string(error.what()));
      if (!run_.fault) FAIL("an error without a fault");
      if (error.code() == ErrorCode::corrupt) FAIL("a fault of the disk was taken for damage");
    }
  }

  void append(TestProcess& process, const std::string& text, bool relaxed = false) {
    try {
      const RecordNumber number = process.append(text, relaxed);
      if (!relaxed) acknowledged_.emplace(value_of(number), text);
    } catch (const Error& error) {
      if (error.outcome() == Outcome::failed) failed_.insert(text);
      throw;
    }
  }

  // Nothing acknowledged is missing.
  void check(const TestProcess& process) {
    check_sound(process);
    for (const auto& [number, text] : acknowledged_) {
      if (!process.seen.contains(number)) FAIL("record ", number, " is lost");
    }
  }

  // Nothing that failed for certain is there, and nothing in the place of what was acknowledged.
  void check_sound(const TestProcess& process) {
    for (const auto& [number, text] : process.seen) {
      const auto known = acknowledged_.find(number);
      if (known != acknowledged_.end() && known->second != text)
        FAIL("record ", number, " is lost");
      if (failed_.contains(text)) FAIL("record ", number, " had failed and is there");
    }
  }

  io::SweepRun& run_;
  TestDisk disk_;
  std::map<std::uint64_t, std::string> acknowledged_;
  std::set<std::string> failed_;
};

io::SweepCount sweep(const io::SweepBudget& budget) {
  const TestDisk prepared;
  return io::sweep_faults(prepared.disk, budget, [](io::SweepRun& run) {
    Scenario scenario(run);
    scenario.live();
    run.faults_end();
    scenario.verify();
  });
}

}  // namespace

TEST_CASE("log: each call fails with each error, and nothing acknowledged is lost") {
  const io::SweepCount count = sweep({.points_max = 400});
  MESSAGE("log: ", count.points, " of ", count.points_total, " points, ", count.fired, " fired");
  CHECK(count.fired * 10 >= count.points * 9);
}

TEST_SUITE("long") {
  TEST_CASE("log: each call fails with each error, all of them") {
    const auto time = std::chrono::duration<double>(test::budget_s());
    const io::SweepCount count =
        sweep({.time_max = std::chrono::duration_cast<std::chrono::nanoseconds>(time)});
    MESSAGE("log: ", count.points, " of ", count.points_total, " points, ", count.fired, " fired");
  }
}

}  // namespace otolith::history
