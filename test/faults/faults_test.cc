// Every call of many small lives of a database fails with every error, once and for good: what was
// acknowledged is there for whoever looks, before anyone writes again and after.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "db/hall.h"
#include "io/fault_sweep.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

// One letter a step, small ones by a durable handle, capitals by a relaxed one: n makes a table,
// a appends a row, g as many as get a segment of their own, w writes two tables at once, t tags,
// u untags, s syncs, c compacts, r reads all, x closes and opens again, k is killed and opened
// again. Where the first step is n the disk is empty, so that the database is created too; else it
// has a table.
constexpr std::array kScenarios = {
    "n",         "nn",       "na",          "ng",    "nwaG",   "aaa",     "aAaA",
    "ggg",       "gGgG",     "agag",        "AAA",   "AASA",   "ASaS",    "GS",
    "GSGaS",     "aRar",     "nNwW",        "tat",   "atut",   "AtSu",    "aaaaaaa",
    "gagagaga",  "AaAaAaAa", "AAAAAAAA",    "axa",   "gxgxr",  "AXAX",    "GXGX",
    "aaaaxaa",   "akaAKA",   "gkGKg",       "AKaKS", "wwxwW",  "naxtxu",  "rAgaSRxX",
    "aaaagxrkR", "AGASXaS",  "tgAuXkaGSwr", "gacr",  "ggcgcr", "gGCagcR", "gagcxgkc"};

constexpr std::int64_t kRowsOfSegment = 40;
constexpr std::int64_t kTimesPerAppend = 1000;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 4 << 10;
  sizes.log.preallocate_bytes = 1 << 10;
  sizes.log.reserve_bytes = 1 << 10;
  sizes.tail_bytes_max = 1500;
  sizes.tail_commits_max = 3;
  sizes.checkpoint_commits = 3;
  sizes.inline_bytes_max = 400;
  sizes.sweep_after_ns = 0;
  return sizes;
}

// What one append was about to write, and what came of it.
struct Written {
  enum class Fate : std::uint8_t { unknown, acknowledged, failed };
  std::set<std::string> tables;
  std::int64_t rows = 0;
  Fate fate = Fate::unknown;
};

