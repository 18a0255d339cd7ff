// Rates of the io room: large durable writes, and crash states built.
//
//   io_bench all|bulk|crash FOLDER
//
// Role:    shows what early write-back gains over plain writes, and that crash states cost little.
// Shapes:  400 MB a file, as the columns of W1.
// Errors:  exits with an exception's message if the disk refuses.
// Threads: one.
#include <sys/resource.h>

#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "bench/measure.h"
#include "io/crash_states.h"
#include "io/posix.h"
#include "io/random.h"

namespace otolith::bench {

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;
constexpr std::size_t kPieces = 400;
constexpr int kRounds = 7;

Bytes random_bytes(std::size_t size) {
  io::SeededRandom random(1);
  Bytes bytes(size);
  for (std::size_t at = 0; at < size; at += 8) store_le(bytes.data() + at, random.next());
  return bytes;
}

double processor_seconds() {
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// One way of making 400 MB durable.
struct Way {
  const char* name;
  std::function<void(io::File&, BytesView)> write;
  std::vector<double> wall;
  std::vector<double> processor;
};

void write_plain(io::File& file, BytesView bytes) {
  for (std::size_t i = 0; i < kPieces; ++i) {
    file.write_at(i * kPieceBytes, bytes.subspan(i * kPieceBytes, kPieceBytes));
  }
}

void write_early(io::File& file, BytesView bytes) {
  for (std::size_t i = 0; i < kPieces; ++i) {
    file.write_at(i * kPieceBytes, bytes.subspan(i * kPieceBytes, kPieceBytes));
    file.write_back(i * kPieceBytes, kPieceBytes);
  }
}

void bulk(const std::string& folder) {
  auto vfs = io::posix_vfs(folder);
  const Bytes bytes = random_bytes(kPieces * kPieceBytes);
  std::vector<Way> ways{
      {"plain writes, then fdatasync", write_plain, {}, {}},
      {"plain writes with early write-back, then fdatasync", write_early, {}, {}}};
  for (int round = 0; round < kRounds; ++round) {
    for (Way& way : ways) {
      const double processor = processor_seconds();
      way.wall.push_back(seconds_of([&] {
        auto file = vfs->open("bulk", io::OpenMode::create);
        way.write(*file, bytes);
        file->sync();
        vfs->sync_dir("");
      }));
      way.processor.push_back(processor_seconds() - processor);
      vfs->remove("bulk");
      vfs->sync_dir("");
    }
  }
  for (const Way& way : ways) {
    report("bulk", way.name, way.wall, "400 MB");
    report("bulk", std::string(way.name) + ": processor time", way.processor, "400 MB");
  }
}

// Eight commits, each a segment, its directory and a record of the log.
io::CrashRecording recorded_commits() {
  io::SimDisk disk;
  io::CrashRecorder recorder(disk);
  auto vfs = disk.attach();
  vfs->make_dir("segments");
  auto log = vfs->open("log", io::OpenMode::create);
  log->preallocate(65'536);
  log->sync();
  vfs->sync_dir("");
  const Bytes bytes = random_bytes(2000);
  for (std::uint64_t n = 1; n <= 8; ++n) {
    auto segment = vfs->open("segments/" + std::to_string(n), io::OpenMode::create);
    segment->write_at(0, bytes);
    segment->sync();
    vfs->sync_dir("segments");
    log->write_at(n * 200, BytesView(bytes).first(200));
    log->sync();
    recorder.mark_acknowledged(n);
  }
  return recorder.finish();
}

void crash() {
  const io::CrashRecording recording = recorded_commits();
  std::uint64_t states = 0;
  const double seconds = seconds_of([&] {
    states =
        io::for_each_crash_state(recording, {.states_max = 500'000}, [](io::CrashState& state) {
          (void)state.disk.attach();
        }).states;
  });
  report_value("crash", "crash states built a second", "1/s", static_cast<double>(states) / seconds,
               "8 commits, without recovery");
}

}  // namespace

}  // namespace otolith::bench

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "all";
  const std::string folder = count > 2 ? arguments[2] : ".";
  if (what == "all" || what == "bulk") otolith::bench::bulk(folder);
  if (what == "all" || what == "crash") otolith::bench::crash();
  return 0;
}
