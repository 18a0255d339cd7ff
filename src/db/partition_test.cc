// A table answers alike whatever it is partitioned by.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith {

namespace {

using test::below;
using test::Random;

struct Tick {
  std::string symbol;
  std::int64_t time = 0;
  std::int64_t number = 0;
  bool operator==(const Tick&) const = default;
};
using Ticks = std::vector<Tick>;  // in the order they were added

constexpr std::int64_t kMinute = 60'000'000'000;
constexpr Partition kPartitions[] = {Partition::none, Partition::hour, Partition::day,
                                     Partition::month, Partition::year};
constexpr const char* kNames[] = {"none", "hour", "day", "month", "year"};

// By the calendar of the standard library.
std::int64_t bucket(Partition partition, std::int64_t ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(ns)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto months = static_cast<std::int64_t>(static_cast<int>(date.year())) * 12 +
                      static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
  switch (partition) {
    case Partition::none:
      return 0;
    case Partition::hour:
      return floor<hours>(time).time_since_epoch().count();
    case Partition::day:
      return day.time_since_epoch().count();
    case Partition::month:
      return months;
    case Partition::year:
      return static_cast<int>(date.year());
  }
  return 0;
}

// Five tables that differ in their partition, and a list of what all of them hold.
struct Program {
  Random random;
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  std::optional<Database> db;
  Ticks now;
  std::int64_t number = 0;
  std::int64_t clock = 0;  // where rows that are not late come

