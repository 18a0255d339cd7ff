#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "bench/measure.h"
#include "bench/writes/writes_bench.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr int kRounds = 40;
constexpr int kPerRound = 25;
constexpr int kRows = 10;
constexpr std::size_t kProbeBytes = 1024;  // about what such a commit appends
constexpr off_t kProbeFileBytes = 64 << 20;

Schema five_columns() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  for (const char* name : {"a", "b", "c", "d"}) {
    schema.columns.push_back({.name = name, .type = {TypeKind::float64}});
  }
  return schema;
}

Batch ten_rows(const std::shared_ptr<const Schema>& schema, std::int64_t at) {
  Batch batch{schema, kRows, {}};
  for (const Column& column : schema->columns) {
    std::byte* data = nullptr;
    Array array{.type = column.type, .length = kRows};
    array.values = buffer_allocate(kRows * sizeof(double), &data);
    for (int row = 0; row < kRows; ++row) {
      const std::int64_t value = column.type.kind == TypeKind::timestamp ? at + row : row;
      std::memcpy(data + static_cast<std::size_t>(row) * sizeof value, &value, sizeof value);
    }
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

/// Appends to a file of zeros written beforehand and waits for the disk: the least a commit can
/// cost.
class Probe {
 public:
  explicit Probe(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
        bytes_(kProbeBytes) {
    const std::vector<char> zeros(1 << 20);
    for (off_t at = 0; at < kProbeFileBytes; at += static_cast<off_t>(zeros.size())) {
      if (::pwrite(fd_, zeros.data(), zeros.size(), at) < 0) std::perror("probe");
    }
    ::fsync(fd_);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { ::close(fd_); }
  void append() {
    if (::pwrite(fd_, bytes_.data(), bytes_.size(), at_) < 0 || ::fdatasync(fd_) != 0) {
      std::perror("probe");
    }
    at_ += static_cast<off_t>(bytes_.size());
  }

 private:
  int fd_;
  off_t at_ = 0;
  std::vector<char> bytes_;
};

void concurrent(Database& db, const std::shared_ptr<const Schema>& schema, int threads) {
  constexpr int kEach = 200;
  const Table table = db.table("series");
  const double wall = seconds_of([&] {
    std::vector<std::jthread> committers;
    for (int t = 0; t < threads; ++t) {
      committers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) table.append(ten_rows(schema, (t * kEach + i) * 1000));
      });
    }
  });
  report_value("3", fmt::format("otolith, {} committers at once", threads), "commits/s",
               threads * kEach / wall);
}

}  // namespace

void commits(const std::string& folder) {
  const std::string path = folder + "/commits.oto";
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(folder);
  Probe probe(folder + "/probe.bin");
  Database db = Database::open(path);
  const Table table = db.create_table("series", five_columns());
  const auto schema = table.schema();
  std::vector<double> ours;
  std::vector<double> limit;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kPerRound; ++i) limit.push_back(seconds_of([&] { probe.append(); }));
    for (int i = 0; i < kPerRound; ++i) {
      const Batch batch = ten_rows(schema, (round * kPerRound + i) * 1000);
      ours.push_back(seconds_of([&] { table.append(batch); }));
    }
  }
  report("3", "probe: 1 KiB append and fdatasync", limit);
  report("3", "otolith, one committer", ours, "10 rows x 5 columns");
  for (const int threads : {1, 2, 4, 8}) concurrent(db, schema, threads);
  db.close();
  std::filesystem::remove_all(path);
  std::filesystem::remove(folder + "/probe.bin");
}

}  // namespace otolith::bench
