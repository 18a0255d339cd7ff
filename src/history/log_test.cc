// The log as its users see it: records in order, one writer, readers that never wait.
#include "history/test_log.h"

namespace otolith::history {

TEST_CASE("log: records come back in order, across processes and rotations") {
  TestDisk disk;
  TestProcess writer = disk.process();
  TestProcess other = disk.process();
  std::string all;
  for (int i = 1; i <= 200; ++i) {
    const std::string text = fmt::format("r{}", i);
    CHECK(writer.append(text) == RecordNumber(static_cast<std::uint64_t>(i)));
    all += (all.empty() ? "" : " ") + text;
    if (i % 7 == 0) CHECK(other.refreshed() == all);
  }
  CHECK(other.refreshed() == all);
  CHECK(disk.process().refreshed() == all);
  CHECK(disk.reader().refreshed() == all);
  CHECK(writer.log->status().files > 3);
}

TEST_CASE("log: processes take turns and each continues where the other stopped") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  for (int i = 0; i < 60; ++i) (i % 3 == 0 ? a : b).append(fmt::format("r{}", i));
  CHECK(a.refreshed() == b.refreshed());
  CHECK(a.log->last() == RecordNumber{60});
  CHECK(b.log->durable() == RecordNumber{60});
}

TEST_CASE("log: a batch is appended whole, with consecutive numbers") {
  TestDisk disk;
  TestProcess a = disk.process();
  {
    const auto lock = a.log->lock();
    lock->catch_up(a.sink(), a.fallback());
    std::vector<Record> records;
    for (const char* text : {"one", "two", "three"}) records.push_back(record_of(text));
    const auto numbers = lock->append(std::move(records));
    CHECK(numbers == std::vector{RecordNumber{1}, RecordNumber{2}, RecordNumber{3}});
  }
  CHECK(disk.process().refreshed() == "one two three");
}

TEST_CASE("log: a record as large as many files and steps is one frame") {
  TestDisk disk;
  TestProcess a = disk.process();
  const std::string large(20'000, 'x');
  a.append("before");
  a.append(large);
  a.append("behind");
  CHECK(disk.process().refreshed() == "before " + large + " behind");
}

TEST_CASE("log: seek begins behind the record a checkpoint holds") {
  TestDisk disk;
  TestProcess a = disk.process();
  for (int i = 1; i <= 100; ++i) a.append(fmt::format("r{}", i));
  for (std::uint64_t behind : {0u, 1u, 57u, 99u, 100u}) {
    TestProcess b = disk.process();
    b.log->seek(RecordNumber{behind});
    b.refresh();
    CHECK(b.seen.size() == 100 - behind);
    if (behind < 100) CHECK(b.seen.begin()->first == behind + 1);
  }
}

TEST_CASE("log: behind tells a reader without reading whether there is anything new") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  CHECK(b.log->behind());
  b.refresh();
  CHECK_FALSE(b.log->behind());
  a.append("two");
  CHECK(b.log->behind());
}

TEST_CASE("log: a relaxed record is visible at once and durable after sync") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("durable");
  a.append("relaxed", true);
  CHECK(b.refreshed() == "durable relaxed");
  CHECK(a.log->durable() == RecordNumber{1});
  CHECK(b.log->durable() == RecordNumber{1});
  a.log->sync();
  CHECK(a.log->durable() == RecordNumber{2});
  b.refresh();
  CHECK(b.log->durable() == RecordNumber{2});
}

TEST_CASE("log: a durable record makes the relaxed ones before it durable, also those of others") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("first");
  a.append("relaxed", true);
  b.append("second");
  CHECK(b.log->durable() == RecordNumber{3});
  disk.disk.lose_power([](const io::DiskState& state) {
    return io::after_power_loss(state, {io::PowerLoss::Kind::nothing, 0, 0});
  });
  CHECK(disk.process(small_log(), 2).refreshed() == "first relaxed second");
}

TEST_CASE("log: mixed relaxed and durable writers do not begin a file for each commit") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1 << 20;
  TestProcess a = disk.process(options);
  TestProcess b = disk.process(options);
  for (int i = 0; i < 40; ++i) {
    a.append("relaxed", true);
    b.append("durable");
  }
  CHECK(a.log->status().files <= 3);
}

