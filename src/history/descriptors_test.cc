// No descriptor left, at any moment: one error that says so, nothing lost, a later try succeeds.
#include <doctest/doctest.h>

#include <cerrno>

#include "history/history_fixture.h"

namespace otolith::history {

using namespace test;

namespace {

// Runs the call; the error it met, if any, must be ours to tell.
bool succeeds(const std::function<void()>& call) {
  try {
    call();
    return true;
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(error.code() == ErrorCode::io);
    CHECK(error.message().find("ulimit -n") != std::string::npos);
    CHECK(error.where().file != "");
    CHECK(error.outcome() != Outcome::unknown);
    return false;
  }
}

std::vector<std::string> index_of(io::SimDisk& disk) { return disk.attach()->list("index"); }

}  // namespace

TEST_CASE("log: no more descriptors at a rotation is one error, and the next commit goes on") {
  Ground ground;
  ground.options.log.file_bytes = 4 << 10;
  const auto history = ground.open();
  history->commit(create_request("a"));
  std::uint64_t refused = 0;
  std::set<std::string> rows;
  for (int i = 0; i < 40; ++i) {
    for (const auto operation : {io::Operation::create, io::Operation::open}) {
      ground.disk.inject({.operation = operation, .error = EMFILE, .sticky = true});
    }
    Commit commit;
    const auto one = [&] { commit = history->commit(put(kFirst, std::string(300, 'x'))); };
    if (!succeeds(one)) {
      ++refused;
      ground.disk.clear_faults();
      one();
    }
    ground.disk.clear_faults();
    rows.insert(fmt::format("{}.0", value_of(commit.number)));
    CHECK(shown(*history->head(), kFirst) == rows);
  }
  CHECK(refused > 2);
  CHECK(rows.size() == 40);
  history->verify([](const Error& error) { FAIL(error.what()); });
}

TEST_CASE("history: no more descriptors at opening is one error, and no checkpoint goes for it") {
  Ground ground;
  ground.options.checkpoint_commits = 4;
  ground.options.log.file_bytes = 4 << 10;
  auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 20; ++i) history->commit(put(kFirst, std::string(300, 'x')));
  history->close();
  const auto rows = shown(*history->head(), kFirst);
  history.reset();
  const std::vector<std::string> index = index_of(ground.disk);
  std::uint64_t refused = 0;
  for (const bool sticky : {false, true}) {
    for (std::uint64_t at = 1, fired = 1; fired != 0; ++at) {
      CAPTURE(at);
      const std::uint64_t before = ground.disk.faults_fired();
      ground.disk.inject(
          {.operation = io::Operation::open, .at = at, .error = EMFILE, .sticky = sticky});
      if (!succeeds([&] { ground.open()->head(); })) ++refused;
      ground.disk.clear_faults();
      fired = ground.disk.faults_fired() - before;
      CHECK(index_of(ground.disk) == index);
      history = ground.open();
      CHECK(shown(*history->head(), kFirst) == rows);
      history.reset();
    }
  }
  CHECK(refused > 2);
}

}  // namespace otolith::history
