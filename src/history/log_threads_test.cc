// Threads that append and read through one handle, and another process beside them.
#include <atomic>
#include <chrono>
#include <thread>

#include "history/test_log.h"

namespace otolith::history {

namespace {

constexpr auto kTime = std::chrono::milliseconds(400);  // several turns of each thread on one core
constexpr int kReaders = 2;

LogOptions busy_log() {
  LogOptions options = small_log();
  options.file_bytes = 1 << 20;
  options.preallocate_bytes = 16 << 10;
  options.lock_wait_ns = kLockWaitNs;
  return options;
}

// Makes the page count as absent until the next holder of the lock has written it anew.
void damage_page(io::Vfs& vfs) {
  const std::size_t at = lock_word_at(LockWord::holder_pid);
  const auto file = vfs.open(kLockPath, io::OpenMode::read_write);
  std::array<std::byte, 1> byte{};
  (void)file->read_at(at, byte);
  byte.front() ^= std::byte{1};
  file->write_at(at, byte);
}

// What a handle was handed by threads that refresh it without a pause.
class Handed {
 public:
  explicit Handed(Log& log) : log_(log) {
    for (int i = 0; i < kReaders; ++i) threads_.emplace_back([this] { read(); });
  }
  ~Handed() { finish(); }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;

  // Called under the log's own mutex, as every sink.
  FrameSink sink() {
    return [this](const Frame& frame) {
      if (frame.type == FrameType::commit) texts_.emplace_back(as_text(frame.payload));
    };
  }
  const std::vector<std::string>& finish() {
    ended_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    return texts_;
  }
  std::string error() const { return error_; }

 private:
  void read() {
    try {
      while (!ended_) log_.refresh(sink(), {});
    } catch (const Error& error) {
      if (!failed_.exchange(true)) error_ = error.what();
    }
  }

  Log& log_;
  std::vector<std::string> texts_;
  std::string error_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> failed_{false};
  std::vector<std::thread> threads_;
};

// Appends through a handle that is read at the same time; every fourth record is another process's.
void append_and_read(bool damage) {
  TestDisk disk;
  const TestProcess own = disk.process(busy_log());
  TestProcess other = disk.process(busy_log());
  const auto vfs = disk.disk.attach();
  Handed handed(*own.log);
  std::vector<std::string> expected;
  const auto end = std::chrono::steady_clock::now() + kTime;
  for (int i = 0; std::chrono::steady_clock::now() < end; ++i) {
    if (i % 4 == 0) {
      expected.push_back(fmt::format("other {}", i));
      other.append(expected.back());
    }
    const auto lock = own.log->lock();
    lock->catch_up(handed.sink(), {});
    if (damage) damage_page(*vfs);
    std::vector<Record> records;
    records.push_back(record_of(std::string(300, 'x')));
    (void)lock->append(std::move(records));
  }
  CHECK(handed.finish() == expected);
  CHECK(handed.error() == "");
}

}  // namespace

TEST_CASE("log: a reader is never handed what its own handle appends") { append_and_read(false); }

TEST_CASE("log: a reader without a lock page is not handed what its own handle has in flight") {
  append_and_read(true);
}

}  // namespace otolith::history
