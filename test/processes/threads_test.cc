// Threads of one handle: writers of all verbs, readers, who waits, who tends.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "db/hall.h"
#include "test/budget.h"
#include "test/processes/diary.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr int kWriters = 3;
constexpr int kReaders = 2;
constexpr std::int64_t kSteps = 40;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 64 << 10;
  sizes.log.preallocate_bytes = 16 << 10;
  sizes.log.reserve_bytes = 16 << 10;
  sizes.tail_commits_max = 10;
  sizes.checkpoint_commits = 15;
  sizes.sweep_after_ns = 0;  // of what was joined
  sizes.inline_bytes_max = 16 << 10;
  return sizes;
}

std::string name_of(int writer) { return "writer " + std::to_string(writer); }

// The first thing that went wrong in any thread.
class Complaints {
 public:
  void add(const std::string& what) {
    const std::lock_guard guard(mutex_);
    if (first_.empty()) first_ = what;
    any_ = true;
  }
  bool any() const { return any_; }
  std::string first() {
    const std::lock_guard guard(mutex_);
    return first_;
  }
  /// A thread of this work; what it throws is a complaint.
  template <typename Work>
  std::jthread thread(Work work) {
    return std::jthread([this, work] {
      try {
        work();
      } catch (const std::exception& error) {
        add(error.what());
      }
    });
  }

 private:
  std::mutex mutex_;
  std::string first_;
  std::atomic<bool> any_{false};
};

void read_on(const Database& db, const std::atomic<bool>& over, Complaints& complaints) {
  std::vector<Diary> diaries;
  for (int i = 0; i < kWriters; ++i) diaries.emplace_back(name_of(i));
  while (!over && !complaints.any()) {
    const Snapshot at = db.at("HEAD");
    for (Diary& diary : diaries) {
      const std::int64_t step = step_at(db, diary.writer(), at.commit().number);
      if (step < diary.step()) continue;  // the log has gone too far to tell
      diary.reach(step);
      const std::string wrong = diary.wrong(at);
      if (!wrong.empty()) complaints.add(wrong);
    }
  }
}

// Meets each commit once, in order.
void wait_on(const Database& db, const std::atomic<bool>& over, CommitNumber seen,
             Complaints& complaints) {
  while (!complaints.any()) {
    const auto met = db.wait({.after = seen, .timeout_ns = 50'000'000});
    if (!met && over) return;
    if (!met) continue;
    if (value_of(met->number) != value_of(seen) + 1) complaints.add("a commit was left out");
    seen = met->number;
  }
}

}  // namespace

TEST_CASE("threads: writers of all verbs, readers and who waits or tends share one handle") {
  Folder folder;
  for (const Durability durability : {Durability::durable, Durability::relaxed}) {
    Database db = db::Door::open(
        folder.path(durability == Durability::durable ? "durable.oto" : "relaxed.oto"),
        {.durability = durability, .threads = 2, .memory_bytes = 1 << 20}, small_sizes());
    std::vector<Diary> diaries;
    for (int i = 0; i < kWriters; ++i) diaries.emplace_back(name_of(i)).begin(db);
    db.sync();
    Complaints complaints;
    std::atomic<bool> over{false};
    {
      std::vector<std::jthread> others;
      for (int i = 0; i < kReaders; ++i)
        others.push_back(complaints.thread([&] { read_on(db, over, complaints); }));
      const CommitNumber before = db.head().number;
      others.push_back(complaints.thread([&, before] { wait_on(db, over, before, complaints); }));
      others.push_back(complaints.thread([&] {
        for (int i = 0; !over && !complaints.any(); ++i) {
          db.tag("tag " + std::to_string(i));
          if (!db.status().damage.empty()) complaints.add("status tells of damage");
          if (i % 4 == 0 && !db.verify().ok()) complaints.add("verify found something");
          db.sync();
        }
      }));
      std::vector<std::jthread> writers;
      for (Diary& diary : diaries) {
        writers.push_back(complaints.thread([&] {
          while (diary.step() < kSteps && !complaints.any()) diary.go_on(&db);
        }));
      }
      writers.clear();
      over = true;
    }
    CHECK(complaints.first() == "");
    for (const Diary& diary : diaries) CHECK(diary.wrong(db.at("HEAD")) == "");
    db.close();
  }
}

// Beyond what one thread is given: segments encoded and decoded side by side, pages checked once.
TEST_CASE("threads: large appends, reads, conditions and verify run side by side on many threads") {
  constexpr std::uint64_t rows = 150'000;
  constexpr std::uint64_t batches = 3;
  Folder folder;
  Database db = Database::open(folder.path("large.oto"), {.threads = 4});
  const Table table = db.create_table("t", sensors());
  std::vector<Row> cells;
  for (std::uint64_t i = 0; i < rows; ++i) {
    cells.push_back({static_cast<std::int64_t>((i * 7919) % rows) * 1'000'000'000,
                     i % 3 == 0 ? "a" : "b", static_cast<double>(i % 1000), kNull});
  }
  const Batch batch = batch_of(table.schema(), cells);
  Complaints complaints;
  std::atomic<bool> over{false};
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.push_back(complaints.thread([&, i] {
        do {
          const Snapshot at = db.at("HEAD");
          const std::uint64_t there = at.table("t").rows();
          const Data data = at.table("t").read({.order = i == 0 ? Order::stored : Order::time});
          if (data.rows() != there || there % rows != 0) complaints.add("part of a commit");
          const Data some = at.table("t").read({.where = col("value") < 100.0});
          if (some.rows() != there / 10) complaints.add("a condition met other rows");
          if (i == 2 && !db.verify().ok()) complaints.add("verify found something");
        } while (!over && !complaints.any());
      }));
    }
    for (std::uint64_t i = 0; i < batches; ++i) table.append(batch);
    table.remove({.keys = {{"sensor", {"a"}}}, .where = col("value") < 0.0});  // none
    over = true;
  }
  CHECK(complaints.first() == "");
  CHECK(table.rows() == rows * batches);
}

}  // namespace otolith::test
