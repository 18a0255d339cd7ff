// Ways in which acknowledged records were once lost, or the log wrongly called damaged: each was
// found by breaking it, and is kept as a test.
#include "history/file_header.h"
#include "history/frame_codec.h"
#include "history/log_directory.h"
#include "history/log_layout.h"
#include "history/test_log.h"
#include "io/posix.h"
#include "io/test_folder.h"

#include <filesystem>

namespace otolith::history {

namespace {

constexpr const char* kFirstFile = "log/00000001.log";
constexpr int kEio = 5;
constexpr int kEnospc = 28;

// As write-back that failed leaves it: the payload of the last record is not what was written.
void spoil_payload(TestDisk& disk, int frame) {
  const auto vfs = disk.disk.attach();
  const Bytes bytes = file_bytes(*vfs, kFirstFile);
  std::uint64_t at = kLogHeaderBytes;
  for (int i = 1; i < frame; ++i) at += frame_bytes(frame_payload_bytes(bytes.data() + at));
  const std::uint64_t size = frame_payload_bytes(bytes.data() + at);
  vfs->open(kFirstFile, io::OpenMode::read_write)->write_at(at + kFrameHeaderBytes, Bytes(size));
}

// The n-th frame and all behind it, gone without a trace.
void blank_from(TestDisk& disk, int frame) {
  const auto vfs = disk.disk.attach();
  const Bytes bytes = file_bytes(*vfs, kFirstFile);
  std::uint64_t at = kLogHeaderBytes;
  for (int i = 1; i < frame; ++i) at += frame_bytes(frame_payload_bytes(bytes.data() + at));
  vfs->open(kFirstFile, io::OpenMode::read_write)->write_at(at, Bytes(bytes.size() - at));
}

}  // namespace

TEST_CASE("log: a disk that is full anywhere behind a rotation loses nothing acknowledged") {
  LogOptions options = small_log();
  options.file_bytes = 1024;
  options.reserve_bytes = 0;
  for (std::uint64_t at = 1; at <= 9; ++at) {
    CAPTURE(at);
    TestDisk disk;
    TestProcess a = disk.process(options);
    TestProcess b = disk.process(options);
    a.append(std::string(300, 'x'));
    b.catch_up();
    disk.disk.inject({io::Operation::write, at, kEnospc, false, false});
    bool kept = true;
    try {
      a.append(std::string(300, 'y'));
    } catch (const Error& error) {
      kept = error.outcome() == Outcome::unknown;
    }
    disk.disk.clear_faults();
    b.append("acknowledged");
    a.append("more");
    CHECK((kept || b.seen.size() == 2));
    for (const std::uint64_t boot : {1u, 2u}) {
      const std::string read = disk.process(options, boot).refreshed();
      CHECK(read.ends_with("acknowledged more"));
      CHECK(read == a.texts());
    }
  }
}

TEST_CASE("log: a page that names an older file than there is makes its reader look for the end") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1024;
  TestProcess a = disk.process(options);
  a.append(std::string(600, 'x'));
  const auto vfs = disk.disk.attach();
  const Bytes older = file_bytes(*vfs, "lock");
  a.append(std::string(600, 'y'));  // in the next file
  vfs->open("lock", io::OpenMode::read_write)->write_at(0, older);
  TestProcess b = disk.process(options);
  b.append("z");
  CHECK(b.seen.size() == 3);
  CHECK(disk.process(options, 2).refreshed() == b.texts());
}

TEST_CASE("log: the loss of one relaxed record is noticed by a commit that was decided on it") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  a.append("relaxed", true);
  CHECK(b.refreshed() == "one relaxed");
  spoil_payload(disk, 2);
  const Error lost = error_of([&] { b.append("decided on relaxed"); });
  CHECK(lost.code() == ErrorCode::io);
  CHECK(lost.outcome() == Outcome::failed);
  CHECK(b.refreshed() == "one");
  CHECK(b.log->status().epoch == 1);
  b.append("two");
  CHECK(disk.process(small_log(), 2).refreshed() == "one two");
}

