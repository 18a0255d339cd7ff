// Every call of lives with all writing verbs fails with every error, once and for good: what is
// read then is a state that may have come of what was asked, and each commit is there whole or not.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

#include "base/ids.h"
#include "db/hall.h"
#include "io/fault_sweep.h"
#include "test/budget.h"
#include "test/faults/issued.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

// One letter a step, small ones by a durable handle, capitals by a relaxed one: a appends a row, g
// as many as get a segment, d deletes a range, e a key, p replaces a range, l adds a column, m
// renames one and notes something, v renames the table, n makes a second one, o drops it, h records
// several operations of several tables, b as many rows that they go into a file before the commit,
// c compacts, s syncs, w waits, r reads all, x closes and opens again, k is killed and opened
// again, q puts documents, i deletes some, z rolls all back to what was there at first.
constexpr std::array kScenarios = {
    "ad",        "gdr",     "ae",      "gep",    "ap",        "gpx",      "al",       "lml",
    "gmlax",     "av",      "vavk",    "no",     "onan",      "ho",       "nhx",      "ghk",
    "b",         "nbx",     "bkb",     "ac",     "gacr",      "adcx",     "pcpw",     "lclc",
    "aDAs",      "APSx",    "LaLx",    "VaVk",   "nHhSw",     "bckc",     "glpdcvxr", "nbdchokx",
    "aaadcaaad", "wawdwpw", "naovnxh", "gcgcge", "dkplvxcbr", "AcDcPcsw", "hhhhchx",  "noxnokc",
    "q",         "qiqx",    "gqcqc",   "qkqi",   "az",        "gdzc",     "qzqx",     "lvzap",
    "nqhzx",     "QzQIs"};

constexpr int kFirstCommits = 2;  // that each life begins with
constexpr std::int64_t kRowsOfSegment = 40;
constexpr std::int64_t kLongRows = 70;  // of kLongBytes each: beyond a third of the least memory
constexpr std::int64_t kTimesPerStep = 1000;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 4 << 10;
  sizes.log.preallocate_bytes = 1 << 10;
  sizes.log.reserve_bytes = 1 << 10;
  sizes.tail_bytes_max = 1500;
  sizes.tail_commits_max = 3;
  sizes.checkpoint_commits = 3;
  sizes.sweep_after_ns = 0;  // of what was joined
  sizes.inline_bytes_max = 400;
  return sizes;
}

class Life {
 public:
  Life(io::SweepRun& run, std::string_view steps) : run_(run), issued_(first_) {
    attempt([&] { (void)handle(0); });
    attempt([&] { (void)handle(1); });
    for (const char step : steps) attempt([&] { take(step); });
    run.faults_end();
  }

  /// First by those who only look: a write could heal what they see. Where every later call fails
  /// too nobody could be told, and others see the last commit when somebody writes.
  void verify() {
    INFO(run_.describe());
    if (!run_.fault || !run_.fault->sticky) {
      check_fresh("a fresh read-only handle");
      for (auto& open : handles_) {
        if (open) check(*open, "an open handle");
      }
    }
    for (std::size_t i = 0; i < handles_.size(); ++i) write_again(i);
    for (std::size_t i = 0; i < handles_.size(); ++i) close_at_the_end(i);
    check_fresh("a fresh handle after all were closed");
    Database last = open({.threads = 1});
    last.compact();
    check(last, "the last handle, behind compact");
    for (const Problem& problem : last.verify().problems) FAIL_CHECK(problem.what);
    if (last.status().unnamed_files != 0) FAIL_CHECK("files that nobody needs are left");
  }

 private:
  Database open(const OpenOptions& options, std::shared_ptr<io::Vfs> vfs = nullptr) {
    if (!vfs) vfs = run_.disk.attach({.read_only = options.read_only});
    const std::uint64_t process = ++processes_;
    auto environment = io::simulated_environment(1 + 100 * process, {.process = process});
    return db::Door::open(vfs, std::move(environment), options, small_sizes());
  }

