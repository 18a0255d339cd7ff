// Every call of many small histories fails with every error, once and for good: nothing
// acknowledged is lost, nothing that failed is there, no fault is taken for damage, and work goes
// on without a restart when the disk is well again.
#include <doctest/doctest.h>

#include <array>

#include "base/error.h"
#include "history/history_fixture.h"
#include "io/fault_sweep.h"
#include "test/budget.h"

namespace otolith::history::test {

namespace {

// One letter a step, capitals by the second handle: p put, r relaxed put, l large put, g relaxed
// put of a segment, t tag, u untag, b rollback, v revert of HEAD, s sync, c checkpoint, h read
// HEAD, x close and open again, k killed and opened again; d the lock file is removed.
constexpr std::array kScenarios = {
    "ppp",       "pPpP",        "prpr",   "rrrr",    "rRrR",      "prPRp", "lll",    "lLlL",
    "rlRL",      "plplpl",      "lrlrlr", "rrrrP",   "gP",        "gGp",   "grgR",   "gsP",
    "gxp",       "GkP",         "tptp",   "ptup",    "tuTU",      "rtRT",  "ppbp",   "ppBhp",
    "prbPh",     "ppvp",        "pvVv",   "prvRp",   "pbvBV",     "rsRS",  "prsPRS", "pcPC",
    "ppppcpppp", "rcRC",        "pxPX",   "rxRX",    "ppppxpppp", "pkPK",  "rkRp",   "rKrKp",
    "lkLKl",     "pdP",         "rdRp",   "pdkPdKp", "lldLL",     "hpHPh", "phrHRh", "prltbvsc",
    "pRlTBvSC",  "gtGbxPKrdpsc"};

class Scenario {
 public:
  Scenario(io::SweepRun& run, std::string_view steps) : run_(run), ground_(1) {
    ground_.disk = run.disk;
    ground_.options.log.file_bytes = 2048;
    ground_.options.log.preallocate_bytes = 1024;
    ground_.options.log.reserve_bytes = 1024;
    ground_.options.log.lock_wait_ns = 20'000'000;
    ground_.options.checkpoint_commits = 4;
    attempt([&] { open(0); });
    attempt([&] { open(1); });
    for (const char step : steps) attempt([&] { take(step); });
    run.faults_end();
  }

  /// First by one who only looks: a write could heal what it sees. Where every later call fails too
  /// nobody could be told, and others see the last commit when somebody writes.
  void verify() {
    INFO(run_.describe());
    if (!run_.fault || !run_.fault->sticky) {
      compare(*ground_.open(true), "a fresh read-only handle");
      for (const auto& handle : handles_) {  // which may not see for a while that the lock is gone
        if (handle && !lock_removed_) compare(*handle, "a handle that was open");
      }
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (!handles_[i]) open(i);
      handles_[i]->head();
      put(i, "after", false);
    }
    for (auto& handle : handles_) close(*handle);
    handles_ = {};
    const auto opened = ground_.open();
    opened->verify([](const Error& error) { FAIL(std::string(error.what())); });
    compare(*opened, "a fresh handle after all were closed");
  }

 private:
  void compare(History& history, const std::string& who) {
    const CommitNumber head = history.head()->number();
    for (const auto& [number, hash] : acknowledged_) {
      if (number > head) {
        FAIL_CHECK(who, " misses commit ", value_of(number));
      } else if (history.commit_info(number).hash != hash) {
        FAIL_CHECK(who, " has another commit ", value_of(number));
      }
    }
    for (const Commit& commit : history.log({})) {
      if (failed_.contains(commit.message))
        FAIL_CHECK(who, " has ", commit.message, ", which had failed");
    }
  }

  // Where a failed sync took relaxed commits with it, closing says so, once.
  void close(History& handle) {
    try {
      handle.close();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::io || error.where().commits.empty()) throw;
      for (const std::uint64_t lost : error.where().commits) CHECK(relaxed_.contains(lost));
      CHECK_FALSE(handle.status().lost.empty());
      handle.close();
    }
  }

