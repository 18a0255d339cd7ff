// What an interrupted writer leaves, and what the next holder of the lock makes of it: the rules of
// docs/history.md 1 and 2, one by one.
#include "history/file_header.h"
#include "history/frame_codec.h"
#include "history/log_layout.h"
#include "history/test_log.h"

namespace otolith::history {

namespace {

constexpr const char* kFirstFile = "log/00000001.log";

// A sync that fails, and optionally the process that issued it dies at once.
Error append_with_failed_sync(TestDisk& disk, TestProcess& process, std::string_view text) {
  disk.disk.inject({io::Operation::sync, 1, 5, false, false});
  const Error error = error_of([&] { process.append(text); });
  disk.disk.clear_faults();
  return error;
}

void lose_everything_pending(TestDisk& disk) {
  disk.disk.lose_power(
      [](const io::DiskState& state) { return io::after_power_loss(state, io::PowerLoss{}); });
}

// Where the n-th frame of a file begins.
std::uint64_t frame_at(io::Vfs& vfs, const std::string& path, int n) {
  const Bytes bytes = file_bytes(vfs, path);
  std::uint64_t at = kLogHeaderBytes;
  for (int i = 1; i < n; ++i) at += frame_bytes(frame_payload_bytes(bytes.data() + at));
  return at;
}

void flip(io::Vfs& vfs, const std::string& path, std::uint64_t at) {
  const auto file = vfs.open(path, io::OpenMode::read_write);
  std::byte byte{};
  (void)file->read_at(at, {&byte, 1});
  byte ^= std::byte{0x10};
  file->write_at(at, {&byte, 1});
}

std::size_t torn_count(TestDisk& disk) { return disk.process().log->status().torn_tails.size(); }

}  // namespace

TEST_CASE("log: after a failed fsync the outcome is unknown and nothing of it is shown") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  const Error error = append_with_failed_sync(disk, a, "two");
  CHECK(error.code() == ErrorCode::io);
  CHECK(error.outcome() == Outcome::unknown);
  CHECK(a.refreshed() == "one");
  CHECK(b.refreshed() == "one");
  CHECK(disk.process().refreshed() == "one");
  CHECK(b.log->durable() == RecordNumber{1});
}

TEST_CASE("log: after a failed fsync a new file begins, for everybody") {
  for (const bool by_the_same : {true, false}) {
    CAPTURE(by_the_same);
    TestDisk disk;
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    a.append("one");
    (void)append_with_failed_sync(disk, a, "two");
    const Bytes before = file_bytes(*a.vfs, kFirstFile);
    (by_the_same ? a : b).append("three");
    CHECK(file_bytes(*a.vfs, kFirstFile) == before);
    CHECK(b.log->status().files == 2);
    const std::string live = b.refreshed();
    CHECK(live.ends_with("three"));
    lose_everything_pending(disk);
    CHECK(disk.process(small_log(), 2).refreshed() == live);
  }
}

TEST_CASE("log: a failed fsync, the process killed at once, another commits, the power goes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    TestDisk disk({.seed = seed});
    TestProcess b = disk.process();
    {
      TestProcess a = disk.process();
      a.append("one");
      disk.disk.inject({io::Operation::sync, 1, 5, false, false});
      // From the failed fsync on every call fails: the process is dying.
      disk.disk.inject({std::nullopt, 100, 5, false, true});
      const auto lock = a.log->lock();
      lock->catch_up(a.sink(), a.fallback());
      std::vector<Record> records;
      records.push_back(record_of("two"));
      bool dying = false;
      disk.disk.observe([&](const io::CallNote& note, const io::DiskState&) {
        dying = dying || note.operation == io::Operation::sync;
      });
      CHECK_THROWS_AS(lock->append(std::move(records)), Error);
      disk.disk.observe(nullptr);
      CHECK(dying);
      disk.disk.clear_faults();
      disk.disk.kill(*a.vfs);
    }
    b.append("three");
    const std::string live = b.texts();
    lose_everything_pending(disk);
    CHECK(disk.process(small_log(), 2).refreshed() == live);
  }
}

