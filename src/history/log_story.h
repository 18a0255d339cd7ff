// A random run of several processes on one log, and what must be true of the log afterwards.
//
// Role:    crash states, kills, failed syncs and lost lock pages all draw their runs from here.
// Shapes:  every record's text is unique, `1`, `2`, … in the order in which they were issued.
// Errors:  doctest assertions.
// Threads: thread-compatible; one seed repeats one story.
#pragma once

#include "history/test_log.h"
#include "io/crash_states.h"
#include "io/random.h"

namespace otolith::history {

/// What may happen besides appends.
struct StoryPlot {
  bool kills = true;
  bool failed_syncs = true;
  bool lost_pages = true;
  bool relaxed = true;
};

class LogStory {
 public:
  LogStory(TestDisk& disk, std::uint64_t seed, StoryPlot plot)
      : disk_(disk), random_(seed), plot_(plot) {
    for (auto& each : processes_) each = restarted();
  }

  /// One step; `acknowledged` is told the last durable record after it.
  void step(const std::function<void(std::uint64_t)>& acknowledged) {
    TestProcess& process = *processes_[random_.below(processes_.size())];
    switch (random_.below(13)) {
      case 0:
        attempt([&] { process.refresh(); });
        break;
      case 1:
        acknowledge(process, [&] { process.log->sync(); });
        break;
      case 2:
        close(process);
        break;
      case 3:
        attempt([&] { process.log->tend(); });
        break;
      case 4:
        append(process, 1 + random_.below(4));
        break;
      case 5:
        misfortune(process);
        break;
      case 6:
        strip(process);
        break;
      default:
        append(process, 1);
        break;
    }
    acknowledged(durable_to_);
  }

  /// What is wrong with what a process sees that opens the log now: all that was durable has to be
  /// there, then whole records in the order in which they were issued. Empty if nothing is wrong.
  std::string complaint(const TestProcess& opened, std::uint64_t durable_to) const {
    std::uint64_t before = 0;
    for (const auto& [number, text] : opened.seen) {
      const std::uint64_t issued = std::strtoull(text.c_str(), nullptr, 10);
      if (text != text_of(issued)) return fmt::format("record {} is not whole: {}", number, text);
      if (issued <= before || issued > issued_) {
        return fmt::format("record {} holds {} behind {}", number, issued, before);
      }
      before = issued;
    }
    for (const auto& [number, text] : durable_) {
      if (number > durable_to) break;
      const auto found = opened.seen.find(number);
      if (found == opened.seen.end()) return fmt::format("record {} is missing: {}", number, text);
      if (found->second != text) {
        return fmt::format("record {} was {} and is {}", number, text, found->second);
      }
    }
    return {};
  }

  std::uint64_t durable_to() const { return durable_to_; }
  std::uint64_t stripped() const { return stripped_; }  // files

 private:
  // Long enough for frames to spread over sectors now and then.
  static std::string text_of(std::uint64_t issued) {
    std::string text = fmt::format("{} ", issued);
    return text.append(issued % 7 == 0 ? 700 : issued % 5 * 11, 'x');
  }

  std::unique_ptr<TestProcess> restarted() {
    return std::make_unique<TestProcess>(disk_.process());
  }

  // What a handle calls durable counts only when it has just appended or synced: a reader that
  // finds no lock page takes all that it can read for durable (docs/history.md 1).
  template <typename Work>
  void acknowledge(TestProcess& process, Work work) {
    attempt([&] {
      work();
      note_durable(process);
    });
  }

  // Errors are part of the story; only those that a fault explains.
  template <typename Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const Error& error) {
      CAPTURE(error.what());
      CHECK((faulty_ || error.code() == ErrorCode::io));
      CHECK(error.code() != ErrorCode::corrupt);
    }
  }

  // A handle that has nothing of its own to make durable goes without a word, and what it calls
  // durable is what it last read.
  void close(TestProcess& process) {
    const bool own = process.appended;
    const auto work = [&] {
      process.log->close();
      process.appended = false;
    };
    own ? acknowledge(process, work) : attempt(work);
  }

  void append(TestProcess& process, std::uint64_t count) {
    const bool relaxed = plot_.relaxed && random_.one_in(3);
    acknowledge(process, [&] {
      const auto lock = process.log->lock();
      lock->catch_up(process.sink(), process.fallback());
      std::vector<Record> records;
      std::vector<std::string> texts;
      for (std::uint64_t i = 0; i < count; ++i) {
        texts.push_back(text_of(++issued_));
        records.push_back(record_of(texts.back(), relaxed));
      }
      const auto numbers = lock->append(std::move(records));
      process.appended = true;
      for (std::size_t i = 0; i < texts.size(); ++i) {
        process.seen.emplace(value_of(numbers[i]), texts[i]);
      }
    });
  }

  // As who knows the payloads: until a record that is durable by what was read under the lock.
  void strip(TestProcess& process) {
    attempt([&] {
      RecordNumber until{0};
      {
        const auto lock = process.log->lock();
        lock->catch_up(process.sink(), process.fallback());
        until = next(process.log->durable());
      }
      const auto same = [](const Frame& frame) {
        return Bytes(frame.payload.begin(), frame.payload.end());
      };
      stripped_ += process.log->strip(until, 1, same).files;
    });
  }

  void misfortune(TestProcess& process) {
    switch (random_.below(4)) {
      case 0:
        if (plot_.kills) kill(process);
        break;
      case 1:
        if (plot_.kills) die_within_append(process);
        break;
      case 2:
        if (plot_.failed_syncs) fail_sync(process);
        break;
      default:
        if (plot_.lost_pages) lose_page();
    }
  }

  void kill(TestProcess& process) {
    disk_.disk.kill(*process.vfs);
    for (auto& each : processes_) {
      if (each.get() == &process) each = restarted();
    }
  }

  // Every call from the k-th on fails, then the process is gone.
  void die_within_append(TestProcess& process) {
    faulty_ = true;
    disk_.disk.inject({std::nullopt, 1 + random_.below(30), 5, random_.one_in(2), true});
    append(process, 1 + random_.below(3));
    disk_.disk.clear_faults();
    kill(process);
    faulty_ = false;
  }

  void fail_sync(TestProcess& process) {
    faulty_ = true;
    disk_.disk.inject({io::Operation::sync, 1, 5, false, false});
    append(process, 1);
    disk_.disk.clear_faults();
    faulty_ = false;
  }

  void lose_page() {
    const auto vfs = disk_.disk.attach();
    if (random_.one_in(2)) {
      vfs->remove("lock");
    } else if (vfs->exists("lock")) {
      const std::byte garbage{static_cast<unsigned char>(1 + random_.below(255))};
      vfs->open("lock", io::OpenMode::read_write)->write_at(random_.below(256), {&garbage, 1});
    }
  }

  void note_durable(const TestProcess& process) {
    const std::uint64_t to = value_of(process.log->durable());
    for (const auto& [number, text] : process.seen) {
      if (number <= to) durable_.emplace(number, text);
    }
    durable_to_ = std::max(durable_to_, to);
  }

  TestDisk& disk_;
  io::SeededRandom random_;
  const StoryPlot plot_;
  std::array<std::unique_ptr<TestProcess>, 2> processes_;
  std::map<std::uint64_t, std::string> durable_;  // by record number, as told by a process
  std::uint64_t durable_to_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t stripped_ = 0;
  bool faulty_ = false;
};

}  // namespace otolith::history