  Database& handle(std::size_t which) {
    if (!handles_[which]) {
      vfs_[which] = run_.disk.attach();
      handles_[which] = open({.durability = which == 0 ? Durability::durable : Durability::relaxed,
                              .threads = 1,
                              .memory_bytes = 1 << 20,
                              .lock_wait_ns = 20'000'000},
                             vfs_[which]);
    }
    return *handles_[which];
  }

  template <typename Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const Error& error) {
      pending_.clear();  // whether they are lost is not asked
      if (error.code() != ErrorCode::corrupt) return;
      FAIL_CHECK(run_.describe(),
                 ": a fault of the disk was taken for damage: ", std::string(error.what()));
    }
  }

  void take(char step) {
    which_ = step < 'a' ? 1 : 0;
    Database db = handle(which_);
    ++steps_;
    const std::string name = db.contains("v") ? "v" : "t";
    switch (step < 'a' ? step - 'A' + 'a' : step) {
      case 'a':
      case 'g':
        return append(db, name, step == 'g' ? kRowsOfSegment : 1);
      case 'd':
        return remove(db, name, {.start = Timestamp{1}, .stop = Timestamp{steps_ * 500}});
      case 'e':
        return remove(db, name, {.keys = {{"sensor", {"a"}}}});
      case 'p':
        return replace(db, name);
      case 'l':
      case 'm':
        return alter(db, name, step);
      case 'v':
        return rename(db, name);
      case 'n':
      case 'o':
        return step == 'n' ? create(db) : drop(db);
      case 'h':
      case 'b':
        return record(db, name, step == 'b');
      case 'q':
        return put(db);
      case 'i':
        return remove_documents(db);
      case 'z':
        return rollback(db);
      default:
        return tend(db, step < 'a' ? step - 'A' + 'a' : step);
    }
  }

  void tend(Database& db, int step) {
    if (step == 'c') {
      db.compact();
    } else if (step == 's') {
      db.sync();
      acknowledge_relaxed();
    } else if (step == 'w') {
      (void)db.wait({.after = CommitNumber{0}, .timeout_ns = 0});
    } else if (step == 'r') {
      (void)issued_state(db.at("HEAD"));
    } else if (step == 'x') {
      handles_[which_].reset();  // the copy stays; it is closed even where that fails
      db.close();
      acknowledge_relaxed();
    } else {
      run_.disk.kill(*vfs_[which_]);
      handles_[which_].reset();
      pending_.clear();
    }
  }

  // Asks for a commit and notes what it does and what came of it.
  void ask(std::function<bool(IssuedState&)> effect, const std::function<Commit()>& call) {
    const std::size_t number = issued_.add(std::move(effect));
    try {
      const Commit made = call();
      issued_.at(number).fate = made.durable ? Issued::Fate::acknowledged : Issued::Fate::relaxed;
      if (!made.durable && which_ == 1) pending_.push_back(number);
      if (made.durable) acknowledged_[made.number] = {made.hash, issued_.states()};
    } catch (const Error& error) {
      if (error.outcome() == Outcome::failed) issued_.at(number).fate = Issued::Fate::failed;
      throw;
    }
  }

  // A sync or a close that ends without an error made the handle's relaxed commits durable.
  void acknowledge_relaxed() {
    if (which_ == 0) return;
    for (const std::size_t number : pending_) issued_.at(number).fate = Issued::Fate::acknowledged;
    pending_.clear();
  }

  SensorTimes new_rows(std::int64_t count, const std::string& sensor) {
    SensorTimes out;
    for (std::int64_t i = 0; i < count; ++i) out[++rows_ + steps_ * kTimesPerStep] = sensor;
    return out;
  }

  void append(Database& db, const std::string& name, std::int64_t count) {
    const SensorTimes rows = new_rows(count, steps_ % 2 == 0 ? "a" : "c");
    const Table table = db.table(name);
    ask(on_first_table([rows](IssuedTable& to) { to.add(rows); }),
        [&] { return table.append(batch_of_times(table.schema(), rows)); });
  }

  void remove(Database& db, const std::string& name, const DeleteRequest& asked) {
    ask(on_first_table([asked](IssuedTable& of) { of.remove(asked); }),
        [&] { return db.table(name).remove(asked); });
  }

  void replace(Database& db, const std::string& name) {
    const SensorTimes rows = new_rows(2, "b");
    const DeleteRequest gone{.start = Timestamp{rows.begin()->first - 2500},
                             .stop = Timestamp{rows.rbegin()->first + 1}};
    const Table table = db.table(name);
    ask(on_first_table([gone, rows](IssuedTable& of) {
          of.remove(gone);
          of.add(rows);
        }),
        [&] {
          return table.replace({.start = gone.start, .stop = gone.stop},
                               batch_of_times(table.schema(), rows));
        });
  }

  void alter(Database& db, const std::string& name, char step) {
    const Table table = db.table(name);
    SchemaChange change;
    if (step == 'm') {
      const std::string from = table.schema()->columns[2].name;
      change.rename[from] = from == "value" ? "worth" : "value";
      change.metadata["step"] = fmt::format("{}", steps_);
    } else {
      change.add = {{.name = fmt::format("x{}", steps_), .type = {TypeKind::string}}};
    }
    ask(on_first_table([change](IssuedTable& of) {
          for (const auto& [from, to] : change.rename) of.columns[2] = to;
          for (const Column& column : change.add) of.columns.push_back(column.name);
        }),
        [&] { return table.alter(change); });
  }

  void rename(Database& db, const std::string& name) {
    const std::string to = name == "t" ? "v" : "t";
    ask(
        [name, to](IssuedState& state) {
          if (!state.contains(name)) return false;
          auto node = state.extract(name);
          node.key() = to;
          state.insert(std::move(node));
          return true;
        },
        [&] { return db.rename(name, to); });
  }

  void create(Database& db) {
    if (db.contains("u")) return;
    ask([](IssuedState& state) { return state.try_emplace("u").second; },
        [&] {
          db.create_table("u", sensors());
          return db.at("HEAD").commit();
        });
  }

  void drop(Database& db) {
    if (!db.contains("u")) return;
    ask([](IssuedState& state) { return state.erase("u") == 1; }, [&] { return db.drop("u"); });
  }

  // Some that are there already, and some that are not.
  void put(Database& db) {
    const SensorTimes documents{{steps_ % 3, "a"}, {steps_, steps_ % 2 == 0 ? "b" : "c"}};
    ask(
        [documents](IssuedState& state) {
          IssuedTable& to = state.try_emplace(kCollection, IssuedTable{{}, {}}).first->second;
          for (const auto& [id, text] : documents) to.rows[id] = text;
          return true;
        },
        [&] { return db.collection(kCollection).put(documents_of(documents)); });
  }

  void remove_documents(Database& db) {
    if (!db.contains(kCollection)) return;
    ask(
        [](IssuedState& state) {
          const auto found = state.find(kCollection);
          if (found == state.end()) return false;
          found->second.rows.erase(1);
          return true;
        },
        [&] { return db.collection(kCollection).remove("1"); });
  }

  void rollback(Database& db) {
    ask(
        [first = first_](IssuedState& state) {
          state = first;
          return true;
        },
        [&] { return db.rollback(fmt::format("{}", kFirstCommits)); });
  }

  // Rows and deletes of one table, and rows of another where there is one, all in one commit.
  void record(Database& db, const std::string& name, bool spills) {
    const DeleteRequest gone{.stop = Timestamp{steps_ * 300}, .keys = {{"sensor", {"a"}}}};
    const SensorTimes rows = new_rows(spills ? kLongRows : 3, spills ? "long" : "b");
    const SensorTimes others = new_rows(1, "c");
    const bool both = db.contains("u");
    Recorder recorder = db.recorder();
    recorder.remove(name, gone);
    recorder.append(name, batch_of_times(recorder.schema(name), rows));
    if (both) recorder.append("u", batch_of_times(recorder.schema("u"), others));
    ask(
        [gone, rows, others, both](IssuedState& state) {
          if (both && !state.contains("u")) return false;
          first_table(state).remove(gone);
          first_table(state).add(rows);
          if (both) state["u"].add(others);
          return true;
        },
        [&] { return recorder.commit(); });
  }

  void check_fresh(const std::string& who) {
    Database fresh = open({.create = false, .read_only = true, .threads = 1});
    check(fresh, who);
  }

  void check(Database& db, const std::string& who) {
    try {
      if (!issued_.states().contains(issued_state(db.at("HEAD"))))
        FAIL_CHECK(who, " shows a state that nothing asked for can have made");
      const CommitNumber head = db.head().number;
      for (const auto& [number, was] : acknowledged_) {
        if (number > head) {
          FAIL_CHECK(who, " misses commit ", value_of(number));
        } else if (db.at(number).commit().hash != was.first) {
          FAIL_CHECK(who, " has another commit ", value_of(number));
        } else if (!was.second.contains(issued_state(db.at(number)))) {
          FAIL_CHECK(who, " shows another state at commit ", value_of(number));
        }
      }
    } catch (const Error& error) {
      FAIL_CHECK(who, " does not read: ", std::string(error.what()));
    }
  }

  // Where a failed sync took relaxed commits with it, the next call says so, once. Where an alter
  // whose outcome nobody knew turns out to stand, what was made ready before is a conflict, once.
  template <typename Work>
  void once_told(Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.where().commits.empty() && error.code() != ErrorCode::conflict) throw;
      pending_.clear();
      work();
    }
  }

  void write_again(std::size_t which) {
    which_ = which;
    ++steps_;
    once_told([&] {
      Database& db = handle(which);
      append(db, db.contains("v") ? "v" : "t", 1);
    });
  }

  void close_at_the_end(std::size_t which) {
    which_ = which;
    once_told([&] { handle(which).close(); });
    handles_[which].reset();
    acknowledge_relaxed();
  }

  io::SweepRun& run_;
  std::array<std::shared_ptr<io::Vfs>, 2> vfs_;
  std::array<std::optional<Database>, 2> handles_;
  std::size_t which_ = 0;  // handle of the step
  std::uint64_t processes_ = 0;
  std::int64_t steps_ = 0;
  std::int64_t rows_ = 0;
  const IssuedState first_{{"t", {{{0, "a"}, {1, "b"}}}}};
  IssuedCommits issued_;
  std::vector<std::size_t> pending_;  // relaxed ones of the relaxed handle
  std::map<CommitNumber, std::pair<std::string, std::set<IssuedState>>> acknowledged_;
};