TEST_CASE("log: a writer killed between its append and its fsync is adopted, not trusted") {
  TestDisk disk;
  TestProcess b = disk.process();
  TestProcess a = disk.process();
  a.append("one");
  disk.disk.inject({io::Operation::sync, 1, 5, false, true});  // never gets to the disk
  CHECK_THROWS_AS(a.append("two"), Error);
  disk.disk.kill(*a.vfs);
  disk.disk.clear_faults();
  CHECK(b.refreshed() == "one");
  b.append("three");
  CHECK(b.log->status().files == 2);
  lose_everything_pending(disk);
  CHECK(disk.process(small_log(), 2).refreshed() == b.texts());
}

TEST_CASE("log: a torn tail is kept beside the log and reported, never overwritten") {
  TestDisk disk;
  {
    TestProcess a = disk.process();
    a.append("one");
    a.append("two");
    flip(*a.vfs, kFirstFile, frame_at(*a.vfs, kFirstFile, 2) + kFrameHeaderBytes);
  }
  const auto vfs = disk.disk.attach();
  const Bytes before = file_bytes(*vfs, kFirstFile);
  TestProcess b = disk.process(small_log(), 2);  // after a reboot: nothing says that it was durable
  CHECK(b.refreshed() == "one");
  CHECK(torn_count(disk) == 0);  // only a holder of the lock judges and keeps it
  b.append("three");
  CHECK(disk.process(small_log(), 2).refreshed() == "one three");
  CHECK(file_bytes(*vfs, kFirstFile) == before);
  const auto kept = b.log->status().torn_tails;
  REQUIRE(kept.size() == 1);
  const std::uint64_t torn_at = frame_at(*vfs, kFirstFile, 2);
  const Bytes torn = file_bytes(*vfs, kept.front());
  CHECK(
      std::equal(torn.begin(), torn.end(), before.begin() + static_cast<std::ptrdiff_t>(torn_at)));
  CHECK(torn.size() >= frame_bytes(3) - 8);
}

TEST_CASE("log: a bad frame that was durable is corrupt, and what stands before it is readable") {
  for (const std::uint64_t boot : {1u, 2u}) {
    CAPTURE(boot);
    TestDisk disk;
    TestProcess a = disk.process();
    for (const char* text : {"one", "two", "three"}) a.append(text);
    const std::uint64_t at = frame_at(*a.vfs, kFirstFile, 2);
    flip(*a.vfs, kFirstFile, at + kFrameHeaderBytes);
    const Bytes before = file_bytes(*a.vfs, kFirstFile);
    TestProcess reader = disk.reader(boot);
    Error error = error_of([&] { reader.refresh(); });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().file == kFirstFile);
    CHECK(error.where().offset == at);
    CHECK(reader.texts() == "one");
    TestProcess writer = disk.process(small_log(), boot);
    error = error_of([&] { writer.append("four"); });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().offset == at);
    CHECK(file_bytes(*a.vfs, kFirstFile) == before);  // nothing was cut
    CHECK(a.log->status().files == 1);
  }
}

TEST_CASE("log: a lock page that is missing, stale, copied or damaged loses nothing") {
  const auto spoil = [](io::SimDisk& disk, int how) {
    const auto vfs = disk.attach();
    switch (how) {
      case 0:
        vfs->remove("lock");
        break;
      case 1:
        put_file(*vfs, "lock", Bytes(4096, std::byte{0xff}));
        break;
      case 2:
        put_file(*vfs, "lock", Bytes(10));
        break;
      case 3: {  // words of another uptime say that nothing is visible
        LockWords none;
        none.file = 1;
        put_file(*vfs, "lock",
                 encode_lock_page({kTestDatabase, "simulated-boot-9", *vfs->stat("log")}, none));
        break;
      }
      case 4: {  // a copied directory: another inode, the same boot
        LockWords none;
        none.file = 1;
        io::FileStat elsewhere = *vfs->stat("log");
        ++elsewhere.inode;
        put_file(*vfs, "lock",
                 encode_lock_page({kTestDatabase, "simulated-boot-1", elsewhere}, none));
        break;
      }
      case 5: {  // of another database
        LockWords none;
        put_file(*vfs, "lock",
                 encode_lock_page({Id128{}, "simulated-boot-1", *vfs->stat("log")}, none));
        break;
      }
      default:
        flip(*vfs, "lock", lock_word_at(LockWord::visible));
        break;
    }
  };
  for (int how = 0; how <= 6; ++how) {
    CAPTURE(how);
    TestDisk disk;
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    a.append("one");
    b.append("two");
    spoil(disk.disk, how);
    CHECK(disk.reader().refreshed() == "one two");
    CHECK(a.refreshed() == "one two");
    b.append("three");
    CHECK(a.refreshed() == "one two three");
    a.append("four");
    CHECK(b.refreshed() == "one two three four");
    lose_everything_pending(disk);
    CHECK(disk.process(small_log(), 2).refreshed() == "one two three four");
  }
}