TEST_CASE("log: a lost relaxed record keeps no fresh handle from appending") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  a.append("relaxed", true);
  blank_from(disk, 2);
  TestProcess b = disk.process();
  CHECK(b.refreshed() == "one");
  b.append("two");
  CHECK(disk.process().refreshed() == "one two");
  CHECK(a.refreshed() == "one two");
}

TEST_CASE("log: a relaxed record that is gone with the lock page is kept by nobody") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  a.append("relaxed", true);
  a.append("also", true);
  blank_from(disk, 2);
  disk.disk.attach()->remove("lock");
  TestProcess b = disk.process();
  b.append("two");  // knows of no record behind the first
  CHECK(a.refreshed() == "one two");
  CHECK(a.fallbacks == 1);
  a.append("three");
  CHECK(b.refreshed() == "one two three");
}

TEST_CASE("log: no handle falls back behind what it knows to be durable") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  a.append("two");
  disk.disk.attach()->remove("lock");
  TestProcess b = disk.process();
  b.append("three");  // nothing proves to it that record 2 was synced
  CHECK(a.refreshed() == "one two three");
  CHECK(a.fallbacks == 0);
}

TEST_CASE("log: a look at the lock's path that fails leaves the lock free") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  disk.disk.inject({io::Operation::stat, 1, kEio, false, false});
  CHECK(error_of([&] { a.append("two"); }).outcome() == Outcome::none);
  disk.disk.clear_faults();
  b.append("three");
  CHECK(a.refreshed() == "one three");
}

TEST_CASE("log: a fall-back that fails is told again") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  TestProcess reader = disk.reader();
  a.append("one");
  a.append("relaxed", true);
  a.append("also", true);
  CHECK(reader.refreshed() == "one relaxed also");
  blank_from(disk, 2);
  b.append("two");
  const auto fails = [](RecordNumber) { throw_error(ErrorCode::io, "the index cannot be read"); };
  CHECK(error_of([&] { reader.log->refresh(reader.sink(), fails); }).code() == ErrorCode::io);
  CHECK(reader.refreshed() == "one two");
  CHECK(reader.fallbacks == 1);
}

TEST_CASE("log: a lock file removed under its holder costs no acknowledged record") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  b.append("two");
  a.refresh();
  {
    const auto lock = a.log->lock();
    lock->catch_up(a.sink(), a.fallback());
    disk.disk.attach()->remove("lock");
    b.append("three");
    // Whatever the first one still writes to the old file is behind its end.
    CHECK(b.log->status().files == 2);
    std::vector<Record> records;
    records.push_back(record_of("lost"));
    const Error error = error_of([&] { lock->append(std::move(records)); });
    CHECK(error.outcome() == Outcome::unknown);
  }
  a.append("four");
  CHECK(a.refreshed() == "one two three four");
  CHECK(b.refreshed() == a.texts());
  CHECK(disk.process(small_log(), 2).refreshed() == a.texts());
}

TEST_CASE("log: a new file takes no other's name, and a leftover is in nobody's way") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  const auto vfs = disk.disk.attach();
  vfs->open("log/00000002-77.new", io::OpenMode::create);
  NewLogFile second;
  second.header.database = kTestDatabase;
  second.header.file = 2;
  second.header.first = RecordNumber{2};
  second.header.durable = RecordNumber{1};
  (void)begin_log_file(*vfs, second);
  const Bytes before = file_bytes(*vfs, "log/00000002.log");
  second.header.salt.bytes.fill(std::byte{9});
  const Error error = error_of([&] { (void)begin_log_file(*vfs, second); });
  CHECK(error.code() == ErrorCode::io);
  CHECK(error.message().find("log/00000002.log") != std::string::npos);
  CHECK(file_bytes(*vfs, "log/00000002.log") == before);
  for (const std::string& name : vfs->list("log")) CHECK_FALSE(name.ends_with(".new"));
}

