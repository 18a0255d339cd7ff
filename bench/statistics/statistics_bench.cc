// Sum, mean, least and greatest of W1's columns from what its zone maps keep.
//
//   statistics_bench all FOLDER [ROUNDS]
//
// W1 of docs/BENCHMARKS.md: 10 M rows over 31 days; the counter and three values are asked for. The
// sums are compared with an exact one. "cold" opens the segment and its column indexes too.
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "bench/measure.h"
#include "db/hall.h"
#include "model/exact_sum.h"
#include "otolith/otolith.h"
#include "scan/statistics.h"

namespace otolith {
namespace {

constexpr std::uint64_t kRows = 10'000'000;
constexpr std::int64_t kDayNs = 86'400'000'000'000;

Array column_of(Type type, const std::function<void(std::byte*, std::uint64_t)>& put) {
  std::byte* data = nullptr;
  Array out{.type = type, .length = kRows};
  out.values = buffer_allocate(kRows * sizeof(double), &data);
  for (std::uint64_t row = 0; row < kRows; ++row) put(data + row * sizeof(double), row);
  return out;
}

Schema schema_of() {
  Schema out;
  out.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                 {.name = "counter", .type = {TypeKind::int64}}};
  for (const char* name : {"value1", "value2", "value3"}) {
    out.columns.push_back({.name = name, .type = {TypeKind::float64}});
  }
  return out;
}

// Returns the exact sum of value1.
double write_w1(const std::string& path) {
  Database db = Database::open(path);
  const Table table = db.create_table("w1", schema_of());
  Batch rows{.schema = table.schema(), .rows = kRows, .columns = {}};
  const std::int64_t step = 31 * kDayNs / static_cast<std::int64_t>(kRows);
  rows.columns.push_back(column_of({TypeKind::timestamp}, [&](std::byte* to, std::uint64_t row) {
    store_le(to, static_cast<std::int64_t>(row) * step);
  }));
  rows.columns.push_back(column_of({TypeKind::int64}, [](std::byte* to, std::uint64_t row) {
    store_le(to, static_cast<std::int64_t>(row));
  }));
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 100);
  for (int i = 0; i < 3; ++i) {
    rows.columns.push_back(column_of(
        {TypeKind::float64}, [&](std::byte* to, std::uint64_t) { store_le(to, uniform(random)); }));
  }
  table.append(rows);
  model::ExactSum sum;
  for (std::uint64_t row = 0; row < kRows; ++row) sum.add(rows.columns[2].value<double>(row));
  db.close();
  return sum.rounded();
}

void check(const scan::Totals& found, double sum) {
  const bool right =
      found.rows == kRows && std::get<double>(found.columns[1].sum) == sum &&
      std::get<segment::Int128>(found.columns[0].sum) == segment::Int128{kRows} * (kRows - 1) / 2;
  if (!right) std::abort();
}

void run(const std::string& folder, int rounds) {
  const std::string path = folder + "/statistics.oto";
  std::filesystem::remove_all(path);
  const double sum = write_w1(path);
  const scan::TotalsRequest all{{"counter", "value1", "value2", "value3"}, {}, {}};
  scan::TotalsRequest part = all;  // from the middle of a page to the middle of another
  part.start = Timestamp{kDayNs / 2 + 7};
  part.stop = Timestamp{30 * kDayNs + 7};
  std::vector<double> cold, warm, ranged;
  for (int round = 0; round < rounds; ++round) {
    const auto hall = db::Hall::open(path, {.create = false, .read_only = true});
    const auto rooms = hall->rooms();
    const auto snapshot = rooms->history->head();
    const auto entry = snapshot->find("w1");
    const scan::ScanContext context = hall->scan_context(*rooms);
    const auto ask = [&](const scan::TotalsRequest& request) {
      return scan::totals(context, snapshot, *entry, request);
    };
    cold.push_back(bench::seconds_of([&] { check(ask(all), sum); }));
    for (int i = 0; i < 20; ++i) warm.push_back(bench::seconds_of([&] { check(ask(all), sum); }));
    ask(part);
    for (int i = 0; i < 20; ++i) {
      ranged.push_back(bench::seconds_of([&] {
        if (ask(part).values_read == 0) std::abort();
      }));
    }
  }
  bench::report("8", "W1: sum, mean, min, max of 4 columns from statistics", warm, "goal 0.3 ms");
  bench::report("8", "the same, first time after opening", cold);
  bench::report("8", "the same over a range that cuts two pages", ranged);
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace otolith

int main(int count, char** arguments) {
  if (count < 3) return 2;
  otolith::run(arguments[2], count > 3 ? std::atoi(arguments[3]) : 5);
  return 0;
}
