// What the past costs the newest state behind a compact, and an old state what came since (row 14
// of the goals); how fast compact goes: plain values of joined rows a second, on one thread; and
// what it costs who reads meanwhile.
//
//   compact_bench all FOLDER
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <random>
#include <thread>

#include "bench/measure.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr int kDocuments = 10'000;
constexpr int kRevisions = 100;  // of each document, behind the newest
constexpr int kAtOnce = 1'000;   // documents of one commit
constexpr int kTurns = 15;
constexpr std::uint64_t kRows = 250'000;  // of a commit
constexpr int kCommits = 40;
constexpr std::uint64_t kRowBytes = 40;  // five columns of 8 bytes

Document document(int id, int revision) {
  return Document::from_json(fmt::format(
      R"({{"_id": "device-{:05}", "revision": {}, "room": "r{}", "on": true, "level": {}.5}})", id,
      revision, id % 97, (id * 31 + revision) % 100));
}

// Every document so often as there are revisions, in another order each time.
void write_documents(const Database& db, int revisions) {
  std::vector<int> order(kDocuments);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(1);
  for (int revision = kRevisions - revisions; revision <= kRevisions; ++revision) {
    std::ranges::shuffle(order, random);
    for (int first = 0; first < kDocuments; first += kAtOnce) {
      std::vector<Document> some;
      for (int i = first; i < first + kAtOnce; ++i)
        some.push_back(document(order[static_cast<std::size_t>(i)], revision));
      db.collection("devices").put(some);
    }
  }
}

std::size_t read_all(const Database& db) {
  std::size_t bytes = 0;
  DocumentStream stream = db.collection("devices").find();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) bytes += entry.document.msgpack().size();
  }
  return bytes;
}

std::size_t read_some(const Database& db) {
  std::size_t bytes = 0;
  const Collection devices = db.collection("devices");
  for (int i = 0; i < kDocuments; i += 7) {
    bytes += devices.get(fmt::format("device-{:05}", i)).value().msgpack().size();
  }
  return bytes;
}

Database database_with(const std::string& path, int revisions) {
  std::filesystem::remove_all(path);
  Database db = Database::open(path);
  write_documents(db, revisions);
  const double seconds = seconds_of([&] {
    const CompactReport done = db.compact();
    report_value("compact documents", fmt::format("{} revisions", revisions), "past rows",
                 static_cast<double>(done.past_rows));
  });
  report("compact documents", fmt::format("{} revisions", revisions), {seconds});
  return db;
}

void newest_state(const std::string& folder) {
  const Database with = database_with(folder + "/with.oto", kRevisions);
  const Database without = database_with(folder + "/without.oto", 0);
  for (const auto& [row, read] : {std::pair("newest state, all documents", &read_all),
                                  std::pair("newest state, some by id", &read_some)}) {
    std::vector<double> samples[2];
    std::size_t sink = 0;
    for (int turn = 0; turn < kTurns; ++turn) {
      samples[0].push_back(seconds_of([&] { sink += read(with); }));
      samples[1].push_back(seconds_of([&] { sink += read(without); }));
    }
    report(row, "100 revisions behind", samples[0], fmt::format("{} bytes", sink));
    report(row, "no history", samples[1]);
    report_value(row, "ratio", "x", quantile(samples[0], 0.5) / quantile(samples[1], 0.5));
  }
}

Batch rows_of(const std::shared_ptr<const Schema>& schema, int commit, std::uint64_t rows) {
  Batch batch{schema, rows, {}};
  std::mt19937_64 random(static_cast<std::uint64_t>(commit));
  for (std::size_t column = 0; column < schema->columns.size(); ++column) {
    std::byte* data = nullptr;
    Array array{.type = schema->columns[column].type, .length = rows};
    array.values = buffer_allocate(rows * 8, &data);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::int64_t>(row) + commit * static_cast<std::int64_t>(rows);
      const std::int64_t time = 1'767'225'600'000'000'000 + at * 1'000'000;
      const double value = static_cast<double>(random() % 10'000) / 100;
      if (column == 0) std::memcpy(data + row * 8, &time, 8);
      if (column == 1) std::memcpy(data + row * 8, &at, 8);
      if (column > 1) std::memcpy(data + row * 8, &value, 8);
    }
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

Schema schema_of_rows() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "counter", .type = {TypeKind::int64}}};
  for (const char* column : {"value1", "value2", "value3"})
    schema.columns.push_back({.name = column, .type = {TypeKind::float64}});
  return schema;
}

