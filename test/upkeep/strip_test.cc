// Log files without rows, as users meet them: behind seals, and by compact.
#include <doctest/doctest.h>

#include <filesystem>

#include "db/hall.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::int64_t kRowsPerCommit = 50;

history::HistoryOptions small_files(std::uint64_t tail_commits) {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = tail_commits;
  sizes.log.file_bytes = 16 << 10;
  sizes.log.preallocate_bytes = 16 << 10;
  return sizes;
}

std::uint64_t log_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path + "/log")) {
    if (entry.path().extension() == ".log") bytes += entry.file_size();
  }
  return bytes;
}

void append(const Table& table, std::int64_t commit) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < kRowsPerCommit; ++i) {
    rows.push_back({commit * kRowsPerCommit + i, "sensor", 1.0, kNull});
  }
  table.append(batch_of(table.schema(), rows));
}

}  // namespace

TEST_CASE("strip: behind seals the log keeps no rows but those of its last files") {
  Folder folder;
  const std::string path = folder.path("behind.oto");
  constexpr std::int64_t commits = 200;
  Database db = db::Door::open(path, {}, small_files(10));
  const Table table = db.create_table("t", sensors());
  for (std::int64_t i = 0; i < commits; ++i) append(table, i);
  const std::uint64_t files = db.status().log_files;
  CHECK(files > 20);
  db.close();  // waits for the last seal
  // Commits without rows take some 300 bytes each; two files and what is not sealed keep theirs.
  CHECK(log_bytes(path) < commits * 600 + 5 * (16 << 10));
  db = Database::open(path);
  CHECK(db.table("t").rows() == commits * kRowsPerCommit);
  CHECK(db.status().log_files == files);
  CHECK(db.verify().problems.empty());
  for (std::uint64_t n = 2; n <= commits + 1; n += 37) {
    CHECK(db.at(std::to_string(n)).table("t").rows() == (n - 1) * kRowsPerCommit);
  }
  CHECK(db.log({}).size() == commits + 1);
}

TEST_CASE("strip: compact takes rows out of the log, says by how much, and does it once") {
  Folder folder;
  const std::string path = folder.path("compact.oto");
  Database db = db::Door::open(path, {}, small_files(10'000));
  const Table table = db.create_table("t", sensors());
  for (std::int64_t i = 0; i < 60; ++i) append(table, i);
  const Snapshot before = db.at("HEAD~20");
  Child reader([&](int pipe) {
    const Database other = Database::open(path, {.read_only = true});
    const Snapshot old = other.at("HEAD~20");
    say(pipe, 1);
    for (int i = 0; i < 300; ++i) {
      if (old.table("t").read().rows() != 40 * kRowsPerCommit) ::_exit(1);
      if (other.table("t").rows() < 60 * kRowsPerCommit) ::_exit(2);
    }
  });
  REQUIRE(reader.next());
  const std::uint64_t bytes = log_bytes(path);
  const CompactReport report = db.compact();
  CHECK(report.stripped_files == db.status().log_files - 1);
  CHECK(report.stripped_bytes == bytes - log_bytes(path));
  CHECK(report.stripped_bytes > 60'000);
  CHECK(db.compact().stripped_files == 0);
  CHECK(before.table("t").read().rows() == 40 * kRowsPerCommit);
  append(table, 60);
  CHECK(reader.finish() == 0);
  db.close();
  const Inspection found = inspect(path, {.verify = true});
  CHECK(found.problems.empty());
  std::uint64_t stripped = 0;
  for (const FileLayout& file : found.files) {
    const auto* log = std::get_if<LogLayout>(&file.details);
    if (log != nullptr && log->stripped) ++stripped;
  }
  CHECK(stripped == report.stripped_files);
}

}  // namespace otolith::test