class Scenario {
 public:
  Scenario(io::SweepRun& run, std::string_view steps) : run_(run) {
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
      for (std::size_t i = 0; i < handles_.size(); ++i) {
        if (handles_[i]) check(*handles_[i], i == 0 ? "the durable handle" : "the relaxed handle");
      }
    }
    for (std::size_t i = 0; i < handles_.size(); ++i) write_again(i);
    for (std::size_t i = 0; i < handles_.size(); ++i) close(i);
    check_fresh("a fresh handle after all were closed");
    Database last = open({.threads = 1});
    for (const Problem& problem : last.verify().problems) {
      if (!may_be_lost(problem.where.file)) FAIL_CHECK(problem.what);
    }
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
      if (error.code() != ErrorCode::corrupt || may_be_lost(error.where().file)) return;
      FAIL_CHECK(run_.describe(),
                 ": a fault of the disk was taken for damage: ", std::string(error.what()));
    }
  }

  void take(char step) {
    const bool second = step < 'a';
    const std::size_t which = second ? 1 : 0;
    Database db = handle(which);
    switch (second ? step - 'A' + 'a' : step) {
      case 'n':
        return create(which, db.contains("t") ? fmt::format("n{}", written_.size()) : "t");
      case 'a':
        return append(which, {"t"}, 1);
      case 'g':
        return append(which, {"t"}, kRowsOfSegment);
      case 'w':
        return append(which, {"t", "w"}, 2);
      case 't':
        return tag(db);
      case 'u':
        return untag(db);
      case 's':
        db.sync();
        return acknowledge_relaxed(which);
      case 'c':
        db.compact();
        return acknowledge_relaxed(which);
      case 'r':
        (void)times_in(db, "t");
        return;
      case 'x':
        handles_[which].reset();  // the copy stays; it is closed even where that fails
        db.close();
        return acknowledge_relaxed(which);
      default:
        run_.disk.kill(*vfs_[which]);
        handles_[which].reset();
        pending_.clear();
    }
  }

  void create(std::size_t which, const std::string& name) {
    Database& db = handle(which);
    db.create_table(name, sensors(), {.commit = {.message = "create " + name}});
    if (which == 0) created_.insert(name);
  }

  void append(std::size_t which, const std::set<std::string>& tables, std::int64_t rows) {
    Database& db = handle(which);
    for (const std::string& name : tables) {
      if (!db.contains(name)) create(which, name);
    }
    const std::size_t number = written_.size();
    written_.push_back({tables, rows});
    if (which == 1 && rows == kRowsOfSegment) relaxed_segments_ = true;
    std::vector<Row> cells;
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto time = static_cast<std::int64_t>(number) * kTimesPerAppend + i;
      cells.push_back({time, "a", 1.0, kNull});
    }
    try {
      Recorder recorder = db.recorder({.message = fmt::format("append {}", number)});
      for (const std::string& name : tables) {
        recorder.append(name, batch_of(recorder.schema(name), cells));
      }
      const Commit made = recorder.commit();
      if (made.durable) acknowledge(number, made);
      if (!made.durable) pending_.emplace(value_of(made.number), std::pair(number, made));
    } catch (const Error& error) {
      if (error.outcome() == Outcome::failed) written_[number].fate = Written::Fate::failed;
      throw;
    }
  }

  void acknowledge(std::size_t number, const Commit& made) {
    written_[number].fate = Written::Fate::acknowledged;
    acknowledged_.emplace(made.number, made.hash);
  }

  // A sync or a close that ends without an error made the handle's relaxed commits durable.
  void acknowledge_relaxed(std::size_t which) {
    if (which == 0) return;
    for (const auto& [number, made] : pending_) acknowledge(made.first, made.second);
    pending_.clear();
  }

  void tag(Database& db) {
    const std::string name = fmt::format("tag {}", ++tags_made_);
    const std::string hash = db.head().hash;
    db.tag(name);
    tags_[name] = hash;
  }

  void untag(Database& db) {
    if (tags_.empty()) return;
    const std::string name = tags_.begin()->first;
    tags_.erase(name);
    db.untag(name);
    untagged_.insert(name);
  }

  void check_fresh(const std::string& who) {
    if (created_.empty() && acknowledged_.empty() && !run_.disk.attach()->exists("OTOLITH")) return;
    Database fresh = open({.create = false, .read_only = true, .threads = 1});
    check(fresh, who);
  }

  void check(Database& db, const std::string& who) {
    try {
      check_commits(db, who);
      check_rows(db, who);
      check_tags(db, who);
    } catch (const Error& error) {
      if (may_be_lost(error.where().file)) return;
      FAIL_CHECK(who, " does not read: ", std::string(error.what()));
    }
  }

  // Not well yet: where the sync of a relaxed commit's segment failed, the commit stays in the
  // history of this uptime, and its rows read as damaged.
  bool may_be_lost(std::string_view file) const {
    return relaxed_segments_ && file.starts_with("segments/");
  }

  void check_commits(Database& db, const std::string& who) {
    const CommitNumber head = db.head().number;
    for (const auto& [number, hash] : acknowledged_) {
      if (number > head) {
        FAIL_CHECK(who, " misses commit ", value_of(number));
      } else if (db.at(number).commit().hash != hash) {
        FAIL_CHECK(who, " has another commit ", value_of(number));
      }
    }
  }

  // All rows of each append or none, in every table it wrote.
  void check_rows(Database& db, const std::string& who) {
    std::map<std::string, std::set<std::int64_t>> there;
    const Snapshot at = db.at("HEAD");
    for (const std::string& name : at.datasets()) there[name] = times_of(at.table(name));
    for (const std::string& name : created_) {
      if (!at.contains(name)) FAIL_CHECK(who, " misses table ", name);
    }
    for (std::size_t number = 0; number < written_.size(); ++number) {
      const Written& write = written_[number];
      std::int64_t found = 0;
      for (const std::string& name : write.tables) {
        for (std::int64_t i = 0; i < write.rows; ++i) {
          const auto time = static_cast<std::int64_t>(number) * kTimesPerAppend + i;
          found += there[name].contains(time) ? 1 : 0;
        }
      }
      const auto whole = write.rows * static_cast<std::int64_t>(write.tables.size());
      if (found != 0 && found != whole) FAIL_CHECK(who, " has a part of append ", number);
      if (found == 0 && write.fate == Written::Fate::acknowledged)
        FAIL_CHECK(who, " misses append ", number);
      if (found != 0 && write.fate == Written::Fate::failed)
        FAIL_CHECK(who, " has append ", number, ", which had failed");
    }
  }

  void check_tags(Database& db, const std::string& who) {
    const std::map<std::string, Commit> tags = db.tags();
    for (const auto& [name, hash] : tags_) {
      const auto found = tags.find(name);
      if (found == tags.end() || found->second.hash != hash) FAIL_CHECK(who, " misses ", name);
    }
    for (const std::string& name : untagged_) {
      if (tags.contains(name)) FAIL_CHECK(who, " still has ", name);
    }
  }

  static std::set<std::int64_t> times_of(const Table& table) {
    std::set<std::int64_t> times;
    for (const Batch& batch : table.read().batches()) {
      for (const Row& row : rows_of(batch)) times.insert(std::get<std::int64_t>(row[0].value()));
    }
    return times;
  }

  static std::set<std::int64_t> times_in(Database& db, const std::string& name) {
    return times_of(db.table(name));
  }

  // Where a failed sync took relaxed commits with it, or their segments, the next call says so. A
  // handle that says to open again is opened again.
  template <typename Work>
  void once_told(std::size_t which, Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.where().commits.empty() && !relaxed_segments_) throw;
      pending_.clear();
      if (relaxed_segments_) handles_[which].reset();
      work();
    }
  }

  void write_again(std::size_t which) {
    once_told(which, [&] {
      Database& db = handle(which);
      db.create_table("t", sensors(), {.exist_ok = true});
      append(which, {"t"}, 1);
    });
  }

  void close(std::size_t which) {
    once_told(which, [&] { handle(which).close(); });
    handles_[which].reset();
    acknowledge_relaxed(which);
  }

  io::SweepRun& run_;
  std::array<std::shared_ptr<io::Vfs>, 2> vfs_;
  std::array<std::optional<Database>, 2> handles_;
  std::uint64_t processes_ = 0;
  std::vector<Written> written_;
  std::set<std::string> created_;                                    // tables, acknowledged
  std::map<CommitNumber, std::string> acknowledged_;                 // hashes
  std::map<std::uint64_t, std::pair<std::size_t, Commit>> pending_;  // relaxed, by commit number
  std::map<std::string, std::string> tags_;                          // hashes
  std::set<std::string> untagged_;
  int tags_made_ = 0;
  bool relaxed_segments_ = false;  // some were written
};