TEST_CASE("log: closing writes one sync mark, and none where nothing was appended") {
  TestDisk disk;
  {
    TestProcess a = disk.process();
    a.append("one");
    a.append("two", true);
    a.log->close();
    a.log->close();
    CHECK(a.log->durable() == a.log->last());
  }
  TestProcess b = disk.process();
  std::vector<FrameType> types;
  b.log->refresh([&](const Frame& frame) { types.push_back(frame.type); }, {});
  CHECK(types == std::vector{FrameType::commit, FrameType::commit, FrameType::sync_mark});
  b.log->close();
  CHECK(b.log->last() == RecordNumber{3});
}

TEST_CASE("log: who waits too long for the append lock learns who holds it") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("page");
  const auto held = a.log->lock();
  const Error error = error_of([&] { b.append("no"); });
  CHECK(error.code() == ErrorCode::locked);
  CHECK(error.message().find("process 1 holds it") != std::string::npos);
  CHECK(b.refreshed() == "page");  // readers do not wait
}

TEST_CASE("log: a killed holder holds nobody up") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  const auto held = a.log->lock();
  disk.disk.kill(*a.vfs);
  b.append("next");
  CHECK(b.texts() == "next");
}

TEST_CASE("log: a handle that is read-only writes nothing and says so") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  TestProcess reader = disk.reader();
  CHECK(reader.refreshed() == "one");
  CHECK(error_of([&] { (void)reader.log->lock(); }).code() == ErrorCode::invalid_argument);
  LogOptions options = small_log();
  options.read_only = true;
  TestProcess polite = disk.process(options);
  CHECK(polite.refreshed() == "one");
  CHECK(error_of([&] { (void)polite.log->lock(); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("log: a sink that throws is handed the record again") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  a.append("two");
  TestProcess b = disk.process();
  int calls = 0;
  const FrameSink fussy = [&](const Frame&) {
    if (++calls == 2) throw_error(ErrorCode::cancelled, "the sink has had enough");
  };
  CHECK(error_of([&] { b.log->refresh(fussy, {}); }).code() == ErrorCode::cancelled);
  CHECK(b.log->last() == RecordNumber{1});
  b.log->refresh(fussy, {});
  CHECK(calls == 3);
  CHECK(b.log->last() == RecordNumber{2});
}

TEST_CASE("log: creating a log where one is refuses") {
  TestDisk disk;
  const auto vfs = disk.disk.attach();
  const auto environment = io::simulated_environment(3);
  CHECK(error_of([&] { Log::create(*vfs, *environment, kTestDatabase); }).code() ==
        ErrorCode::conflict);
}

TEST_CASE("log: space for what comes is taken by tend, not by the commit") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 64 << 20;
  options.preallocate_bytes = 8192;
  TestProcess a = disk.process(options);
  a.append("first");
  const auto preallocated = [&] {
    return disk.disk.calls()[static_cast<std::size_t>(io::Operation::preallocate)];
  };
  std::uint64_t in_commits = 0;
  std::uint64_t in_tend = 0;
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t before = preallocated();
    a.append("r");
    const std::uint64_t between = preallocated();
    a.log->tend();
    in_commits += between - before;
    in_tend += preallocated() - between;
  }
  CHECK(in_commits == 0);
  CHECK(in_tend > 2);
}

TEST_CASE("log: zeros written ahead never meet a frame, whoever appended it") {
  LogOptions options = small_log();
  options.file_bytes = 1 << 20;
  options.preallocate_bytes = 512 << 10;
  TestDisk disk;
  TestProcess a = disk.process(options);
  TestProcess b = disk.process(options);
  const auto writes_of_tend = [&] {
    const auto count = [&] {
      return disk.disk.calls()[static_cast<std::size_t>(io::Operation::write)];
    };
    const std::uint64_t before = count();
    a.log->tend();
    return count() - before;
  };
  a.append("one");
  CHECK(writes_of_tend() == 1);
  CHECK(writes_of_tend() == 0);
  for (int i = 0; i < 10; ++i) {
    a.append(std::string(9000, 'a'));
    if (i % 2 == 0) b.append(std::string(30'000, 'b'));  // a does not know that the log has grown
    CHECK(writes_of_tend() <= 2);
    b.append("b");
    b.log->tend();
  }
  const std::string texts = disk.process(options).refreshed();
  CHECK(a.refreshed() == texts);
  CHECK(b.refreshed() == texts);
  disk.disk.lose_power(
      [](const io::DiskState& state) { return io::after_power_loss(state, io::PowerLoss{}); });
  CHECK(disk.process(options, 2).refreshed() == texts);
}

}  // namespace otolith::history