  explicit Program(std::uint64_t seed) : random(seed) {
    // Years before 1970, leap days, and turns of the year among them.
    using namespace std::chrono;
    const sys_days first =
        sys_days(year(1967) / January / 1) + days(static_cast<int>(below(random, 20'000)));
    clock = nanoseconds(first.time_since_epoch()).count();
    open();
    for (std::size_t i = 0; i < std::size(kPartitions); ++i) {
      Schema schema;
      schema.partition = kPartitions[i];
      schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                        {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                        {.name = "number", .type = {TypeKind::int64}}};
      schema.keys = {"symbol"};
      db->create_table(kNames[i], schema);
    }
  }

  void open() {
    history::HistoryOptions sizes;
    sizes.tail_commits_max = 1 + below(random, 20);  // seals in the middle of things
    sizes.inline_bytes_max = below(random, 2) == 0 ? 200 : kInlineBytesMax;
    db.reset();
    db = db::Door::open(disk.attach(), environment, {.threads = 2}, sizes);
  }

  // Minutes to years apart, so that each partition has its edges.
  std::int64_t step() {
    static constexpr std::int64_t kSteps[] = {1, 7, 60, 24 * 60, 31 * 24 * 60, 100 * 24 * 60};
    return static_cast<std::int64_t>(below(random, 4)) * kSteps[below(random, 6)] * kMinute;
  }
  std::int64_t some_time() {
    if (now.empty()) return clock;
    const std::int64_t time = now[below(random, now.size())].time;
    return time + (below(random, 2) == 0 ? 0 : below(random, 2) == 0 ? kMinute : -1);
  }
  std::string symbol() { return std::string(1, static_cast<char>('a' + below(random, 3))); }

  void append() {
    Ticks rows;
    const bool late = below(random, 3) == 0;
    for (std::uint64_t i = 1 + below(random, 20); i > 0; --i) {
      if (!late) clock += step();
      rows.push_back({symbol(), late ? some_time() : clock, number++});
    }
    std::vector<test::Row> cells;
    for (const Tick& row : rows) cells.push_back({row.time, row.symbol, row.number});
    Recorder recorder = db->recorder();
    for (const char* name : kNames)
      recorder.append(name, test::batch_of(db->table(name).schema(), cells));
    recorder.commit();
    now.insert(now.end(), rows.begin(), rows.end());
  }

  ReadRequest some_request() {
    ReadRequest out;
    if (below(random, 2) == 0) out.start = Timestamp{some_time()};
    if (below(random, 2) == 0) out.stop = Timestamp{some_time()};
    if (below(random, 3) == 0) out.keys = {{"symbol", {symbol(), symbol()}}};
    if (below(random, 3) == 0)
      out.where = col("number") < static_cast<std::int64_t>(below(random, 100));
    return out;
  }
  static bool matches(const ReadRequest& request, const Tick& row, std::int64_t below_number) {
    if (request.start && row.time < request.start->ns) return false;
    if (request.stop && row.time >= request.stop->ns) return false;
    if (request.where && row.number >= below_number) return false;
    return std::ranges::all_of(request.keys, [&](const KeyFilter& filter) {
      return std::ranges::find(filter.values, KeyValue(row.symbol)) != filter.values.end();
    });
  }
  static std::int64_t bound_of(const ReadRequest& request) {
    if (!request.where) return 0;
    return std::get<std::int64_t>(request.where->node().constants.front().value());
  }

  void remove() {
    const ReadRequest rows = some_request();
    const DeleteRequest asked{.start = rows.start,
                              .stop = rows.stop,
                              .keys = rows.keys,
                              .where = rows.where,
                              .all = !rows.start && !rows.stop && rows.keys.empty() && !rows.where};
    for (const char* name : kNames) db->table(name).remove(asked);
    std::erase_if(now, [&](const Tick& row) { return matches(rows, row, bound_of(rows)); });
  }

  Ticks expected(const ReadRequest& request, Partition partition) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (matches(request, now[i], bound_of(request))) order.push_back(i);
    }
    const bool by_time = request.order == Order::time;
    std::ranges::sort(order, {}, [&](std::size_t i) {
      const Tick& row = now[i];
      return std::tuple(by_time ? row.time : bucket(partition, row.time), row.symbol, row.time, i);
    });
    if (request.reverse) std::ranges::reverse(order);
    if (request.limit && order.size() > *request.limit) order.resize(*request.limit);
    Ticks out;
    for (const std::size_t i : order) out.push_back(now[i]);
    return out;
  }

  static Ticks rows_of(const Data& data) {
    Ticks out;
    for (std::uint64_t row = 0; row < data.rows(); ++row) {
      out.push_back({std::string(data.column("symbol").text(row)),
                     data.column("time").value<std::int64_t>(row),
                     data.column("number").value<std::int64_t>(row)});
    }
    return out;
  }

  void check() {
    ReadRequest request = some_request();
    request.reverse = below(random, 2) == 0;
    request.order = below(random, 2) == 0 ? Order::time : Order::stored;
    if (below(random, 2) == 0) request.limit = below(random, 30);
    for (std::size_t i = 0; i < std::size(kPartitions); ++i) {
      CAPTURE(kNames[i]);
      const Table table = db->table(kNames[i]);
      REQUIRE(rows_of(table.read(request)) == expected(request, kPartitions[i]));
      REQUIRE(table.rows() == now.size());
      REQUIRE(rows_of(table.tail(3)) == last(3));
    }
  }
  Ticks last(std::uint64_t rows) const {
    Ticks out = expected({.limit = rows, .reverse = true}, Partition::none);
    std::ranges::reverse(out);
    return out;
  }

  void run() {
    for (int i = 0; i < 25; ++i) {
      const std::uint64_t what = below(random, 8);
      if (what < 5)
        append();
      else if (what < 6)
        remove();
      else if (what < 7)
        open();
      else
        db->compact();
      check();
    }
    const VerifyReport report = db->verify();
    for (const Problem& problem : report.problems) FAIL(problem.what);
  }
};

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("partitions: late rows, deletes and seals read alike under each") {
    test::Budget budget;
    std::uint64_t seed = test::seed();
    do {
      CAPTURE(seed);
      Program(seed++).run();
    } while (budget.left());
  }
}

}  // namespace otolith