io::SweepCount sweep(std::string_view steps, const io::SweepBudget& budget) {
  io::SimDisk prepared;
  {
    Database db = db::Door::open(prepared.attach(), io::simulated_environment(1), {.threads = 1},
                                 small_sizes());
    const Table table = db.create_table("t", sensors());
    table.append(batch_of_times(table.schema(), {{0, "a"}, {1, "b"}}));
    db.close();
  }
  return io::sweep_faults(prepared, budget, [&](io::SweepRun& run) {
    INFO(std::string(steps));
    try {
      Life(run, steps).verify();
    } catch (const Error& error) {
      FAIL_CHECK(run.describe(), ": does not go on: ", std::string(error.what()));
    }
  });
}

void sweep_all(const io::SweepBudget& budget) {
  io::SweepCount all;
  for (const char* steps : kScenarios) {
    const io::SweepCount count = sweep(steps, budget);
    all.points += count.points;
    all.points_total += count.points_total;
    all.fired += count.fired;
  }
  MESSAGE("verbs: ", all.points, " of ", all.points_total, " points of ", kScenarios.size(),
          " scenarios, ", all.fired, " fired");
  CHECK(all.fired * 10 >= all.points * 9);
}

static_assert(kScenarios.size() >= 40);

}  // namespace

TEST_CASE("faults: each verb leaves what was there or what it asked for, whichever call fails") {
  sweep_all({.points_max = 16});
}

TEST_SUITE("long") {
  TEST_CASE("faults: each call of lives with all verbs fails with each error, once and for good") {
    const std::chrono::duration<double> each(budget_s() / kScenarios.size());
    sweep_all({.time_max = std::chrono::duration_cast<std::chrono::nanoseconds>(each)});
  }
}

}  // namespace otolith::test