TEST_CASE("log: a look at the lock's path that fails behind the write leaves the outcome open") {
  std::size_t open = 0;
  for (std::uint64_t at = 1; at <= 8; ++at) {
    CAPTURE(at);
    TestDisk disk;
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    a.append("one");
    disk.disk.inject({io::Operation::stat, at, kEio, false, false});
    Outcome outcome = Outcome::none;
    try {
      a.append("two");
    } catch (const Error& error) {
      outcome = error.outcome();
    }
    disk.disk.clear_faults();
    if (outcome == Outcome::unknown) ++open;
    b.append("three");
    CHECK(a.refreshed() == b.texts());
    if (outcome == Outcome::failed) CHECK(a.texts() == "one three");
    CHECK(disk.process(small_log(), 2).refreshed() == a.texts());
  }
  CHECK(open == 1);
}

namespace {

// A machine that does not say when it was started.
class NoBootId final : public io::Environment {
 public:
  explicit NoBootId(std::uint64_t seed) : base_(io::simulated_environment(seed)) {}
  Timestamp now() override { return base_->now(); }
  std::uint64_t monotonic_ns() override { return base_->monotonic_ns(); }
  void sleep_ns(std::uint64_t duration_ns) override { base_->sleep_ns(duration_ns); }
  void random(std::span<std::byte> out) override { base_->random(out); }
  std::string boot_id() override { return {}; }
  std::uint64_t process_id() override { return base_->process_id(); }
  std::uint64_t process_start() override { return base_->process_start(); }

 private:
  const std::shared_ptr<io::Environment> base_;
};

}  // namespace

TEST_CASE("log: where the boot id is unknown, no lock page of another handle is believed") {
  TestDisk disk;
  const auto open = [&](std::uint64_t seed) {
    TestProcess process = disk.process();
    process.environment = std::make_shared<NoBootId>(seed);
    process.log = Log::open(process.vfs, process.environment, kTestDatabase, small_log());
    return process;
  };
  TestProcess a = open(11);
  a.append("one");
  const auto vfs = disk.disk.attach();
  const Bytes stale = file_bytes(*vfs, "lock");  // as write-back left it before the power went
  a.append("two");
  a.append("three");
  CHECK(a.log->status().files == 2);  // its own page it believes
  vfs->open("lock", io::OpenMode::read_write)->write_at(0, stale);
  TestProcess b = open(12);
  CHECK(b.refreshed() == "one two three");
  b.append("four");
  CHECK(open(13).refreshed() == "one two three four");
  a.append("five");
  CHECK(b.refreshed() == "one two three four five");
}

TEST_CASE("log: a lock file that is emptied or cut ends no process that reads it") {
  const io::TestFolder folder;
  const auto vfs = io::posix_vfs(folder.path());
  Log::create(*vfs, *io::system_environment(), kTestDatabase, small_log());
  TestProcess a(io::posix_vfs(folder.path()));
  TestProcess reader(io::posix_vfs(folder.path()));
  a.append("one");
  CHECK(reader.refreshed() == "one");
  for (const std::uint64_t size : {0u, 100u, 300u}) {
    std::filesystem::resize_file(std::filesystem::path(folder.path()) / "lock", size);
    CHECK(reader.refreshed() == a.texts());
    a.append(fmt::format("cut to {}", size));
    CHECK(reader.refreshed() == a.texts());
  }
}

TEST_CASE("log: where nothing can be mapped a reader sees no record that is in flight") {
  TestDisk disk;
  disk.disk.inject({io::Operation::map, 1, 19, false, true});  // ENODEV
  TestProcess a = disk.process();
  TestProcess reader = disk.reader();
  a.append("one");
  disk.disk.inject({io::Operation::sync, 1, kEio, false, false});
  CHECK(error_of([&] { a.append("two"); }).outcome() == Outcome::unknown);
  CHECK(reader.refreshed() == "one");
  CHECK(disk.reader().refreshed() == "one");
}

