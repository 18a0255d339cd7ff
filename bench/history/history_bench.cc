// A long history: 10^6 commits, opened with and without what is derived; old commits; look-ups.
//
//   history_bench all|rollbacks|plain FOLDER [COMMITS]
//
// Role:    row 14 of the goals, and "a database of 10^6 commits opens in 50 ms after a checkpoint
//          and in 1 s without".
// Shapes:  relaxed commits of one opaque row of 40 bytes, with a rollback to any commit every ten,
//          or without; sealed at the limits.
// Errors:  exits with an exception's message.
// Threads: one.
// Why:     rows are opaque here: what is measured is the history, not its data.
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string_view>

#include "bench/measure.h"
#include "history/history.h"
#include "io/posix.h"

namespace otolith::bench {

namespace {

using namespace history;

constexpr std::uint64_t kCommits = 1'000'000;
constexpr int kRounds = 7;
constexpr int kLookUps = 2000;
const DatasetId kTable{CommitNumber{1}, 0};

Id128 database_id() {
  Id128 id;
  id.bytes.fill(std::byte{0x42});
  return id;
}

std::unique_ptr<History> open(const std::string& folder) {
  return History::open(io::posix_vfs(folder), io::system_environment(), database_id(), {});
}

void create(const std::string& folder) {
  std::filesystem::remove_all(folder);
  const std::shared_ptr<io::Vfs> vfs = io::posix_vfs(folder, {.create = true});
  History::create(*vfs, *io::system_environment(), database_id());
  CommitRequest request;
  Schema schema;
  schema.columns = {{"time", {TypeKind::timestamp}, false, 0, "", {}}};
  request.catalog.emplace_back(CreateDataset{"table", schema});
  const auto history = open(folder);
  history->commit(request);
  history->close();
}

CommitRequest one_row() {
  CommitRequest request;
  request.author = "bench";
  request.relaxed = true;
  DatasetChange change;
  change.dataset = kTable;
  change.rows_added = 1;
  change.rows = Bytes(40, std::byte{7});
  change.rows_root = blake3(change.rows);
  request.datasets.push_back(std::move(change));
  return request;
}

// As ingest seals, but without a file: the history only names it.
void seal(History& history, std::uint64_t id) {
  SealRequest request;
  history.sync();
  request.covers = history.seal_point();
  for (const auto& [dataset, tail] : history.tail_until(request.covers)) {
    SegmentEntry entry{{}, tail.front().begin, tail.back().begin, true};
    store_le(entry.ref.id.bytes.data(), id);
    for (const TailEntry& part : tail) entry.ref.rows += part.rows;
    request.datasets.push_back({dataset, entry});
  }
  history.seal(request);
}

CommitRequest some_rollback(std::uint64_t n, std::mt19937_64& random) {
  CommitRequest request;
  request.relaxed = true;
  request.lineage = Rollback{CommitNumber{1 + random() % (n - 2)}, std::nullopt, false};
  return request;
}

void grow(History& history, std::uint64_t commits, bool rollbacks) {
  std::mt19937_64 random(1);
  for (std::uint64_t n = value_of(history.head()->number()); n < commits; ++n) {
    history.commit(rollbacks && n % 10 == 9 ? some_rollback(n, random) : one_row());
    if (history.seal_due()) seal(history, n);
  }
}

std::vector<double> opening(const std::string& folder, const std::function<void()>& before) {
  std::vector<double> samples;
  for (int i = 0; i < kRounds; ++i) {
    before();
    std::unique_ptr<History> history;
    samples.push_back(seconds_of([&] {
      history = open(folder);
      history->head();
    }));
  }
  return samples;
}

// Seconds of one call, of many with random commits.
std::vector<double> each(std::uint64_t commits, const std::function<void(CommitNumber)>& call) {
  std::mt19937_64 random(2);
  std::vector<double> samples;
  for (int i = 0; i < kLookUps; ++i) {
    const CommitNumber number{1 + random() % commits};
    samples.push_back(seconds_of([&] { call(number); }));
  }
  return samples;
}

void look_ups(History& history, std::uint64_t commits) {
  report("history", "segments of a random commit",
         each(commits, [&](CommitNumber n) { history.at(n)->segments(kTable); }));
  report("history", "a commit by number",
         each(commits, [&](CommitNumber n) { history.commit_info(n); }));
  std::vector<std::string> hashes;
  std::vector<std::string> changes;
  each(commits, [&](CommitNumber n) {
    const Commit commit = history.commit_info(n);
    hashes.push_back("#" + commit.hash.substr(0, 16));
    changes.push_back(commit.change_id);
  });
  std::size_t at = 0;
  report("history", "a commit by hash",
         each(commits, [&](CommitNumber) { history.resolve(hashes[at++]); }));
  CommitRequest repeated = one_row();
  at = 0;
  report("history", "a retry of an old change id", each(commits, [&](CommitNumber) {
           repeated.change_id.emplace();
           id128_parse(changes[at++], *repeated.change_id);
           history.commit(repeated);
         }));
}

void random_commits(History& history, std::uint64_t commits, const std::string& side) {
  report("14", side,
         each(commits,
              [&](CommitNumber n) {
                const auto snapshot = history.at(n);
                const auto table = snapshot->find("table");
                snapshot->visible(table->id, n, 1);
              }),
         "at, find by name, visible");
}

std::unique_ptr<History> grown(const std::string& folder, std::uint64_t commits, bool rollbacks) {
  create(folder);
  auto history = open(folder);
  const double seconds = seconds_of([&] { grow(*history, commits, rollbacks); });
  report_value(
      "history",
      rollbacks ? "relaxed commits of a row, a rollback every ten" : "relaxed commits of a row",
      "commits/s", static_cast<double>(commits) / seconds);
  return history;
}

void plain_history(const std::string& folder, std::uint64_t commits) {
  const auto history = grown(folder, commits, false);
  random_commits(*history, commits, "open a random commit of 10^6");
}

void history_with_rollbacks(const std::string& folder, std::uint64_t commits) {
  auto history = grown(folder, commits, true);
  random_commits(*history, commits, "open a random commit of 10^6, a rollback every ten");
  look_ups(*history, commits);
  report_value("history", "log", "bytes/commit",
               static_cast<double>(history->status().bytes) / static_cast<double>(commits));
  history->close();
  history.reset();
  report("open", "10^6 commits, after a checkpoint", opening(folder, [] {}));
  const std::filesystem::path index = std::filesystem::path(folder) / "index";
  report("open", "10^6 commits, no checkpoint and no index",
         opening(folder, [&] { std::filesystem::remove_all(index); }));
}

}  // namespace

}  // namespace otolith::bench

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (argc < 3 || (what != "all" && what != "rollbacks" && what != "plain")) {
    fmt::print(stderr, "history_bench all|rollbacks|plain FOLDER [COMMITS]\n");
    return 2;
  }
  const std::string folder = std::string(argv[2]) + "/history_bench.oto";
  const std::uint64_t commits =
      argc > 3 ? std::strtoull(argv[3], nullptr, 10) : otolith::bench::kCommits;
  try {
    if (what != "rollbacks") otolith::bench::plain_history(folder, commits);
    if (what != "plain") otolith::bench::history_with_rollbacks(folder, commits);
  } catch (const std::exception& error) {
    fmt::print(stderr, "history_bench: {}\n", error.what());
    return 1;
  }
  std::filesystem::remove_all(folder);
  return 0;
}
