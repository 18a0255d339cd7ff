#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "bench/measure.h"
#include "bench/writes/writes_bench.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr std::uint64_t kRows = 2'000'000;
constexpr int kTurns = 7;
constexpr const char* kRow = "2";

struct Sample {
  std::int64_t time = 0;
  std::int64_t counter = 0;
  double values[3] = {};
};
static_assert(sizeof(Sample) == 40);

Sample sample(std::uint64_t row) {
  const auto i = static_cast<std::int64_t>(row);
  const auto value = static_cast<double>(row) / 7;
  return {1'767'225'600'000'000'000 + i * 1'000'000, i, {value, value + 1, value + 2}};
}

Schema sample_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "counter", .type = {TypeKind::int64}}};
  for (const char* name : {"value1", "value2", "value3"}) {
    schema.columns.push_back({.name = name, .type = {TypeKind::float64}});
  }
  return schema;
}

/// Each row copied by itself, behind the one before: the least that keeping rows can cost.
double copied() {
  std::unique_ptr<std::byte[]> memory(new std::byte[kRows * sizeof(Sample)]);
  const double wall = seconds_of([&] {
    for (std::uint64_t row = 0; row < kRows; ++row) {
      const Sample next = sample(row);
      std::memcpy(memory.get() + row * sizeof next, &next, sizeof next);
      asm volatile("" : : "r"(memory.get()) : "memory");  // a row at a time, as from a feed
    }
  });
  return wall;
}

struct Ours {
  double appended = 0;
  double committed = 0;
};

Ours ours(Database& db, int turn) {
  db.create_table(fmt::format("rows{}", turn), sample_schema());
  Ours out;
  Recorder recorder = db.recorder();
  out.appended = seconds_of([&] {
    RowAppender rows = recorder.rows(fmt::format("rows{}", turn));
    auto time = rows.column<Timestamp>("time");
    auto counter = rows.column<std::int64_t>("counter");
    auto value1 = rows.column<double>("value1");
    auto value2 = rows.column<double>("value2");
    auto value3 = rows.column<double>("value3");
    for (std::uint64_t row = 0; row < kRows; ++row) {
      const Sample next = sample(row);
      time = Timestamp{next.time};
      counter = next.counter;
      value1 = next.values[0];
      value2 = next.values[1];
      value3 = next.values[2];
      rows.append();
      asm volatile("" : : : "memory");
    }
  });
  out.committed = out.appended + seconds_of([&] { recorder.commit(); });
  return out;
}

/// DuckDB's appender into a table in memory, by its C interface, out of its Python package.
class DuckDb {
 public:
  /// nullopt where the package is not there (OTOLITH_DUCKDB, set by bench/run.py).
  static std::optional<DuckDb> find() {
    const char* path = std::getenv("OTOLITH_DUCKDB");
    const char* python = std::getenv("OTOLITH_LIBPYTHON");
    if (path == nullptr || python == nullptr) return std::nullopt;
    // Nothing of Python is called; its names have to be there for the library to load.
    if (::dlopen(python, RTLD_LAZY | RTLD_GLOBAL) == nullptr) return std::nullopt;
    DuckDb out;
    out.library_ = ::dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (out.library_ == nullptr) return std::nullopt;
    return out;
  }

  double append() const {
    const auto open = name<int(const char*, void**)>("duckdb_open");
    const auto connect = name<int(void*, void**)>("duckdb_connect");
    const auto query = name<int(void*, const char*, void*)>("duckdb_query");
    const auto create =
        name<int(void*, const char*, const char*, void**)>("duckdb_appender_create");
    const auto add_time = name<int(void*, std::int64_t)>("duckdb_append_timestamp");
    const auto add_integer = name<int(void*, std::int64_t)>("duckdb_append_int64");
    const auto add_double = name<int(void*, double)>("duckdb_append_double");
    const auto end_row = name<int(void*)>("duckdb_appender_end_row");
    const auto destroy = name<int(void**)>("duckdb_appender_destroy");  // hands the rows over
    void* database = nullptr;
    void* connection = nullptr;
    void* appender = nullptr;
    int failed = open(nullptr, &database);
    failed |= connect(database, &connection);
    failed |= query(connection,
                    "create table t (time timestamp, counter bigint, value1 double, value2 double, "
                    "value3 double)",
                    nullptr);
    const double wall = seconds_of([&] {
      failed |= create(connection, nullptr, "t", &appender);
      for (std::uint64_t row = 0; row < kRows && failed == 0; ++row) {
        const Sample next = sample(row);
        failed |= add_time(appender, next.time / 1000);
        failed |= add_integer(appender, next.counter);
        for (const double value : next.values) failed |= add_double(appender, value);
        failed |= end_row(appender);
      }
      failed |= destroy(&appender);
    });
    name<void(void**)>("duckdb_disconnect")(&connection);
    name<void(void**)>("duckdb_close")(&database);
    return failed == 0 ? wall : 0;
  }

 private:
  template <typename Function>
  Function* name(const char* of) const {
    return reinterpret_cast<Function*>(::dlsym(library_, of));
  }

  void* library_ = nullptr;
};

}  // namespace

void rows(const std::string& folder) {
  const std::string path = folder + "/rows.oto";
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(folder);
  Database db = Database::open(path);
  const std::optional<DuckDb> duck = DuckDb::find();
  std::vector<double> limit;
  std::vector<double> appended;
  std::vector<double> committed;
  std::vector<double> theirs;
  for (int turn = 0; turn < kTurns; ++turn) {
    limit.push_back(copied());
    const Ours mine = ours(db, turn);
    appended.push_back(mine.appended);
    committed.push_back(mine.committed);
    if (duck) theirs.push_back(duck->append());
  }
  const auto a_second = [](const std::vector<double>& samples) {
    return fmt::format("{:.3g} M rows/s", kRows / quantile(samples, 0.5) / 1e6);
  };
  report(kRow, "probe: each row copied into new memory", limit, a_second(limit));
  report(kRow, "otolith, row by row", appended, a_second(appended));
  report(kRow, "otolith, row by row, and committed durably", committed, a_second(committed));
  if (duck) report(kRow, "DuckDB's appender", theirs, a_second(theirs));
  db.close();
  std::filesystem::remove_all(path);
}

}  // namespace otolith::bench
