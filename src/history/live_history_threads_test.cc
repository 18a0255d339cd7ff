// Threads that commit and read through one handle.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "history/history_fixture.h"
#include "history/lock_page.h"

namespace otolith::history {

using namespace test;
using namespace std::chrono_literals;

namespace {

// Reads HEAD without a pause: it never goes back, and is never behind what was acknowledged.
void read_heads(History& history, const std::atomic<std::uint64_t>& acknowledged,
                const std::atomic<bool>& ended, std::string& problem) {
  std::uint64_t seen = 0;
  try {
    while (!ended && problem.empty()) {
      const std::uint64_t before = acknowledged;
      const std::uint64_t head = value_of(history.head()->number());
      if (head < std::max(before, seen)) {
        problem = fmt::format("HEAD is {} after {}, {} acknowledged", head, seen, before);
      }
      seen = head;
    }
  } catch (const Error& error) {
    problem = error.what();
  }
}

// Until the next holder of the lock writes it anew the page counts as absent.
void damage_page(io::Vfs& vfs) {
  const auto file = vfs.open(kLockPath, io::OpenMode::read_write);
  file->write_at(lock_word_at(LockWord::holder_pid), Bytes(1, std::byte{0xff}));
}

void commit_and_read(std::chrono::milliseconds time, bool damage) {
  Ground ground;
  const auto history = ground.open();
  const auto vfs = ground.disk.attach();
  history->commit(create_request("a"));
  std::atomic<std::uint64_t> acknowledged{1};
  std::atomic<bool> ended{false};
  std::array<std::string, 2> problems;
  std::vector<std::thread> readers;
  for (std::string& problem : problems) {
    readers.emplace_back([&] { read_heads(*history, acknowledged, ended, problem); });
  }
  std::thread vandal([&] {
    while (damage && !ended) damage_page(*vfs);
  });
  const auto end = std::chrono::steady_clock::now() + time;
  for (int i = 0; std::chrono::steady_clock::now() < end; ++i) {
    acknowledged = value_of(history->commit(put(kFirst, fmt::format("{}", i))).number);
  }
  ended = true;
  for (std::thread& reader : readers) reader.join();
  vandal.join();
  for (const std::string& problem : problems) CHECK(problem == "");
  CHECK(value_of(history->head()->number()) == acknowledged);
  history->verify([](const Error& error) { FAIL(error.what()); });
}

}  // namespace

TEST_CASE("history: commits and reads of one handle at once are each whole and in order") {
  commit_and_read(200ms, false);
}

TEST_CASE("history: the same while the lock page is damaged over and over") {
  commit_and_read(200ms, true);
}

TEST_CASE("history: many committers of one process share fsyncs, and each gets its own commit") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::uint64_t> numbers;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const Commit commit = history->commit(put(kFirst, fmt::format("{}.{}", t, i), i % 7 == 0));
        const std::scoped_lock guard(mutex);
        numbers.insert(value_of(commit.number));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(numbers.size() == 200);
  CHECK(history->head()->number() == CommitNumber{201});
  history->verify([](const Error& error) { FAIL(error.what()); });
}

}  // namespace otolith::history