  template <typename Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) return;
      INFO(std::string(error.what()));
      FAIL(run_.describe(), ": a fault of the disk was taken for damage");
    }
  }

  void open(std::size_t which) {
    vfs_[which] = ground_.disk.attach();
    const std::uint64_t process = ++ground_.processes;
    auto environment = io::simulated_environment(1 + 100 * process, {.process = process});
    handles_[which] =
        History::open(vfs_[which], std::move(environment), database_id(), ground_.options);
  }

  History& handle(std::size_t which) {
    if (!handles_[which]) open(which);
    return *handles_[which];
  }

  void take(char step) {
    const bool second = step < 'a';
    const std::size_t which = second ? 1 : 0;
    switch (second ? step - 'A' + 'a' : step) {
      case 'p':
        return put(which, "row", false);
      case 'r':
        return put(which, "row", true);
      case 'l':
        return put(which, std::string(1200, 'l'), false);
      case 'g':
        return commit(which, request_of({segment_of(kFirst, ++segments_)}, true));
      case 't':
        return handle(which).tag(second ? "T" : "t", CommitNumber{1});
      case 'u':
        return handle(which).untag(second ? "T" : "t");
      case 'b':
        return commit(which, rollback_to(CommitNumber{1}));
      case 'v':
        return revert_head(which);
      case 's':
        return handle(which).sync();
      case 'c':
        return handle(which).checkpoint();
      case 'h':
        (void)handle(which).head();
        return;
      case 'x':
        handle(which).close();
        handles_[which].reset();
        return;
      case 'k':
        if (vfs_[which]) ground_.disk.kill(*vfs_[which]);
        handles_[which].reset();
        return;
      default:
        lock_removed_ = true;
        return ground_.disk.attach()->remove("lock");
    }
  }

  // But the commit that made the dataset.
  void revert_head(std::size_t which) {
    const CommitNumber head = handle(which).head()->number();
    if (head > CommitNumber{1}) commit(which, revert_of(head));
  }

  void put(std::size_t which, std::string_view row, bool relaxed) {
    commit(which, test::put(kFirst, row, relaxed));
  }

  void commit(std::size_t which, CommitRequest request) {
    History& history = handle(which);
    request.message = fmt::format("issued {}", ++issued_);
    const std::string message = request.message;
    try {
      const Commit made = history.commit(std::move(request));
      if (made.durable) acknowledged_.emplace(made.number, made.hash);
      if (!made.durable) relaxed_.insert(value_of(made.number));
    } catch (const Error& error) {
      if (error.outcome() == Outcome::failed) failed_.insert(message);
      throw;
    }
  }

  bool lock_removed_ = false;
  io::SweepRun& run_;
  Ground ground_;
  std::array<std::shared_ptr<io::Vfs>, 2> vfs_;
  std::array<std::unique_ptr<History>, 2> handles_;
  std::map<CommitNumber, std::string> acknowledged_;  // hashes of durable commits
  std::set<std::uint64_t> relaxed_;                   // numbers of commits that may be lost
  std::set<std::string> failed_;                      // messages of commits that failed for certain
  std::uint64_t issued_ = 0;
  std::uint64_t segments_ = 0;
};

io::SweepCount sweep(std::string_view steps, const io::SweepBudget& budget) {
  Ground prepared;
  {
    const auto history = prepared.open();
    history->commit(create_request("a"));
    history->close();
  }
  return io::sweep_faults(prepared.disk, budget, [&](io::SweepRun& run) {
    INFO(std::string(steps));
    Scenario(run, steps).verify();
  });
}

void sweep_all(std::size_t every, const io::SweepBudget& budget) {
  io::SweepCount all;
  std::size_t scenarios = 0;
  for (std::size_t i = 0; i < kScenarios.size(); i += every, ++scenarios) {
    const io::SweepCount count = sweep(kScenarios[i], budget);
    all.points += count.points;
    all.points_total += count.points_total;
    all.fired += count.fired;
  }
  MESSAGE("history: ", all.points, " of ", all.points_total, " points of ", scenarios,
          " scenarios, ", all.fired, " fired");
  CHECK(all.fired * 10 >= all.points * 9);
}

}  // namespace

TEST_CASE("history: each call fails with each error, and nothing acknowledged is lost") {
  sweep_all(7, {.points_max = 40});
}

TEST_SUITE("long") {
  TEST_CASE("history: each call of fifty scenarios fails with each error") {
    const std::chrono::duration<double> each(otolith::test::budget_s() / kScenarios.size());
    sweep_all(1, {.time_max = std::chrono::duration_cast<std::chrono::nanoseconds>(each)});
  }
}

}  // namespace otolith::history::test
