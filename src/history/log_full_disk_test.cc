// Full disks: the commit that does not fit fails, and work goes on when space returns.
#include "history/reserve.h"
#include "history/test_log.h"

namespace otolith::history {

namespace {

constexpr int kEnospc = 28;
constexpr int kEdquot = 122;
constexpr int kEfbig = 27;

// Fills the disk but for a few bytes.
void fill(TestDisk& disk, std::uint64_t left = 0) {
  disk.disk.set_space_limit(disk.disk.bytes_used() + left);
}

// Appends until the disk is full; every one that succeeded is in `a.seen`.
Error append_until_full(TestProcess& a, LockPurpose purpose = LockPurpose::commit) {
  for (int i = 0; i < 1000; ++i) {
    try {
      const auto lock = a.log->lock(purpose);
      a.append_under(*lock, fmt::format("r{}", i));
    } catch (const Error& error) {
      return error;
    }
  }
  FAIL("the disk never filled up");
  return Error(ErrorCode::limit, "");
}

}  // namespace

TEST_CASE("log: on a full disk a commit fails with no_space, and goes on when space returns") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  fill(disk);
  const Error error = append_until_full(a);
  CHECK(error.code() == ErrorCode::no_space);
  CHECK(error.outcome() == Outcome::failed);
  const std::string before = a.texts();
  CHECK(b.refreshed() == before);
  CHECK(error_of([&] { b.append("no"); }).code() == ErrorCode::no_space);
  disk.disk.set_space_limit(0);
  a.append("more");
  CHECK(b.refreshed() == before + " more");
  b.append("and more");
  CHECK(disk.process().refreshed() == before + " more and more");
}

TEST_CASE("log: a write that is cut short by a full disk is taken back under the lock") {
  for (const int error : {kEnospc, kEdquot, kEfbig}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(error);
      CAPTURE(seed);
      TestDisk disk({.seed = seed});
      TestProcess a = disk.process();
      TestProcess b = disk.process();
      a.append("one");
      disk.disk.inject({io::Operation::write, 2, error, true, false});  // writing, frame
      const Error failed = error_of([&] { a.append(std::string(300, 'x')); });
      disk.disk.clear_faults();
      CHECK(failed.code() == ErrorCode::no_space);
      CHECK(failed.outcome() == Outcome::failed);
      CHECK(b.refreshed() == "one");
      b.append("two");
      CHECK(b.log->status().files == 1);  // nothing was adopted
      CHECK(a.refreshed() == "one two");
      disk.disk.lose_power([seed](const io::DiskState& state) {
        return io::after_power_loss(state, {io::PowerLoss::Kind::random, 0, seed});
      });
      TestProcess later = disk.process(small_log(), 2);
      CHECK(later.refreshed() == "one two");
      later.append("three");
      CHECK(later.log->status().torn_tails.empty());  // nothing of the cut frame was left
    }
  }
}

TEST_CASE("log: if the cut write cannot be taken back, the outcome is unknown and a file begins") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  disk.disk.inject({io::Operation::write, 2, kEnospc, true, true});
  const Error failed = error_of([&] { a.append("two"); });
  disk.disk.clear_faults();
  CHECK(failed.code() == ErrorCode::no_space);
  CHECK(failed.outcome() == Outcome::unknown);
  b.append("three");
  CHECK(b.log->status().files == 2);
  CHECK(a.refreshed() == b.texts());
}

TEST_CASE("log: the reserve lets those append who make room, and is refilled first") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1 << 20;
  options.preallocate_bytes = 4096;
  options.reserve_bytes = 3 * 4096;
  TestProcess a = disk.process(options);
  append_until_full([&]() -> TestProcess& {
    a.append(std::string(4000, 'x'));
    fill(disk, 4096 * 4);
    return a;
  }());
  CHECK(error_of([&] { a.append(std::string(5000, 'x')); }).code() == ErrorCode::no_space);
  {
    const auto lock = a.log->lock(LockPurpose::relief);
    CHECK_NOTHROW(a.append_under(*lock, std::string(5000, 'r')));
  }
  CHECK_FALSE(a.vfs->exists("log/reserve"));
  // Space for one growth comes back, but the reserve has the first claim on it.
  disk.disk.set_space_limit(disk.disk.bytes_used() + 4096 * 2);
  CHECK(error_of([&] { a.append(std::string(9000, 'x')); }).code() == ErrorCode::no_space);
  disk.disk.set_space_limit(0);
  a.append(std::string(9000, 'y'));
  CHECK(a.vfs->stat("log/reserve")->size == options.reserve_bytes);
}

TEST_CASE("log: a full disk at a rotation uses up the old file first") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 2048;
  options.preallocate_bytes = 4096;
  options.reserve_bytes = 0;
  TestProcess a = disk.process(options);
  a.append("one");
  a.append(std::string(2000, 'x'));
  fill(disk);
  const std::uint64_t files = a.log->status().files;
  a.append("still fits");
  CHECK(a.log->status().files == files);
  CHECK(disk.process(options).refreshed() == a.texts());
}

TEST_CASE("log: a full disk at any write behind a rotation leaves the log whole") {
  constexpr std::uint64_t kWritesMax = 8;  // more than an append that begins a new file makes
  for (std::uint64_t write = 1; write <= kWritesMax; ++write) {
    CAPTURE(write);
    TestDisk disk;
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    a.append(std::string(3000, 'x'));
    disk.disk.inject({io::Operation::write, write, kEnospc, false, false});
    try {
      a.append(std::string(2000, 'y'));  // begins a new file
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::no_space);
    }
    disk.disk.clear_faults();
    CHECK_NOTHROW(b.append("b"));
    CHECK_NOTHROW(a.append("a"));
    CHECK(b.refreshed() == a.texts());
    CHECK(disk.process().refreshed() == a.texts());
  }
}

}  // namespace otolith::history
