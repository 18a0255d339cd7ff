// A sweep meets every point, and a workload that mishandles one error is caught by it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "io/fault_sweep.h"
#include "io/power_loss.h"

namespace otolith::io {

namespace {

struct Bugs {
  bool acknowledges_failed_sync = false;
  bool forgets_directory_error = false;
  bool leaves_partial_file = false;
};

// Saves three files, each written aside, synced, renamed, its directory synced. Returns those
// saved.
std::set<std::string> save_three(Vfs& vfs, Bugs bugs) {
  std::set<std::string> saved;
  for (const std::string name : {"a", "b", "c"}) {
    const std::string aside = bugs.leaves_partial_file ? name : name + ".new";
    try {
      vfs.remove(aside);
      auto file = vfs.open(aside, OpenMode::create);
      file->write_at(0, as_bytes_view(std::string(1000, name[0])));
      try {
        file->sync();
      } catch (const Error&) {
        if (!bugs.acknowledges_failed_sync) throw;
      }
      if (aside != name) vfs.rename(aside, name);
      try {
        vfs.sync_dir("");
      } catch (const Error&) {
        if (!bugs.forgets_directory_error) throw;
      }
      saved.insert(name);
    } catch (const Error&) {
    }
  }
  return saved;
}

// Points at which a saved file is missing after power loss, or a file that shows is not whole.
std::uint64_t failures(Bugs bugs, const SweepBudget& budget = {}, SweepCount* count = nullptr) {
  std::uint64_t wrong = 0;
  const SweepCount reached = sweep_faults(SimDisk(), budget, [&](SweepRun& run) {
    const std::set<std::string> saved = save_three(*run.disk.attach(), bugs);
    run.faults_end();
    run.disk.lose_power(
        [](const DiskState& state) { return after_power_loss(state, {PowerLoss::Kind::nothing}); });
    auto vfs = run.disk.attach();
    bool right = true;
    for (const std::string name : {"a", "b", "c"}) {
      if (!vfs->exists(name)) {
        right = right && !saved.contains(name);
        continue;
      }
      right = right && vfs->open(name, OpenMode::read)->stat().size == 1000;
    }
    if (!right) wrong++;
  });
  if (count != nullptr) *count = reached;
  return wrong;
}

}  // namespace

TEST_CASE("fault sweep: a careful workload passes at every point, and every fault is met") {
  SweepCount count;
  CHECK(failures({}, {}, &count) == 0);
  CHECK(count.points == count.points_total);
  CHECK(count.fired == count.points);
  CHECK(count.points > 100);
}

TEST_CASE("fault sweep: a failed sync taken for success is found") {
  CHECK(failures({.acknowledges_failed_sync = true}) > 0);
}

TEST_CASE("fault sweep: a forgotten error of a directory's sync is found") {
  CHECK(failures({.forgets_directory_error = true}) > 0);
}

TEST_CASE("fault sweep: a partial file left behind is found") {
  CHECK(failures({.leaves_partial_file = true}) > 0);
}

TEST_CASE("fault sweep: a budget ends it early and is told") {
  SweepCount count;
  (void)failures({}, {.points_max = 10}, &count);
  CHECK(count.points == 10);
  CHECK(count.points_total > 100);
  (void)failures({}, {.time_max = std::chrono::nanoseconds(0)}, &count);
  CHECK(count.points == 0);
}

TEST_CASE("fault sweep: a run tells which call fails and how") {
  bool sticky_short_write_seen = false;
  (void)sweep_faults(SimDisk(), {}, [&](SweepRun& run) {
    try {
      run.disk.attach()->open("a", OpenMode::create)->write_at(0, as_bytes_view("text"));
    } catch (const Error&) {
    }
    run.faults_end();
    const std::string text = run.describe();
    CHECK((text == "no fault") == !run.fault.has_value());
    sticky_short_write_seen =
        sticky_short_write_seen ||
        text ==
            "call 1 that can fail so fails: No space left on device after a short write, "
            "and every later one";
  });
  CHECK(sticky_short_write_seen);
}

}  // namespace otolith::io
