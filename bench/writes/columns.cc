#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "bench/measure.h"
#include "bench/writes/writes_bench.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr std::uint64_t kRows = 10'000'000;
constexpr std::int64_t kDays = 31;
constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kStartNs = 1'767'225'600'000'000'000;  // 2026-01-01
constexpr int kTurns = 9;
constexpr std::size_t kWriteBytes = 8 << 20;

Schema w1_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "counter", .type = {TypeKind::int64}}};
  for (const char* name : {"value1", "value2", "value3"}) {
    schema.columns.push_back({.name = name, .type = {TypeKind::float64}});
  }
  schema.codec = "raw";
  return schema;
}

Batch w1_rows(const std::shared_ptr<const Schema>& schema) {
  Batch batch{schema, kRows, {}};
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 100);
  for (std::size_t column = 0; column < schema->columns.size(); ++column) {
    std::byte* data = nullptr;
    Array array{.type = schema->columns[column].type, .length = kRows};
    array.values = buffer_allocate(kRows * 8, &data);
    for (std::uint64_t row = 0; row < kRows; ++row) {
      const auto i = static_cast<std::int64_t>(row);
      const std::int64_t time = kStartNs + i * (kDays * kDayNs / static_cast<std::int64_t>(kRows));
      const double value = column > 1 ? uniform(random) : 0;
      if (column == 0) std::memcpy(data + row * 8, &time, 8);
      if (column == 1) std::memcpy(data + row * 8, &i, 8);
      if (column > 1) std::memcpy(data + row * 8, &value, 8);
    }
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

void write_plain(const std::string& folder, const Batch& batch) {
  std::vector<int> files;
  for (std::size_t column = 0; column < batch.columns.size(); ++column) {
    const std::string path = fmt::format("{}/plain{}.bin", folder, column);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const auto bytes = batch.columns[column].values.bytes;
    for (std::size_t at = 0; at < bytes.size(); at += kWriteBytes) {
      const std::size_t size = std::min(kWriteBytes, bytes.size() - at);
      if (::write(fd, bytes.data() + at, size) < 0) std::perror("plain");
    }
    files.push_back(fd);
  }
  for (const int fd : files) {
    if (::fdatasync(fd) != 0) std::perror("plain");
    ::close(fd);
  }
}

void remove_plain(const std::string& folder) {
  for (int column = 0; column < 5; ++column) {
    std::filesystem::remove(fmt::format("{}/plain{}.bin", folder, column));
  }
}

}  // namespace

void columns(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/w1.oto";
  const Batch batch = w1_rows(std::make_shared<Schema>(w1_schema()));
  std::vector<double> plain;
  std::vector<double> ours;
  std::uint64_t bytes = 0;
  const auto plain_turn = [&] {
    plain.push_back(seconds_of([&] { write_plain(folder, batch); }));
    remove_plain(folder);
  };
  const auto our_turn = [&] {
    Database db = Database::open(path);
    const Table table = db.create_table("w1", w1_schema());
    ours.push_back(seconds_of([&] { table.append(batch); }));
    bytes = db.status().segment_bytes;
    db.close();
    std::filesystem::remove_all(path);
  };
  std::filesystem::remove_all(path);
  for (int turn = 0; turn < kTurns; ++turn) {  // who writes behind whom changes at each turn
    if (turn % 2 == 0) plain_turn();
    our_turn();
    if (turn % 2 == 1) plain_turn();
  }
  report("1", "plain columns, written and fsynced", plain, "400 MB");
  report("1", "otolith, codec raw, digest included", ours, fmt::format("{} bytes on disk", bytes));
}

}  // namespace otolith::bench
