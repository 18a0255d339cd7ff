// Row 15 of the goals: what it costs to go back, beside one durable commit of ten rows.
//
//   undo_bench all FOLDER
//
// Role:    rollback of the database and of a table, revert, rollback of some rows, at two sizes.
// Shapes:  40 commits of 250 rows, and of 250,000; sides in turns, each of which leaves the state
//          that it found.
// Errors:  exits with an exception's message.
// Threads: one, and the workers of one handle.
// Why:     a commit of lineage moves no data, so it shall cost the same whatever it takes back.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

#include "bench/measure.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr const char* kRow = "15";
constexpr int kCommits = 40;
constexpr int kTurns = 40;
constexpr std::uint64_t kFewRows = 10;
constexpr std::int64_t kStepNs = 1'000'000;
constexpr std::int64_t kFirstNs = 1'767'225'600'000'000'000;
constexpr std::uint64_t kColumns = 5;

Batch rows_of(const std::shared_ptr<const Schema>& schema, std::uint64_t first,
              std::uint64_t rows) {
  Batch batch{schema, rows, {}};
  for (std::uint64_t column = 0; column < kColumns; ++column) {
    std::byte* data = nullptr;
    Array array{.type = schema->columns[column].type, .length = rows};
    array.values = buffer_allocate(rows * 8, &data);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::int64_t>(first + row);
      const std::int64_t value = column == 0 ? kFirstNs + at * kStepNs : at * 31 % 1000;
      std::memcpy(data + row * 8, &value, 8);
    }
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

std::uint64_t segment_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(path + "/segments"))
    if (file.is_regular_file()) bytes += file.file_size();
  return bytes;
}

struct Side {
  std::string name;
  std::function<void()> before;  // not measured
  std::function<void()> work;
  std::vector<double> samples{};
};

void in_turns(std::vector<Side>& sides, const std::string& size) {
  for (int turn = 0; turn < kTurns; ++turn) {
    for (Side& side : sides) {
      if (side.before) side.before();
      side.samples.push_back(seconds_of(side.work));
    }
  }
  for (const Side& side : sides) report(kRow, side.name + ", " + size, side.samples);
}

void undo(const std::string& folder, std::uint64_t rows, const std::string& size) {
  const std::string path = folder + "/undo.oto";
  std::filesystem::remove_all(path);
  Database db = Database::open(path);
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  for (const char* column : {"a", "b", "c", "d"})
    schema.columns.push_back({.name = column, .type = {TypeKind::int64}});
  const Table table = db.create_table("t", schema);
  const Table other = db.create_table("other", schema);
  for (std::uint64_t i = 0; i < kCommits; ++i)
    table.append(rows_of(table.schema(), i * rows, rows));
  // One row in a hundred, of one stretch of time: what the scope goes back to has them.
  const std::uint64_t all = kCommits * rows;
  const Timestamp start{kFirstNs + static_cast<std::int64_t>(all / 2) * kStepNs};
  const Timestamp stop{start.ns + static_cast<std::int64_t>(all / 100) * kStepNs};
  const std::string full = fmt::format("{}", std::to_underlying(db.head().number));
  const std::string half = fmt::format("{}", kCommits / 2);
  const RollbackOptions scope{.dataset = "t", .start = start, .stop = stop};
  const auto few = [&] { other.append(rows_of(other.schema(), 0, kFewRows)); };
  const auto scanned = [&] { (void)table.read({.start = start, .stop = stop}); };
  const auto back = [&] { db.rollback(full); };
  const std::uint64_t stored = segment_bytes(path);
  std::vector<Side> sides = {
      {"one durable commit of 10 rows", {}, few},
      {"rollback of the database", back, [&] { db.rollback(half); }},
      {"rollback of a table", back, [&] { db.rollback(half, {.dataset = "t"}); }},
      {"revert of a commit", [&] { back(), few(); }, [&] { db.revert("HEAD"); }},
      {"scan of the scope and a commit", back, [&] { scanned(), few(); }},
      {"rollback of a scope", [&] { back(), db.rollback(half, {.dataset = "t"}); },
       [&] { db.rollback(full, scope); }},
  };
  in_turns(sides, size);
  report_value(kRow, "segment bytes of all of them, " + size, "bytes",
               static_cast<double>(segment_bytes(path) - stored));
}

}  // namespace

}  // namespace otolith::bench

int main(int argc, char** argv) {
  const std::string folder = argc > 2 ? argv[2] : "build/bench";
  try {
    std::filesystem::create_directories(folder);
    otolith::bench::undo(folder, 250, "10,000 rows");
    otolith::bench::undo(folder, 250'000, "10,000,000 rows");
  } catch (const std::exception& error) {
    fmt::print(stderr, "undo_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