TEST_CASE("log: after a reboot a whole log goes on in its file") {
  TestDisk disk;
  {
    disk.process().append("one");
  }
  disk.disk.lose_power([](const io::DiskState& state) {
    return io::after_power_loss(state, {io::PowerLoss::Kind::everything, 0, 0});
  });
  TestProcess b = disk.process(small_log(), 2);
  b.append("two");
  CHECK(b.texts() == "one two");
  CHECK(b.log->status().files == 1);
}

TEST_CASE("log: without a lock page, what nothing proves durable is copied into a new file") {
  TestDisk disk;
  {
    TestProcess a = disk.process();
    a.append("one");
    a.append("two");
  }
  disk.disk.attach()->remove("lock");
  TestProcess b = disk.process();
  b.append("three");
  CHECK(b.log->status().files == 2);
  CHECK(disk.process().refreshed() == "one two three");
}

TEST_CASE("log: relaxed records that are lost raise the epoch, and handles fall back") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    TestDisk disk({.seed = seed});
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    a.append("one");
    a.append("relaxed", true);
    CHECK(b.refreshed() == "one relaxed");
    (void)append_with_failed_sync(disk, a, "two");  // the cache may lose the relaxed record too
    a.append("three");
    b.refresh();
    CHECK(b.texts() == a.texts());
    const bool lost = b.texts().find("relaxed") == std::string::npos;
    CHECK((b.fallbacks > 0) == lost);
    CHECK(b.log->status().epoch == (lost ? 1u : 0u));
    lose_everything_pending(disk);
    CHECK(disk.process(small_log(), 2).refreshed() == b.texts());
  }
}

TEST_CASE("log: frames inside the payload of a torn record never count as frames") {
  // What a user may put into a record: frames of this very log as seen in a copy of it, and frames
  // made without knowing its salt, all claiming that everything before them was durable.
  const auto hostile = [](std::uint64_t seed) {
    Bytes payload(40, std::byte{1});
    (void)encode_frame(payload, {RecordNumber{50}, 1, false, RecordNumber{49}, 0}, Bytes(8), seed);
    return std::string(as_text(payload)) + std::string(1000, 'z');
  };
  LogFileHeader other;  // as another database
  other.salt = kTestDatabase;
  for (const std::uint64_t seed : {std::uint64_t{0}, other.seed(), kLogMagic}) {
    TestDisk disk;
    {
      TestProcess a = disk.process();
      a.append("one");
      a.append(hostile(seed));
      flip(*a.vfs, kFirstFile, frame_at(*a.vfs, kFirstFile, 2) + 20);
    }
    TestProcess b = disk.process(small_log(), 2);
    CHECK(b.refreshed() == "one");
    b.append("two");
    CHECK(b.texts() == "one two");
  }
}