TEST_CASE("log: adoption makes no relaxed record durable, for it syncs no segments") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  a.append("relaxed", true);
  disk.disk.inject({io::Operation::write, 2, kEio, false, true});  // writing, frame
  CHECK_THROWS_AS(a.append("also", true), Error);
  disk.disk.kill(*a.vfs);
  disk.disk.clear_faults();
  {
    const auto lock = b.log->lock();
    lock->catch_up(b.sink(), b.fallback());
    CHECK(b.log->status().files == 2);
    CHECK(lock->relaxed_pending());
    CHECK(b.log->durable() == RecordNumber{1});
    lock->sync();
    CHECK_FALSE(lock->relaxed_pending());
  }
  CHECK(b.log->durable() == RecordNumber{2});
  CHECK(disk.process(small_log(), 2).refreshed() == "one relaxed");
}

TEST_CASE("log: a relaxed record that begins a new file makes no other durable") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1024;
  TestProcess a = disk.process(options);
  TestProcess b = disk.process(options);
  a.append("one");
  a.append(std::string(300, 'r'), true);
  a.append(std::string(300, 's'), true);
  CHECK(a.log->status().files == 2);
  CHECK(a.log->durable() == RecordNumber{1});
  b.append("two");
  CHECK(a.log->status().files <= 3);
  a.refresh();
  CHECK(a.log->durable() == RecordNumber{4});
  CHECK(disk.process(options, 2).refreshed() == b.texts());
}

TEST_CASE("log: the header of an adopted file names the last commit before it") {
  TestDisk disk;
  TestProcess a = disk.process();
  for (const char* text : {"one", "two", "three"}) a.append(text);
  disk.disk.attach()->remove("lock");
  TestProcess b = disk.process();
  LogOptions options = small_log();
  std::size_t most = 0;
  options.commit_hash = [&](RecordNumber record) {
    Hash256 hash;
    most = std::max(most, b.seen.size());
    hash.bytes.front() = std::byte{static_cast<unsigned char>(most)};
    hash.bytes.back() = std::byte{static_cast<unsigned char>(value_of(record))};
    return hash;
  };
  b.log = Log::open(b.vfs, b.environment, kTestDatabase, options);
  b.append("four");
  const Bytes second = file_bytes(*b.vfs, "log/00000002.log");
  const LogFileHeader header = decode_file_header(second, kTestDatabase, 2, "");
  CHECK(header.commit_hash.bytes.front() == std::byte{3});  // all were handed over before
  CHECK(RecordNumber{static_cast<std::uint64_t>(header.commit_hash.bytes.back())} ==
        RecordNumber{value_of(header.first) - 1});
}

TEST_CASE("log: errors call a log file by its name, also in the handle that made it") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1024;
  TestProcess a = disk.process(options);
  a.append(std::string(700, 'x'));
  a.append(std::string(300, 'y'));
  disk.disk.inject({io::Operation::sync, 1, kEio, false, false});
  const Error error = error_of([&] { a.append("z"); });
  CHECK(error.where().file == "log/00000002.log");
}

TEST_CASE("log: a log file that is missing in the middle is named, with its records") {
  TestDisk disk;
  LogOptions options = small_log();
  options.file_bytes = 1024;
  TestProcess a = disk.process(options);
  for (int i = 0; i < 3; ++i) a.append(std::string(700, 'x'));
  disk.disk.attach()->remove("log/00000002.log");
  for (const std::uint64_t boot : {1u, 2u}) {
    TestProcess reader = disk.reader(boot);
    const Error error = error_of([&] { reader.refresh(); });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().file == "log/00000002.log");
    CHECK(std::string(error.what()).find("records 2 to 2") != std::string::npos);
    CHECK(reader.seen.size() == 1);
  }
}

}  // namespace otolith::history