Database database_of_rows(const std::string& path, int commits, std::uint64_t rows = kRows) {
  std::filesystem::remove_all(path);
  Database db = Database::open(path, {.threads = 1});
  const Table table = db.create_table("t", schema_of_rows());
  for (int i = 0; i < commits; ++i) table.append(rows_of(table.schema(), i, rows));
  return db;
}

// The state of an old commit, beside the same rows as the newest state of a database: nothing was
// replaced since, only added.
void old_state(const std::string& folder) {
  constexpr int kOld = kCommits / 4;
  constexpr std::uint64_t kSome = kRows / 5;  // of a commit: 2.5 MB of rows
  const Database newer = database_of_rows(folder + "/newer.oto", kCommits, kSome);
  const Database as_old = database_of_rows(folder + "/as_old.oto", kOld, kSome);
  const Table old = newer.at(CommitNumber{kOld + 1}).table("t");  // the first made the table
  const Table newest = as_old.table("t");
  std::vector<double> samples[2];
  for (int turn = 0; turn < 10 * kTurns; ++turn) {
    std::uint64_t rows[2] = {0, 0};
    samples[0].push_back(seconds_of([&] { rows[0] = old.read().rows(); }));
    samples[1].push_back(seconds_of([&] { rows[1] = newest.read().rows(); }));
    if (rows[0] != rows[1] || rows[0] != kOld * kSome)
      throw std::runtime_error("an old state has other rows than it had");
  }
  const std::string note = fmt::format("{} rows, of {}", kOld * kSome, kCommits * kSome);
  report("old state", "at an old commit", samples[0], note);
  report("old state", "the same rows as the newest state", samples[1]);
}

// On one core each: who reads another table while compact goes on.
void beside_compact(const std::string& folder) {
  Database db = database_of_rows(folder + "/beside.oto", kCommits);
  const Table small = db.create_table("small", schema_of_rows());
  small.append(rows_of(small.schema(), 0, kRows));
  const auto read = [&] { return seconds_of([&] { (void)small.read(); }); };
  std::vector<double> alone;
  for (int i = 0; i < 20 * kTurns; ++i) alone.push_back(read());
  std::atomic<bool> done{false};
  std::thread compact([&] {
    db.compact();
    done = true;
  });
  std::vector<double> beside;
  while (!done) beside.push_back(read());
  compact.join();
  report("compact, reads beside it", "otolith", beside);
  report("compact, reads beside it", "otolith, without it", alone);
}

// `ended`: of every commit so many rows are past.
void rate(const std::string& folder, const std::string& name, std::int64_t ended) {
  Database db = database_of_rows(folder + "/rate.oto", kCommits);
  const Table table = db.table("t");
  if (ended != 0) table.remove({.where = col("counter") % 4 < ended});
  CompactReport done;
  const double seconds = seconds_of([&] { done = db.compact(); });
  const double bytes = static_cast<double>(done.joined_rows * kRowBytes);
  report_value(
      "compact, one thread", name, "MB/s of plain values", bytes / seconds / 1e6,
      fmt::format("{} rows, {} past, {:.2f} s", done.joined_rows, done.past_rows, seconds));
}

}  // namespace

}  // namespace otolith::bench

int main(int argc, char** argv) {
  const std::string folder = argc > 2 ? argv[2] : "build/bench";
  try {
    std::filesystem::create_directories(folder);
    otolith::bench::rate(folder, "nothing past", 0);
    otolith::bench::rate(folder, "a quarter past, scattered", 1);
    otolith::bench::newest_state(folder);
    otolith::bench::old_state(folder);
    otolith::bench::beside_compact(folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "compact_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
