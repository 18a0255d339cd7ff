// Every file of a database under `inspect`: sound, torn, damaged, foreign, and of any bytes.
#include <algorithm>
#include <map>
#include <set>

#include "base/limits.h"
#include "history/file_header.h"
#include "history/frame_codec.h"
#include "history/log_layout.h"
#include "io/random.h"
#include "otolith/error.h"
#include "test/budget.h"
#include "test/inspect/kept.h"

namespace otolith::test {

namespace {

constexpr const char* kLog = "log/00000001.log";

std::map<std::string, FileLayout> by_name(const Inspection& found) {
  std::map<std::string, FileLayout> out;
  for (const FileLayout& file : found.files) out.emplace(file.file, file);
  return out;
}

std::string file_of(const Inspection& found, FileKind kind) {
  const auto file = std::ranges::find(found.files, kind, &FileLayout::kind);
  REQUIRE(file != found.files.end());
  return file->file;
}

LogLayout log_of(const Kept& kept, bool verify = false) {
  const Inspection found = inspect(kept.path, {.file = kLog, .verify = verify});
  REQUIRE(found.files.size() == 1);
  return std::get<LogLayout>(found.files[0].details);
}

std::uint64_t end_of_frames(const Kept& kept) {
  const LogLayout log = log_of(kept);
  return log.header_bytes + log.frame_bytes;
}

}  // namespace

TEST_CASE("inspect: every file of a database is explained") {
  Kept kept;
  const Inspection found = inspect(kept.path, {.verify = true});
  CHECK(found.problems.empty());
  std::multiset<std::string_view> kinds;
  for (const FileLayout& file : found.files) kinds.insert(file_kind_name(file.kind));
  CHECK(kinds == std::multiset<std::string_view>{"otolith", "log", "checkpoint", "index", "lock",
                                                 "reserve"});
  const auto files = by_name(found);
  const auto& log = std::get<LogLayout>(files.at(kLog).details);
  CHECK(log.number == 1);
  CHECK(log.record_first == 1);
  CHECK(log.commit_first == 1);
  CHECK(log.commit_last == 2);
  CHECK(log.record_durable == log.record_last);
  CHECK(log.frames.at(0).kind == "commit");
  CHECK(log.frames[0].frames == 2);
  CHECK_FALSE(log.torn_at.has_value());
  CHECK(log.header_bytes + log.frame_bytes + log.unused_bytes == files.at(kLog).bytes);
  const auto& checkpoint =
      std::get<CheckpointLayout>(files.at(file_of(found, FileKind::checkpoint)).details);
  CHECK(checkpoint.commit == 2);
  CHECK(checkpoint.datasets == 1);
  CHECK(checkpoint.segments == 1);
  CHECK(checkpoint.commit_hash.size() == 64);
  const auto& index = std::get<IndexLayout>(files.at(file_of(found, FileKind::index)).details);
  CHECK(index.commit_first == 1);
  CHECK(index.commit_last == 2);
  CHECK(std::get<DirectoryLayout>(files.at("OTOLITH").details).database_id ==
        found.status->database_id);
  CHECK(std::get<LockLayout>(files.at("lock").details).record_visible == log.record_last);
  for (const FileLayout& file : found.files) {
    const bool read_whole = file.kind != FileKind::lock && file.kind != FileKind::reserve;
    CHECK(file.verified == read_whole);
  }
  CHECK(holds(found.text(), "2 frames"));
  CHECK(holds(found.json(), R"("kind": "checkpoint")"));
  CHECK_FALSE(std::get<LogLayout>(by_name(inspect(kept.path)).at(kLog).details).frames_read);
}

TEST_CASE("inspect: a file is named in the database, as the shell has it, or looked at alone") {
  Kept kept;
  const Inspection all = inspect(kept.path);
  for (const FileLayout& file : all.files) {
    CAPTURE(file.file);
    for (const std::string& word : {file.file, kept.path + "/" + file.file}) {
      const Inspection one = inspect(kept.path, {.file = word});
      REQUIRE(one.files.size() == 1);
      CHECK(one.files[0].file == file.file);
      CHECK(one.segments.empty());
    }
    const Inspection alone = inspect(kept.path + "/" + file.file);
    CHECK_FALSE(alone.is_database);
    CHECK(alone.kind() == file_kind_name(file.kind));
    CHECK(alone.problems.empty());
    CHECK(alone.files.at(0).bytes == file.bytes);
  }
  Kept other;
  CHECK_THROWS_WITH_AS(inspect(kept.path, {.file = other.path + "/" + kLog}),
                       doctest::Contains("has no file"), Error);
}

TEST_CASE("inspect: torn bytes of a log are told with their place, and are no damage") {
  Kept kept;
  const std::uint64_t end = end_of_frames(kept);
  Bytes log = kept.read(kLog);
  for (std::uint64_t i = 0; i < 100; ++i) log[end + i] = std::byte{0x5a};
  kept.write(kLog, log);
  const Inspection found = inspect(kept.path, {.file = kLog, .verify = true});
  CHECK(found.problems.empty());
  const auto& layout = std::get<LogLayout>(found.files.at(0).details);
  CHECK(layout.torn_at == end);
  CHECK(layout.torn_bytes == 100);
  CHECK(layout.commit_last == 2);
  CHECK(holds(found.text(), "100 B torn from byte " + std::to_string(end)));
  CHECK(holds(inspect(kept.path + "/" + kLog).text(), "checksums: all verified"));
}

TEST_CASE("inspect: a log of frames that are sound and say nothing is told so often and no more") {
  Kept kept;
  Bytes log = kept.read(kLog);
  const history::LogFileHeader header = history::decode_file_header(log, kLog);
  log.resize(history::kLogHeaderBytes);
  history::FrameFields fields{.type = static_cast<std::uint8_t>(history::FrameType::seal),
                              .chain = header.seed()};
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    fields.number = RecordNumber{number};
    fields.chain = history::encode_frame(log, fields, Bytes(8, std::byte{0xff}), header.seed());
  }
  kept.write(kLog, log);
  const Inspection found = inspect(kept.path, {.file = kLog, .verify = true});
  const auto of_records = std::ranges::count_if(
      found.problems, [](const Problem& problem) { return problem.what.starts_with("record "); });
  CHECK(of_records == kDamagedStretchesMax - 1);
  CHECK(std::ranges::any_of(found.problems, [](const Problem& problem) {
    return problem.what.starts_with("64 records or more do not say");
  }));
  CHECK(std::get<LogLayout>(found.files.at(0).details).frames.at(0).frames == 1000);
}

