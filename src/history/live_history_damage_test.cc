// What damage of the log, and of what is derived from it, does to those who only read or close.
#include <doctest/doctest.h>

#include "base/error.h"
#include "history/history_fixture.h"
#include "history/log_layout.h"
#include "history/test_log.h"

namespace otolith::history::test {

namespace {

constexpr const char* kLogFile = "log/00000001.log";

// Four commits, and one bit of the first of them turned over.
void damage_first_record(Ground& ground) {
  {
    const auto history = ground.open();
    history->commit(create_request("a"));
    for (int i = 0; i < 3; ++i) history->commit(put(kFirst, "row"));
  }
  const auto vfs = ground.disk.attach();
  Bytes file = file_bytes(*vfs, kLogFile);
  file[kLogHeaderBytes + 10] ^= std::byte{1};
  vfs->open(kLogFile, io::OpenMode::read_write)->write_at(0, file);
}

}  // namespace

TEST_CASE("history: who wrote nothing closes a damaged log without an error") {
  Ground ground;
  damage_first_record(ground);
  remove_derived(ground);
  const auto history = ground.open();
  CHECK(error_of([&] { history->head(); }).code() == ErrorCode::corrupt);
  CHECK_NOTHROW(history->close());
  const auto vfs = ground.disk.attach();
  vfs->remove(kLogFile);
  CHECK_NOTHROW(ground.open()->close());
}

TEST_CASE("history: a file in place of the index stops neither opening nor commits") {
  Ground ground;
  {
    const auto history = ground.open();
    history->commit(create_request("a"));
    history->close();
  }
  remove_derived(ground);
  const auto vfs = ground.disk.attach();
  vfs->remove_dir("index");
  vfs->open("index", io::OpenMode::create);
  const auto history = ground.open();
  CHECK(history->head()->number() == CommitNumber{1});
  history->commit(put(kFirst, "row"));
  CHECK_NOTHROW(history->close());
  CHECK(ground.open()->head()->number() == CommitNumber{2});
}

}  // namespace otolith::history::test
