// The memory that an import takes, however many rows it has: each import is a process of its own.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "model/array.h"
#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/peak_memory.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::uint64_t kBatchRows = 100'000;
constexpr std::uint64_t kMiB = 1 << 20;

Schema ticks() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "key", .type = {TypeKind::int64}, .nullable = false},
                    {.name = "a", .type = {TypeKind::float64}},
                    {.name = "b", .type = {TypeKind::float64}}};
  schema.keys = {"key"};
  return schema;
}

template <typename T, typename Make>
Array array_of(TypeKind kind, Make make) {
  model::ArrayBuilder builder({kind});
  for (std::uint64_t i = 0; i < kBatchRows; ++i) builder.append_value(static_cast<T>(make(i)));
  return builder.finish();
}

struct Import {
  std::uint64_t rows = 0;
  std::uint64_t memory_bytes = OpenOptions{}.memory_bytes;
  bool shuffled = false;  // keys and days in any order: each run is sorted
};

// The most memory of an import above what its process has before; rows of 32 bytes.
std::uint64_t peak_of(const Import& import) {
  Folder folder;
  Child child([&](int pipe) {
    Random random(seed());
    Database db = Database::open(folder.path("import.oto"), {.memory_bytes = import.memory_bytes});
    const Table table = db.create_table("t", ticks());
    Batch batch{.schema = table.schema(), .rows = kBatchRows, .columns = {}};
    batch.columns.resize(4);
    for (const std::size_t column : {std::size_t{2}, std::size_t{3}}) {
      batch.columns[column] =
          array_of<double>(TypeKind::float64, [&](std::uint64_t) { return random(); });
    }
    const std::uint64_t before = peak_bytes();
    Recorder recorder = db.recorder();
    for (std::uint64_t at = 0; at < import.rows; at += kBatchRows) {
      batch.columns[0] = array_of<std::int64_t>(TypeKind::timestamp, [&](std::uint64_t i) {
        return import.shuffled ? random() % (8 * 86'400'000'000'000) : (at + i) * 1'000'000;
      });
      batch.columns[1] = array_of<std::int64_t>(
          TypeKind::int64, [&](std::uint64_t) { return import.shuffled ? random() % 100 : 1; });
      recorder.append("t", batch);
    }
    recorder.commit();
    say(pipe, static_cast<std::int64_t>(peak_bytes() - before));
    say(pipe, static_cast<std::int64_t>(table.rows()));
  });
  const auto peak = child.next();
  REQUIRE(child.next() == static_cast<std::int64_t>(import.rows));
  CHECK(child.finish() == 0);
  return static_cast<std::uint64_t>(*peak);
}

}  // namespace

TEST_CASE("memory: an import of many times memory_bytes stays within it") {
  constexpr std::uint64_t memory = 96 * kMiB;
  constexpr std::uint64_t rows = 6'000'000;  // 183 MiB
  for (const bool shuffled : {false, true}) {
    const std::uint64_t peak = peak_of({rows, memory, shuffled});
    MESSAGE((peak / kMiB), " MiB for ", (rows * 32 / kMiB), " MiB of rows, ",
            (shuffled ? "shuffled" : "in order"));
    CHECK(peak < memory);
  }
}

TEST_SUITE("long") {
  TEST_CASE("memory: an import takes at most 512 MB by default, whatever its size") {
    const std::uint64_t rows = budget_s() < 20 ? 2'000'000 : 40'000'000;
    for (const bool shuffled : {false, true}) {
      const std::uint64_t peak = peak_of({.rows = rows, .shuffled = shuffled});
      MESSAGE((peak / kMiB), " MiB for ", (rows * 32 / kMiB), " MiB of rows, ",
              (shuffled ? "shuffled" : "in order"));
      CHECK(peak < 512'000'000);
    }
  }
}

}  // namespace otolith::test
