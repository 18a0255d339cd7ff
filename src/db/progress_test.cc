// What a writing verb tells of its progress, and that whoever is told may stop it.
#include <stdexcept>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"

namespace otolith {

namespace {

using Told = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

struct Handle {
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1),
                               {.threads = 2, .memory_bytes = kMemoryBytesMin}, {});

  Handle() {
    for (const char* name : {"large", "small"}) {
      db.create_table(name, {.columns = {{.name = "time", .type = {TypeKind::timestamp}}},
                             .partition = Partition::none});
    }
  }

  // `back`: against the order of time.
  Batch times(std::uint64_t rows, bool back = false) const {
    Batch out{.schema = db.table("large").schema(), .rows = rows};
    std::byte* data = nullptr;
    Array array{.type = {TypeKind::timestamp}, .length = rows};
    array.values = buffer_allocate(rows * 8, &data);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const auto time = static_cast<std::int64_t>(back ? rows - row : row);
      std::memcpy(data + row * 8, &time, 8);
    }
    out.columns.push_back(std::move(array));
    return out;
  }
};

// Upwards, of one total, to its end.
void check_told(const Told& told, std::uint64_t total) {
  REQUIRE_FALSE(told.empty());
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].second == total);
    if (i != 0) CHECK(told[i].first > told[i - 1].first);
  }
  CHECK(told.back().first == total);
}

}  // namespace

TEST_CASE("progress: an append tells of its rows while it encodes them, and then commits") {
  Handle handle;
  Told told;
  const CommitNumber before = handle.db.head().number;
  CommitOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    told.emplace_back(done, total);
    CHECK(handle.db.head().number == before);
  };
  std::uint64_t rows = 2'500'000;
  std::size_t calls = 4;
  bool back = false;
  SUBCASE("in order") {}
  SUBCASE("sorted in runs") {
    rows = 200'000;
    back = true;
  }
  SUBCASE("within the frame") {
    rows = 10;
    calls = 2;
  }
  handle.db.table("large").append(handle.times(rows, back), options);
  check_told(told, rows);
  CHECK(told.front().first == 0);
  CHECK(told.size() >= calls);
  CHECK(handle.db.table("large").rows() == rows);
  told.clear();
  handle.db.table("large").append(handle.times(0), options);
  CHECK(told.empty());
}

TEST_CASE("progress: a recorder counts what it wrote before its commit as done") {
  Handle handle;
  Told told;
  CommitOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    told.emplace_back(done, total);
  };
  Recorder recorder = handle.db.recorder(options);
  recorder.append("large", handle.times(100'000, true));  // more than memory takes
  recorder.append("small", handle.times(7));
  recorder.append("small", handle.times(5));
  recorder.remove("small", {.start = Timestamp{6}});
  CHECK(told.empty());
  recorder.commit();
  check_told(told, 100'011);
  CHECK(told.front().first > 0);
}

TEST_CASE("progress: where it throws nothing is committed, and nothing left") {
  Handle handle;
  CommitOptions options;
  options.progress = [](std::uint64_t done, std::uint64_t total) {
    if (done == total) throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH(handle.db.table("large").append(handle.times(300'000), options), "enough");
  CHECK_THROWS_WITH(handle.db.table("large").append(handle.times(3), options), "enough");
  CHECK(handle.db.head().number == CommitNumber{2});
  CHECK(handle.db.status().unnamed_files == 0);
  handle.db.table("large").append(handle.times(3));
  CHECK(handle.db.table("large").rows() == 3);
}

}  // namespace otolith
