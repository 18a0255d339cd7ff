// Any bit flipped, any file cut: detected and named, or proved to be of no use to anybody.
#include "history/log_layout.h"
#include "history/test_log.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kRecords = 12;

// Two files of a closed log, small enough to flip every bit.
struct SmallLog {
  TestDisk disk;
  std::vector<std::string> files;
  std::string texts;
  std::uint64_t marks = 0;

  SmallLog() {
    LogOptions options = small_log();
    options.file_bytes = 1400;
    TestProcess a = disk.process(options);
    // Payloads of 1 to 12 bytes: padding of every length.
    for (std::uint64_t i = 1; i <= kRecords; ++i) a.append(std::string(i, 'a'));
    a.log->close();
    texts = a.texts();
    for (const std::string& name : a.vfs->list("log")) {
      if (name.ends_with(".log")) files.push_back("log/" + name);
    }
    REQUIRE(files.size() == 2);
  }
};

// Reads a log of which one file was changed. Empty if that is as it should be.
std::string complaint(const SmallLog& log, io::SimDisk changed, const std::string& file,
                      std::uint64_t boot) {
  TestDisk disk(std::move(changed));
  TestProcess reader = disk.reader(boot);
  std::string read_error;
  try {
    reader.refresh();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) return error.what();
    if (error.where().file.empty() || !error.where().offset) return "the error names no place";
    read_error = error.what();
  }
  if (!log.texts.starts_with(reader.texts())) return "wrong bytes were handed over";
  std::size_t problems = 0;
  bool named = false;
  reader.log->verify([&](const Error& error) {
    ++problems;
    named = named || error.where().file == file;
  });
  if (!read_error.empty()) return named ? "" : "verify does not name the file: " + read_error;
  if (reader.texts() != log.texts) return "records are missing, and nobody says so";
  // Harmless: then the log opens for writing and goes on.
  TestProcess writer = disk.process(small_log(), boot);
  writer.append("more");
  return writer.texts() == log.texts + " more" ? "" : "it does not go on";
}

void flip(io::SimDisk& disk, const std::string& path, std::uint64_t bit) {
  const auto file = disk.attach()->open(path, io::OpenMode::read_write);
  std::byte byte{};
  (void)file->read_at(bit / 8, {&byte, 1});
  byte ^= std::byte{1} << static_cast<int>(bit % 8);
  file->write_at(bit / 8, {&byte, 1});
}

}  // namespace

TEST_CASE("log: every bit flipped in a log file is detected, or changes no record") {
  const SmallLog log;
  std::uint64_t flips = 0;
  for (const std::string& path : log.files) {
    const std::uint64_t bits = log.disk.disk.copy().attach()->stat(path)->size * 8;
    for (std::uint64_t bit = 0; bit < bits; ++bit) {
      io::SimDisk changed = log.disk.disk.copy();
      flip(changed, path, bit);
      const std::string wrong = complaint(log, changed, path, 1 + bit % 2);
      if (wrong.empty()) continue;
      FAIL(path, " bit ", bit, ": ", wrong);
    }
    flips += bits;
  }
  MESSAGE("log: ", flips, " bits flipped");
}

TEST_CASE("log: a log file cut at any byte is detected") {
  const SmallLog log;
  for (const std::string& path : log.files) {
    const Bytes whole = file_bytes(*log.disk.disk.copy().attach(), path);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      io::SimDisk changed = log.disk.disk.copy();
      put_file(*changed.attach(), path, BytesView(whole).first(size));
      CAPTURE(size);
      TestProcess reader = TestDisk(changed).reader(1 + size % 2);
      bool detected = false;
      try {
        reader.refresh();
      } catch (const Error& error) {
        detected = error.code() == ErrorCode::corrupt;
      }
      // Cutting blank space behind the last record loses nothing.
      CHECK((detected || reader.texts() == log.texts));
      CHECK(log.texts.starts_with(reader.texts()));
      bool named = false;
      reader.log->verify([&](const Error& error) { named = named || error.where().file == path; });
      const bool cut_below_its_beginning = size < small_log().preallocate_bytes;
      CHECK(named == (detected || cut_below_its_beginning));
    }
  }
}

TEST_CASE("log: a log file that something was added to changes no record") {
  const SmallLog log;
  for (const std::string& path : log.files) {
    io::SimDisk changed = log.disk.disk.copy();
    const auto vfs = changed.attach();
    const auto file = vfs->open(path, io::OpenMode::read_write);
    file->write_at(file->stat().size, Bytes(5000, std::byte{0x5a}));
    CHECK(complaint(log, changed, path, 2) == "");
  }
}

TEST_CASE("log: every bit flipped in the lock page loses nothing") {
  const SmallLog log;
  for (std::uint64_t bit = 0; bit < kLockReadBytes * 8; ++bit) {
    io::SimDisk changed = log.disk.disk.copy();
    flip(changed, "lock", bit);
    const std::string wrong = complaint(log, changed, "lock", 1);
    if (!wrong.empty()) FAIL("bit ", bit, ": ", wrong);
  }
}

TEST_CASE("log: verify names every damaged record and goes on behind it") {
  TestDisk disk;
  TestProcess a = disk.process();
  for (int i = 1; i <= 10; ++i) a.append("0123456789");
  const auto file = a.vfs->open("log/00000001.log", io::OpenMode::read_write);
  const std::byte wrong{0xee};
  for (const std::uint64_t record : {3u, 4u, 8u}) {
    file->write_at(kLogHeaderBytes + (record - 1) * frame_bytes(10) + 66, {&wrong, 1});
  }
  std::vector<std::string> problems;
  a.log->verify([&](const Error& error) { problems.push_back(error.message()); });
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].starts_with("records 3 to 4 cannot be read"));
  CHECK(problems[1].starts_with("record 8 cannot be read"));
}

}  // namespace otolith::history