TEST_CASE("log: a later version's files and frames are refused before anything is written") {
  TestDisk disk;
  TestProcess a = disk.process();
  a.append("one");
  a.append("two");
  const Bytes sound = file_bytes(*a.vfs, kFirstFile);
  const LogFileHeader header = decode_file_header(sound, kTestDatabase, 1, kFirstFile);
  const auto refused = [&](const Bytes& changed) {
    put_file(*a.vfs, kFirstFile, changed);
    a.vfs->remove("lock");
    const Error error = error_of([&] {
      TestProcess b = disk.process();
      b.append("three");
    });
    CHECK(error.code() == ErrorCode::unsupported_format);
    CHECK(error.where().file == kFirstFile);
    CHECK(file_bytes(*a.vfs, kFirstFile) == changed);
    CHECK(a.vfs->list("log") == std::vector<std::string>{"00000001.log"});
  };
  SUBCASE("a required feature of the file") {
    LogFileHeader newer = header;
    newer.required = 0x10;
    Bytes changed = sound;
    std::ranges::copy(encode_file_header(newer), changed.begin());
    refused(changed);
  }
  SUBCASE("a newer version") {
    Bytes changed = sound;
    store_le(changed.data() + kHeaderVersionAt, std::uint32_t{2});
    store_le(changed.data() + kHeaderChecksumAt, xxh3(BytesView(changed).first(kHeaderChecksumAt)));
    refused(changed);
  }
  SUBCASE("an unknown type of frame that must be known, and an encrypted frame") {
    for (const std::size_t field : {kFrameTypeAt, kFrameKeyAt, kFrameRequiredAt}) {
      Bytes changed = sound;
      std::byte* const frame = changed.data() + frame_at(*a.vfs, kFirstFile, 2);
      const std::size_t bytes = frame_bytes(frame_payload_bytes(frame));
      frame[field] = std::byte{0x41};
      const std::uint64_t seed = header.seed();
      store_le(frame + kFrameHeaderCheckAt,
               static_cast<std::uint32_t>(
                   xxh3({frame + kFrameLengthAt, kFrameHeaderCheckAt - kFrameLengthAt}, seed)));
      store_le(frame, xxh3({frame + kFrameLengthAt, bytes - kFrameLengthAt}, seed));
      refused(changed);
      put_file(*a.vfs, kFirstFile, sound);
    }
  }
}

TEST_CASE("log: foreign, missing, swapped and shortened files are corrupt, by name") {
  const auto run = [](const std::function<std::string(io::Vfs&)>& spoil) {
    TestDisk disk;
    {
      TestProcess a = disk.process();
      for (int i = 0; i < 120; ++i) a.append(fmt::format("r{}", i));
      REQUIRE(a.log->status().files >= 3);
      a.log->close();
    }
    const auto vfs = disk.disk.attach();
    const std::string named = spoil(*vfs);
    for (const std::uint64_t boot : {1u, 2u}) {
      CAPTURE(boot);
      TestProcess b = disk.process(small_log(), boot);
      const Error error = error_of([&] { b.refresh(); });
      CHECK(error.code() == ErrorCode::corrupt);
      CHECK(error.where().file == named);
      CHECK(error_of([&] { b.append("no"); }).code() == ErrorCode::corrupt);
      std::size_t problems = 0;
      b.log->verify([&](const Error&) { ++problems; });
      CHECK(problems > 0);
    }
  };
  SUBCASE("missing first") {
    run([](io::Vfs& vfs) {
      vfs.remove(kFirstFile);
      return std::string(kFirstFile);
    });
  }
  SUBCASE("missing in the middle") {
    run([](io::Vfs& vfs) {
      vfs.remove("log/00000002.log");
      return std::string("log/00000002.log");
    });
  }
  SUBCASE("swapped") {
    run([](io::Vfs& vfs) {
      vfs.rename("log/00000001.log", "log/x");
      vfs.rename("log/00000002.log", "log/00000001.log");
      vfs.rename("log/x", "log/00000002.log");
      return std::string(kFirstFile);
    });
  }
  SUBCASE("of another database") {
    run([](io::Vfs& vfs) {
      Bytes bytes = file_bytes(vfs, "log/00000002.log");
      LogFileHeader header = decode_file_header(bytes, kTestDatabase, 2, "log/00000002.log");
      header.database = Id128{};
      std::ranges::copy(encode_file_header(header), bytes.begin());
      put_file(vfs, "log/00000002.log", bytes);
      return std::string("log/00000002.log");
    });
  }
  SUBCASE("shortened") {
    run([](io::Vfs& vfs) {
      put_file(vfs, "log/00000002.log", BytesView(file_bytes(vfs, "log/00000002.log")).first(1000));
      return std::string("log/00000002.log");
    });
  }
  SUBCASE("shortened to less than a header") {
    run([](io::Vfs& vfs) {
      put_file(vfs, "log/00000002.log", BytesView(file_bytes(vfs, "log/00000002.log")).first(99));
      return std::string("log/00000002.log");
    });
  }
}

