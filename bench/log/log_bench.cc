// What the log itself costs: a durable append, concurrent committers, reading it from the start.
//
//   log_bench all|appends|committers|open FOLDER
//
// Role:    row 3 without the rows and hashes above it, and the share of opening a database of 10^6
//          commits that is the log's.
// Shapes:  frames of 300 bytes of payload.
// Errors:  exits with an exception's message if the disk refuses.
// Threads: up to 16 committers.
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "bench/measure.h"
#include "history/committer.h"
#include "io/posix.h"

namespace otolith::bench {

namespace {

using namespace history;

constexpr std::size_t kPayloadBytes = 300;
constexpr std::uint64_t kProbeBytes = 16 << 20;
constexpr int kRounds = 40;
constexpr int kPerRound = 50;
constexpr std::uint64_t kManyRecords = 1'000'000;
constexpr std::uint64_t kManyPerAppend = 1000;
constexpr Id128 kDatabase{{std::byte{1}}};

Record record_of_bytes(std::size_t bytes) {
  return {FrameType::commit, false, Bytes(bytes, std::byte{7})};
}

std::unique_ptr<Log> open_log(const std::string& folder) {
  return Log::open(io::posix_vfs(folder), io::system_environment(), kDatabase, {});
}

void append(Log& log, std::vector<Record> records) {
  const auto lock = log.lock();
  lock->catch_up({}, {});
  (void)lock->append(std::move(records));
}

// The least that a durable append can cost: a write into blocks that are there, and an fdatasync.
class Probe {
 public:
  explicit Probe(io::Vfs& vfs) : file_(vfs.open("probe", io::OpenMode::create)) {
    file_->write_at(0, Bytes(kProbeBytes));
    file_->sync();
  }
  void append() {
    file_->write_at(at_, bytes_);
    file_->sync();
    at_ = (at_ + bytes_.size()) % (kProbeBytes - bytes_.size());
  }

 private:
  std::unique_ptr<io::File> file_;
  std::uint64_t at_ = 0;
  Bytes bytes_ = Bytes(kPayloadBytes + 64, std::byte{7});
};

void lone_appends(const std::string& folder) {
  Probe probe(*io::posix_vfs(folder));
  const auto log = open_log(folder);
  std::vector<double> limit;
  std::vector<double> ours;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kPerRound; ++i) limit.push_back(seconds_of([&] { probe.append(); }));
    for (int i = 0; i < kPerRound; ++i) {
      std::vector<Record> records;
      records.push_back(record_of_bytes(kPayloadBytes));
      ours.push_back(seconds_of([&] { append(*log, std::move(records)); }));
      log->tend();
    }
  }
  report("log", "probe: 364 B write and fdatasync", limit);
  report("log", "durable append, 300 B payload", ours);
  report_value("log", "durable append: ratio to the probe", "x",
               quantile(ours, 0.5) / quantile(limit, 0.5));
}

void relaxed_appends(const std::string& folder) {
  const auto log = open_log(folder);
  std::vector<double> ours;
  for (int i = 0; i < 5000; ++i) {
    std::vector<Record> records;
    records.push_back(record_of_bytes(kPayloadBytes));
    records.front().relaxed = true;
    ours.push_back(seconds_of([&] { append(*log, std::move(records)); }));
  }
  report("log", "relaxed append, 300 B payload", ours);
}

struct Commit final : Submission {
  Decision decide(const Turn&) override { return Decision::append(record_of_bytes(kPayloadBytes)); }
  void appended(RecordNumber) noexcept override {}
  void undone() noexcept override {}
};

void concurrent(const std::string& folder, int threads) {
  constexpr int kEach = 300;
  const auto log = open_log(folder);
  const auto environment = io::system_environment();
  Committer committer(*log, *environment, {});
  const double wall = seconds_of([&] {
    std::vector<std::jthread> committers;
    for (int t = 0; t < threads; ++t) {
      committers.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          Commit commit;
          committer.submit(commit);
        }
      });
    }
  });
  const auto counts = committer.counts();
  report_value("log", fmt::format("{} committers", threads), "commits/s", threads * kEach / wall);
  report_value("3", fmt::format("{} committers: commits per fsync", threads), "commits",
               static_cast<double>(counts.commits) / static_cast<double>(counts.batches));
}

void read_many(const std::string& folder) {
  {
    const auto log = open_log(folder);
    for (std::uint64_t i = 0; i < kManyRecords; i += kManyPerAppend) {
      std::vector<Record> records;
      for (std::uint64_t k = 0; k < kManyPerAppend; ++k) {
        records.push_back(record_of_bytes(kPayloadBytes - 64));
      }
      append(*log, std::move(records));
    }
    log->close();
  }
  std::vector<double> whole;
  std::vector<double> last;
  for (int i = 0; i < 5; ++i) {
    std::uint64_t bytes = 0;
    whole.push_back(seconds_of([&] {
      const auto log = open_log(folder);
      log->refresh([&](const Frame& frame) { bytes += frame.payload.size(); }, {});
    }));
    last.push_back(seconds_of([&] {
      const auto log = open_log(folder);
      log->seek(RecordNumber{kManyRecords});
      log->refresh([&](const Frame& frame) { bytes += frame.payload.size(); }, {});
    }));
  }
  report("log", "10^6 frames of 300 B, read and verified", whole);
  report("log", "the same behind a checkpoint at its end", last);
}

void begin_log(const std::string& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Log::create(*io::posix_vfs(folder), *io::system_environment(), kDatabase);
}

void run(std::string_view what, const std::string& folder) {
  const auto wanted = [&](std::string_view name) { return what == name || what == "all"; };
  begin_log(folder);
  if (wanted("appends")) {
    lone_appends(folder);
    relaxed_appends(folder);
  }
  if (wanted("committers")) {
    for (const int threads : {1, 2, 4, 8, 16}) concurrent(folder, threads);
  }
  if (wanted("open")) {
    begin_log(folder);
    read_many(folder);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

}  // namespace otolith::bench

int main(int count, char** arguments) {
  try {
    otolith::bench::run(count > 1 ? arguments[1] : "all",
                        std::string(count > 2 ? arguments[2] : "build/bench") + "/log");
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return EXIT_FAILURE;
  }
}