TEST_CASE("inspect: a damaged file is told with its place, and the others are shown") {
  Kept kept;
  const auto damaged = [&](const std::string& file, std::size_t at) {
    const Bytes sound = kept.read(file);
    kept.flip(file, at);
    const Inspection found = inspect(kept.path, {.file = file, .verify = true});
    CHECK(std::ranges::any_of(found.problems, [&](const Problem& problem) {
      return problem.damage() && problem.where.file == file && problem.where.offset;
    }));
    CHECK(found.files.at(0).kind != FileKind::unknown);
    CHECK_FALSE(found.files[0].verified);
    CHECK(command({"inspect", kept.path, "--verify"}).code == cli::kBad);
    kept.write(file, sound);
    return found;
  };
  damaged(kLog, 40);  // the header
  const std::size_t body = history::kLogHeaderBytes + 100;
  const Inspection log = damaged(kLog, body);  // the first frame
  CHECK(std::get<LogLayout>(log.files[0].details).commit_first == 2);
  const Inspection all = inspect(kept.path);
  damaged(file_of(all, FileKind::index), 300);
  const std::string checkpoint = file_of(all, FileKind::checkpoint);
  kept.flip(checkpoint, 100);
  CHECK(inspect(kept.path, {.file = checkpoint}).problems.size() == 1);
  CHECK_THROWS_AS(inspect(kept.path + "/" + checkpoint), Error);
}

TEST_CASE("inspect: what is not ours, unfinished or of no commit is told as that") {
  Kept kept;
  const std::string segment = "segments/ab/ab" + std::string(30, '0') + ".seg";
  io::posix_vfs(kept.path)->make_dir("segments/ab");
  for (const std::string& file :
       {std::string("notes"), std::string("log/00000001.log.bak"), std::string("log/torn-1-4096"),
        std::string("index/1.0.new"), segment}) {
    kept.write(file, Bytes(7));
  }
  const auto files = by_name(inspect(kept.path));
  CHECK(files.at("notes").kind == FileKind::unknown);
  CHECK(files.at("log/00000001.log.bak").kind == FileKind::unknown);
  CHECK(std::get<TornLayout>(files.at("log/torn-1-4096").details).offset == 4096);
  CHECK(files.at("index/1.0.new").kind == FileKind::unfinished);
  CHECK(files.at(segment).kind == FileKind::segment);
  CHECK(inspect(kept.path, {.file = "notes"}).problems.empty());
  CHECK(inspect(kept.path, {.file = segment}).problems.size() == 1);  // no segment within
}

TEST_CASE("inspect: names with quotation marks are escaped in text") {
  Folder folder;
  const std::string path = folder.path("a.oto");
  {
    Database db = Database::open(path);
    db.create_table("we\"ird\\", sensors());
  }
  CHECK(holds(inspect(path).text(), R"(  "we\"ird\\": 0 rows)"));
}

TEST_CASE("inspect: any bytes in any file end in an answer or a typed error") {
  Kept kept;
  io::SeededRandom random(test::seed());
  const test::Budget budget;
  const Inspection all = inspect(kept.path);
  const auto told = [](const std::pair<std::string, InspectOptions>& asked) {
    try {
      const Inspection found = inspect(asked.first, asked.second);
      CHECK_FALSE(found.text().empty());
      CHECK_FALSE(found.json().empty());
      CHECK((asked.second.file.empty() || found.files.size() == 1));
    } catch (const Error& error) {
      CHECK_FALSE(error.message().empty());
    }
  };
  for (unsigned round = 0; round < 3 || budget.left(); ++round) {
    for (const FileLayout& file : all.files) {
      CAPTURE(file.file);
      const Bytes sound = kept.read(file.file);
      Bytes bytes = sound;
      const std::size_t shown = std::min<std::size_t>(bytes.size(), 8192);
      for (unsigned i = 0; i < 1 + round % 4; ++i)
        bytes[random.below(shown)] = static_cast<std::byte>(random.below(256));
      if (round % 3 == 1) bytes.resize(random.below(shown));
      kept.write(file.file, bytes);
      for (const bool verify : {false, true}) {
        told({kept.path + "/" + file.file, {.verify = verify}});
        told({kept.path, {.file = file.file, .verify = verify}});
        told({kept.path, {.verify = verify}});
      }
      kept.write(file.file, sound);
    }
  }
}

}  // namespace otolith::test