io::SweepCount sweep(std::string_view steps, const io::SweepBudget& budget) {
  io::SimDisk prepared;
  if (steps[0] != 'n') {
    Database db = db::Door::open(prepared.attach(), io::simulated_environment(1), {.threads = 1},
                                 small_sizes());
    db.create_table("t", sensors());
    db.close();
  }
  return io::sweep_faults(prepared, budget, [&](io::SweepRun& run) {
    INFO(std::string(steps));
    try {
      Scenario(run, steps).verify();
    } catch (const Error& error) {
      FAIL_CHECK(run.describe(), ": does not go on: ", std::string(error.what()));
    }
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
  MESSAGE("database: ", all.points, " of ", all.points_total, " points of ", scenarios,
          " scenarios, ", all.fired, " fired");
  CHECK(all.fired * 10 >= all.points * 9);
}

}  // namespace

TEST_CASE("faults: each call fails with each error, and all who look see what was acknowledged") {
  sweep_all(1, {.points_max = 24});
}

TEST_SUITE("long") {
  TEST_CASE("faults: each call of all scenarios fails with each error, once and for good") {
    const std::chrono::duration<double> each(budget_s() / kScenarios.size());
    sweep_all(1, {.time_max = std::chrono::duration_cast<std::chrono::nanoseconds>(each)});
  }
}

}  // namespace otolith::test