TEST_CASE("log: the last file missing is noticed while the machine runs") {
  TestDisk disk;
  TestProcess a = disk.process();
  for (int i = 0; i < 120; ++i) a.append(fmt::format("r{}", i));
  const auto vfs = disk.disk.attach();
  const auto names = vfs->list("log");
  std::string last;
  for (const std::string& name : names) {
    if (name.ends_with(".log")) last = name;
  }
  vfs->remove("log/" + last);
  TestProcess b = disk.process();
  CHECK(error_of([&] { b.refresh(); }).code() == ErrorCode::corrupt);
  CHECK(error_of([&] { b.append("no"); }).code() == ErrorCode::corrupt);
}

TEST_CASE("log: an fsync that succeeded is a commit, even if the lock page cannot be written") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  {
    const auto lock = a.log->lock();
    lock->catch_up(a.sink(), a.fallback());
    std::vector<Record> records;
    records.push_back(record_of("two"));
    // Writes of an append: `writing`, the frame, then the words that raise `visible`.
    disk.disk.inject({io::Operation::write, 3, 5, false, true});
    CHECK(lock->append(std::move(records)).front() == RecordNumber{2});
    disk.disk.clear_faults();
    a.seen.emplace(2, "two");
  }
  CHECK(a.refreshed() == "one two");
  b.append("three");
  CHECK(b.texts() == "one two three");
  CHECK(a.refreshed() == "one two three");
}

TEST_CASE("log: where the lock page cannot be written others see what was acknowledged") {
  for (const bool for_good : {false, true}) {
    CAPTURE(for_good);
    TestDisk disk;
    TestProcess a = disk.process();
    TestProcess b = disk.process();
    TestProcess c = disk.reader();
    a.append("one");
    CHECK(b.refreshed() == "one");
    CHECK(c.refreshed() == "one");
    disk.disk.inject({io::Operation::write, 3, 5, for_good, false});  // writing, frame, page
    CHECK(a.append("two") == RecordNumber{2});
    CHECK(b.refreshed() == "one two");
    CHECK(c.refreshed() == "one two");
    CHECK(disk.reader().refreshed() == "one two");
    disk.disk.clear_faults();
    b.append("three");
    CHECK(a.refreshed() == "one two three");
    CHECK(c.refreshed() == "one two three");
    CHECK(disk.process(small_log(), 2).refreshed() == "one two three");
  }
}

TEST_CASE("log: a frame that does not follow the one before it is not believed") {
  TestDisk disk;
  TestProcess a = disk.process();
  for (const char* text : {"one", "two", "three"}) a.append(text);
  const auto vfs = disk.disk.attach();
  Bytes file = file_bytes(*vfs, kFirstFile);
  const LogFileHeader header = decode_file_header(file, kTestDatabase, 1, kFirstFile);
  const std::uint64_t second = frame_at(*vfs, kFirstFile, 2);
  FrameFields fields = frame_fields(file.data() + second);
  Bytes other;  // sound by itself, in the place of record 2
  (void)encode_frame(other, fields, as_bytes_view("TWO"), header.seed());
  std::ranges::copy(other, file.begin() + static_cast<std::ptrdiff_t>(second));
  put_file(*vfs, kFirstFile, file);
  TestProcess reader = disk.reader();
  const Error error = error_of([&] { reader.refresh(); });
  CHECK(error.code() == ErrorCode::corrupt);
  CHECK(reader.texts() == "one TWO");
}

TEST_CASE("log: a lock file that is replaced is locked anew") {
  TestDisk disk;
  TestProcess a = disk.process();
  TestProcess b = disk.process();
  a.append("one");
  disk.disk.attach()->remove(kLockPath);
  b.append("two");  // makes another
  const auto held = b.log->lock();
  CHECK(error_of([&] { (void)a.log->lock(); }).code() == ErrorCode::locked);
}

}  // namespace otolith::history
