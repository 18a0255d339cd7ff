// Log files without rows: what they keep, who may read them meanwhile, and when rows must stay.
#include <doctest/doctest.h>

#include "base/error.h"
#include "history/file_header.h"
#include "history/history_fixture.h"
#include "history/hooked_vfs.h"
#include "history/log_layout.h"
#include "io/power_loss.h"

namespace otolith::history::test {

namespace {

constexpr std::uint64_t kCommits = 24;  // of rows; they fill several files

struct Full : Ground {
  std::unique_ptr<History> history;
  Sealed sealed;

  Full() {
    options.log.file_bytes = 4 << 10;
    options.log.preallocate_bytes = 1 << 10;
    history = open();
    history->commit(create_request("a"));
    for (std::uint64_t i = 0; i < kCommits; ++i) {
      history->commit(put(kFirst, fmt::format("{:0>400}", i)));
    }
  }

  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const std::string& name : disk.copy().attach()->list("log")) {
      if (name.ends_with(".log")) out.push_back("log/" + name);
    }
    return out;
  }
  LogFileHeader header(const std::string& path) const {
    Bytes bytes(kLogHeaderBytes);
    (void)disk.copy().attach()->open(path, io::OpenMode::read)->read_at(0, bytes);
    return decode_file_header(bytes, path);
  }
  std::uint64_t size(const std::string& path) const {
    return disk.copy().attach()->stat(path)->size;
  }
};

std::vector<std::string> hashes(History& history) {
  std::vector<std::string> out;
  for (const Commit& commit : history.log({})) out.push_back(commit.hash);
  return out;
}

std::vector<std::string> problems(History& history) {
  std::vector<std::string> out;
  history.verify([&](const Error& error) { out.emplace_back(error.what()); });
  return out;
}

}  // namespace

TEST_CASE("history: sealed rows leave every log file but the last, and nothing else does") {
  Full full;
  const auto files = full.files();
  REQUIRE(files.size() > 3);
  const auto other = full.open();
  CHECK(other->head()->number() == CommitNumber{kCommits + 1});
  const auto before = hashes(*full.history);
  std::uint64_t bytes = 0;
  for (const std::string& file : files) bytes += full.size(file);
  const std::uint64_t last = full.size(files.back());

  REQUIRE(seal_all(*full.history, 900, full.sealed));
  const StripReport report = full.history->strip_log();
  CHECK(report.files == files.size() - 1);
  std::uint64_t left = 0;
  for (const std::string& file : files) {
    left += full.size(file);
    CHECK(full.header(file).stripped() == (file != files.back()));
    CHECK(full.header(file).bytes <= full.size(file));
  }
  CHECK(report.bytes == bytes - left);
  CHECK(report.bytes > kCommits * 200);
  CHECK(full.size(files.back()) >= last);
  CHECK(full.history->strip_log().files == 0);  // each once
  CHECK(other->strip_log().files == 0);         // whoever did it

  const auto check = [&](History& history) {
    CHECK(hashes(history) == before);
    CHECK(problems(history).empty());
    for (std::uint64_t n = 1; n <= kCommits + 1; ++n) {
      CHECK(shown(*history.at(CommitNumber{n}), kFirst, full.sealed).size() == n - 1);
    }
  };
  check(*full.history);
  check(*other);
  remove_derived(full);
  check(*full.open());
  check(*full.open(true));
  full.history->commit(put(kFirst, "more"));
  CHECK(shown(*other->head(), kFirst, full.sealed).size() == kCommits + 1);
}

TEST_CASE("history: rows that are not sealed stay in the log, and with them the files behind") {
  Full full;
  const auto files = full.files();
  CHECK(full.history->strip_log().files == 0);
  // A second dataset has its first row in the second file.
  Full two;
  two.history->commit(create_request("b"));
  REQUIRE(seal_all(*two.history, 900, two.sealed));
  const DatasetId second{CommitNumber{kCommits + 2}, 0};
  two.history->commit(put(second, "early"));
  for (std::uint64_t i = 0; i < kCommits; ++i) {
    two.history->commit(put(kFirst, fmt::format("{:0>400}", i)));
  }
  SealRequest request{.covers = two.history->seal_point(), .datasets = {}};
  SegmentEntry entry;
  entry.ref.id = id_of(950);
  entry.many = true;
  for (const auto& [dataset, tail] : two.history->tail_until(request.covers)) {
    if (dataset != kFirst) continue;
    entry.begin_first = tail.front().begin;
    entry.begin_last = tail.back().begin;
    for (const TailEntry& part : tail) entry.ref.rows += part.rows;
    two.sealed[entry.ref.id] = tail;
    request.datasets.push_back({dataset, entry});
  }
  REQUIRE(two.history->seal(request));
  const StripReport report = two.history->strip_log();
  CHECK(report.files >= files.size() - 1);
  CHECK(report.files < two.files().size() - 2);
  remove_derived(two);
  const auto again = two.open();
  CHECK(shown(*again->head(), second, two.sealed) == Rows{fmt::format("{}.0", kCommits + 3)});
  CHECK(shown(*again->head(), kFirst, two.sealed).size() == 2 * kCommits);
}

