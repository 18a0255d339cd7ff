// What the header of a log file says of the commits before it, compared where it is read.
#include <doctest/doctest.h>

#include "history/file_header.h"
#include "history/history_fixture.h"
#include "history/log_layout.h"
#include "history/test_log.h"

namespace otolith::history {

using namespace test;

namespace {

constexpr const char* kThird = "log/00000003.log";

// Says with a right checksum that another commit came before the file.
void name_another_commit(Ground& ground) {
  const auto file = ground.disk.attach()->open(kThird, io::OpenMode::read_write);
  Bytes bytes(kLogHeaderBytes);
  (void)file->read_at(0, bytes);
  LogFileHeader header = decode_file_header(bytes, database_id(), 3, kThird);
  REQUIRE_FALSE(header.commit_hash.is_zero());
  header.commit_hash.bytes[5] ^= std::byte{1};
  file->write_at(0, encode_file_header(header));
}

}  // namespace

TEST_CASE("history: a log file that names another commit than the files before it is corrupt") {
  Ground ground;
  ground.options.log.file_bytes = 2048;
  auto history = ground.open();
  history->commit(create_request("a"));
  while (history->status().files < 4) history->commit(put(kFirst, std::string(300, 'x')));
  const auto problems = [&] {
    std::vector<std::string> files;
    history->verify([&](const Error& error) { files.push_back(error.where().file); });
    return files;
  };
  CHECK(problems().empty());
  history.reset();
  remove_derived(ground);
  history = ground.open();  // each header is compared, and right
  const CommitNumber head = history->head()->number();
  history.reset();
  remove_derived(ground);
  name_another_commit(ground);
  history = ground.open();
  try {
    history->head();
    FAIL("not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().file == kThird);
    CHECK(error.where().offset == kHeaderCommitHashAt);
  }
  CHECK(code_of([&] { history->commit(put(kFirst, "y")); }) == ErrorCode::corrupt);
  CHECK(history->readable()->number() > CommitNumber{2});
  CHECK(history->readable()->number() < head);
  CHECK(problems() == std::vector<std::string>{kThird});
}

// Behind a checkpoint only the rows of the tail are read again, and not decided on.
TEST_CASE("history: rows of the tail are only taken from commits that the checkpoint holds") {
  Bytes foreign;
  for (const std::uint64_t seed : {2u, 1u}) {
    Ground ground(seed);
    ground.options.log.file_bytes = 2048;
    auto history = ground.open();
    history->commit(create_request("a"));
    while (history->status().files < 3) history->commit(put(kFirst, std::string(300, 'x')));
    history->close();
    history.reset();
    const auto vfs = ground.disk.attach();
    constexpr const char* kFirstFile = "log/00000001.log";
    if (foreign.empty()) {
      foreign = file_bytes(*vfs, kFirstFile);
      continue;
    }
    REQUIRE(foreign.size() == file_bytes(*vfs, kFirstFile).size());
    vfs->open(kFirstFile, io::OpenMode::read_write)->write_at(0, foreign);
    history = ground.open(true);
    CHECK(code_of([&] { history->head(); }) == ErrorCode::corrupt);
  }
}

}  // namespace otolith::history
