// A log on a simulated disk, and short words for what its tests do with it.
//
// Role:    unit tests of the log; each TestProcess is a process of its own, with its own locks.
// Shapes:  small files and steps, so that rotation and preallocation happen within a few records.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/error.h"
#include "history/lock_page.h"
#include "history/log.h"
#include "io/power_loss.h"
#include "io/sim_disk.h"

namespace otolith::history {

inline constexpr Id128 kTestDatabase{{std::byte{0xda}, std::byte{0x7a}}};

inline LogOptions small_log() {
  LogOptions options;
  options.file_bytes = 4096;
  options.preallocate_bytes = 1024;
  options.reserve_bytes = 1024;
  options.lock_wait_ns = 20'000'000;
  return options;
}

inline Record record_of(std::string_view text, bool relaxed = false) {
  const BytesView bytes = as_bytes_view(text);
  return {FrameType::commit, relaxed, Bytes(bytes.begin(), bytes.end())};
}

/// One process that has the log open, and what it has seen of it: commits by record number.
struct TestProcess {
  std::shared_ptr<io::Vfs> vfs;
  std::shared_ptr<io::Environment> environment;
  std::unique_ptr<Log> log;
  std::map<std::uint64_t, std::string> seen;
  std::uint64_t fallbacks = 0;
  bool appended = false;  // since it was last closed; kept by stories

  explicit TestProcess(std::shared_ptr<io::Vfs> on, LogOptions options = small_log(),
                       io::SimulatedProcess who = {})
      : vfs(std::move(on)), environment(io::simulated_environment(1, who)) {
    log = Log::open(vfs, environment, kTestDatabase, std::move(options));
  }

  FrameSink sink() {
    return [this](const Frame& frame) {
      const std::uint64_t number = value_of(frame.number);
      if (!seen.empty() && seen.rbegin()->first >= number) FAIL("record ", number, " twice");
      if (frame.type == FrameType::commit) seen.emplace(number, as_text(frame.payload));
    };
  }
  Log::Fallback fallback() {
    return [this](RecordNumber stands) {
      ++fallbacks;
      seen.erase(seen.upper_bound(value_of(stands)), seen.end());
    };
  }

  void refresh() { log->refresh(sink(), fallback()); }

  /// Appends under a lock of its own.
  RecordNumber append(std::string_view text, bool relaxed = false) {
    const auto lock = log->lock();
    return append_under(*lock, text, relaxed);
  }
  RecordNumber append_under(LogLock& lock, std::string_view text, bool relaxed = false) {
    lock.catch_up(sink(), fallback());
    std::vector<Record> records;
    records.push_back(record_of(text, relaxed));
    const RecordNumber number = lock.append(std::move(records)).front();
    CHECK(number == log->last());
    seen.emplace(value_of(number), text);
    return number;
  }
  void catch_up() { log->lock()->catch_up(sink(), fallback()); }

  /// Texts seen so far, joined by spaces.
  std::string texts() const {
    std::string all;
    for (const auto& [number, text] : seen) all += (all.empty() ? "" : " ") + text;
    return all;
  }
  std::string refreshed() {
    refresh();
    return texts();
  }
};

/// A disk with an empty log on it, durable.
struct TestDisk {
  io::SimDisk disk;
  std::uint64_t processes = 0;

  explicit TestDisk(io::SimDiskOptions options = {}) : disk(std::move(options)) {
    const auto vfs = disk.attach();
    Log::create(*vfs, *io::simulated_environment(7), kTestDatabase, small_log());
  }
  explicit TestDisk(io::SimDisk existing) : disk(std::move(existing)) {}

  TestProcess process(LogOptions options = small_log(), std::uint64_t boot = 1) {
    return TestProcess(disk.attach(), std::move(options), {boot, ++processes});
  }
  TestProcess reader(std::uint64_t boot = 1) {
    LogOptions options = small_log();
    options.read_only = true;
    return TestProcess(disk.attach({.read_only = true}), options, {boot, ++processes});
  }
};

/// What a call throws.
template <typename Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("the call did not throw");
  return Error(ErrorCode::limit, "");
}

/// Its code, and its message.
template <typename Call>
ErrorCode code_of(Call call) {
  return error_of(std::move(call)).code();
}
template <typename Call>
std::string message_of(Call call) {
  return error_of(std::move(call)).message();
}

/// Bytes of a file, and putting them back.
inline Bytes file_bytes(io::Vfs& vfs, const std::string& path) {
  const auto file = vfs.open(path, io::OpenMode::read);
  Bytes bytes(file->stat().size);
  bytes.resize(file->read_at(0, bytes));
  return bytes;
}
inline void put_file(io::Vfs& vfs, const std::string& path, BytesView bytes) {
  vfs.remove(path);
  vfs.open(path, io::OpenMode::create)->write_at(0, bytes);
}

}  // namespace otolith::history