TEST_CASE("history: who reads on while rows leave the log reads on to the seal that has them") {
  Full full;
  const auto vfs = std::make_shared<HookedVfs>(full.disk.attach({.read_only = true}));
  HistoryOptions options = full.options;
  options.log.read_only = true;
  const auto reader =
      History::open(vfs, io::simulated_environment(5, {.process = 70}), database_id(), options);
  CHECK(reader->head()->number() == CommitNumber{kCommits + 1});
  for (std::uint64_t i = 0; i < kCommits; ++i) {
    full.history->commit(put(kFirst, fmt::format("{:0>400}", i)));
  }
  const std::size_t before = full.files().size();
  // Behind its look at the page, and before it opens the file with what comes next.
  bool done = false;
  vfs->before_open = [&](const std::string& path) {
    if (done || !path.starts_with("log/")) return;
    done = true;
    REQUIRE(seal_all(*full.history, 900, full.sealed));
    CHECK(full.history->strip_log().files == before - 1);
  };
  CHECK(shown(*reader->head(), kFirst, full.sealed).size() == 2 * kCommits);
  CHECK(done);
}

TEST_CASE("history: a file with a record that cannot be read keeps its rows") {
  Full full;
  const auto files = full.files();
  REQUIRE(seal_all(*full.history, 900, full.sealed));
  const std::uint64_t size = full.size(files[1]);
  const std::shared_ptr<io::Vfs> vfs = full.disk.attach();
  vfs->open(files[1], io::OpenMode::read_write)->write_at(700, Bytes(8, std::byte{0x5a}));
  try {
    full.history->strip_log();
    FAIL("nothing was said of the damage");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().file == files[1]);
  }
  CHECK(full.size(files[1]) == size);
  CHECK(full.header(files[0]).stripped());
  CHECK(!full.header(files[1]).stripped());
}

TEST_CASE("history: behind seals rows stay in a file until two others follow") {
  Full full;
  const auto files = full.files();
  REQUIRE(seal_all(*full.history, 900, full.sealed));
  CHECK(full.history->strip_log(2).files == files.size() - 2);
  CHECK(!full.header(files[files.size() - 2]).stripped());
  CHECK(full.history->strip_log(2).files == 0);
  CHECK(full.history->strip_log(1).files == 1);
}

TEST_CASE("history: a log file that was put there meanwhile is never replaced") {
  Full full;
  const auto files = full.files();
  const auto vfs = std::make_shared<HookedVfs>(full.disk.attach());
  const auto history = History::open(vfs, io::simulated_environment(5, {.process = 72}),
                                     database_id(), full.options);
  REQUIRE(seal_all(*history, 900, full.sealed));
  const auto other = full.disk.attach();
  vfs->before_sync = [&] {  // of the copy
    Bytes bytes(other->stat(files[0])->size);
    (void)other->open(files[0], io::OpenMode::read)->read_at(0, bytes);
    other->open("log/backup", io::OpenMode::create)->write_at(0, bytes);
    other->rename("log/backup", files[0]);
  };
  CHECK(history->strip_log().files == 0);
  CHECK(!full.header(files[0]).stripped());
  CHECK(other->list("log").size() == files.size());  // the copy is gone
  CHECK(history->strip_log().files == files.size() - 1);
}

// A seal whose writer died behind the frame and before its fsync can be read, and is not on the
// disk.
TEST_CASE("history: rows go only behind a seal that is on the disk") {
  Full full;
  const auto dying_vfs = std::make_shared<HookedVfs>(full.disk.attach());
  auto dying = History::open(dying_vfs, io::simulated_environment(5, {.process = 71}),
                             database_id(), full.options);
  CHECK(dying->head()->number() == CommitNumber{kCommits + 1});
  std::optional<io::SimDisk> found;  // at that moment
  dying_vfs->before_sync = [&] { found.emplace(full.disk.copy()); };
  REQUIRE(seal_all(*dying, 900, full.sealed));
  REQUIRE(found);
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Ground later;
    later.disk = found->copy();
    later.options = full.options;
    later.disk.attach()->remove("lock");  // what can be read counts
    later.processes = 80;
    later.open()->strip_log();
    later.disk.lose_power([seed](const io::DiskState& state) {
      return io::after_power_loss(state, {io::PowerLoss::Kind::random, 0, seed});
    });
    const auto again =
        History::open(later.disk.attach(), io::simulated_environment(9, {.boot = 2, .process = 90}),
                      database_id(), later.options);
    CHECK(shown(*again->head(), kFirst, full.sealed).size() == kCommits);
    CHECK(problems(*again).empty());
  }
}

}  // namespace otolith::history::test
