// A toy commit protocol, right and with planted bugs: the crash states must tell them apart.
//
// The toy is Otolith's order of a commit in miniature: a segment is written and synced, its
// directory is synced, a record that names it is appended to the log and synced, then the commit is
// acknowledged.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "io/crash_states.h"
#include "test/budget.h"

namespace otolith::io {

namespace {

constexpr std::uint64_t kHeaderBytes = 512;
constexpr std::uint64_t kLogBytes = 32'768;
constexpr std::uint64_t kCommits = 8;

struct Bugs {
  bool no_segment_sync = false;
  bool no_directory_sync = false;
  bool acknowledges_early = false;
  bool record_before_segment = false;
  bool no_checksum = false;
  bool no_salt = false;
  bool retries_failed_sync = false;
  bool ignores_short_write = false;
  bool recovery_rewrites_in_place = false;
};

// What commit n says: from its number alone, 8 to 2,000 bytes.
Bytes content_of(std::uint64_t number) {
  SeededRandom random(number);
  Bytes bytes(8 + random.below(1993));
  for (std::byte& each : bytes) each = static_cast<std::byte>(random.next());
  return bytes;
}

std::string segment_path(std::uint64_t number) { return fmt::format("segments/{}", number); }

// A record: number, length, checksum, content; each starts on a multiple of 8.
struct RecordHeader {
  std::uint64_t number = 0;
  std::uint64_t length = 0;
  std::uint64_t checksum = 0;
};
constexpr std::size_t kRecordHeaderBytes = 24;

std::uint64_t checksum_of(std::uint64_t salt, std::uint64_t number, BytesView content) {
  return xxh3(content, salt + number * 31 + content.size());
}

class Toy {
 public:
  Toy(Vfs& vfs, Bugs bugs, std::uint64_t salt) : vfs_(vfs), bugs_(bugs) {
    vfs_.make_dir("segments");
    log_ = vfs_.open("log.new", OpenMode::create);
    log_->preallocate(kLogBytes);
    ByteWriter header;
    header.put(salt);
    log_->write_at(0, header.view());
    log_->sync();
    vfs_.rename("log.new", "log");  // never seen before its header is durable
    vfs_.sync_dir("");
    salt_ = bugs_.no_salt ? 0 : salt;
  }

  // True if the commit may be acknowledged.
  bool commit(std::uint64_t number) {
    if (bugs_.record_before_segment) {
      if (!append(number)) return false;
      write_segment(number);
      return true;
    }
    write_segment(number);
    return append(number);
  }

 private:
  void write_segment(std::uint64_t number) {
    auto file = vfs_.open(segment_path(number), OpenMode::create);
    file->write_at(0, content_of(number));
    if (!bugs_.no_segment_sync) file->sync();
    if (!bugs_.no_directory_sync) vfs_.sync_dir("segments");
  }

  bool append(std::uint64_t number) {
    const Bytes content = content_of(number);
    ByteWriter record;
    record.put(number);
    record.put(std::uint64_t{content.size()});
    record.put(checksum_of(salt_, number, content));
    record.put_bytes(content);
    record.align(8);
    try {
      log_->write_at(end_, record.view());
    } catch (const Error&) {
      if (!bugs_.ignores_short_write) return false;
    }
    end_ += record.size();
    if (bugs_.acknowledges_early) return true;
    try {
      log_->sync();
    } catch (const Error&) {
      if (!bugs_.retries_failed_sync) return false;
      log_->sync();
    }
    return true;
  }

  Vfs& vfs_;
  const Bugs bugs_;
  std::unique_ptr<File> log_;
  std::uint64_t salt_ = 0;
  std::uint64_t end_ = kHeaderBytes;
};

// Commits that the log shows, up to the first record that is not whole; -1 if anything shown is
// wrong.
int recover(Vfs& vfs, Bugs bugs) {
  if (!vfs.exists("log")) return 0;
  auto file = vfs.open("log", OpenMode::read_write);
  Bytes log(static_cast<std::size_t>(file->stat().size));
  (void)file->read_at(0, log);
  if (log.size() < kHeaderBytes) return 0;
  const std::uint64_t salt = bugs.no_salt ? 0 : load_le<std::uint64_t>(log.data());
  std::uint64_t at = kHeaderBytes;
  int found = 0;
  while (at + kRecordHeaderBytes <= log.size()) {
    RecordHeader header;
    header.number = load_le<std::uint64_t>(log.data() + at);
    header.length = load_le<std::uint64_t>(log.data() + at + 8);
    header.checksum = load_le<std::uint64_t>(log.data() + at + 16);
    if (header.number != static_cast<std::uint64_t>(found) + 1) break;
    if (header.length > log.size() - at - kRecordHeaderBytes) break;
    const BytesView content = BytesView(log).subspan(
        static_cast<std::size_t>(at) + kRecordHeaderBytes, static_cast<std::size_t>(header.length));
    if (!bugs.no_checksum && header.checksum != checksum_of(salt, header.number, content)) break;
    found++;
    const Bytes expected = content_of(header.number);
    if (!std::ranges::equal(content, expected)) return -1;
    if (!vfs.exists(segment_path(header.number))) return -1;
    Bytes segment(expected.size() + 1);
    segment.resize(vfs.open(segment_path(header.number), OpenMode::read)->read_at(0, segment));
    if (segment != expected) return -1;
    at = align_up(at + kRecordHeaderBytes + header.length, 8);
  }
  if (bugs.recovery_rewrites_in_place) {  // "tidies up": cuts first, writes back what it keeps
    file->truncate(kHeaderBytes);
    file->write_at(kHeaderBytes, BytesView(log).subspan(
                                     kHeaderBytes, static_cast<std::size_t>(at - kHeaderBytes)));
    file->preallocate(kLogBytes);
  } else {
    file->write_at(at, Bytes(static_cast<std::size_t>(log.size() - at)));
  }
  file->sync();
  return found;
}

struct Scenario {
  Bugs bugs{};
  std::optional<Fault> fault = std::nullopt;  // armed after the creation
  std::uint64_t states_max = 4'000;
  std::uint64_t seed = 1;
};

CrashRecording record(const Scenario& scenario) {
  SimDisk earlier({.seed = scenario.seed});  // a database deleted before this one was made
  {
    auto vfs = earlier.attach();
    Toy toy(*vfs, {.no_salt = scenario.bugs.no_salt}, 1234);
    for (std::uint64_t n = 1; n <= kCommits; ++n) (void)toy.commit(n);
  }
  SimDisk disk({.seed = scenario.seed});
  CrashRecorder recorder(disk);
  recorder.recycle(earlier.state());
  auto vfs = disk.attach();
  Toy toy(*vfs, scenario.bugs, 5678);
  if (scenario.fault) disk.inject(*scenario.fault);
  try {
    for (std::uint64_t n = 1; n <= kCommits; ++n) {
      if (!toy.commit(n)) break;
      recorder.mark_acknowledged(n);
    }
  } catch (const Error&) {  // a fault met the segment: the toy gives up
  }
  return recorder.finish();
}

// Crash states in which something acknowledged is missing or something shown is wrong.
std::uint64_t violations(const Scenario& scenario) {
  const CrashRecording recording = record(scenario);
  std::uint64_t wrong = 0;
  (void)for_each_crash_state(recording, {.seed = scenario.seed, .states_max = scenario.states_max},
                             [&](CrashState& state) {
                               const int found = recover(*state.disk.attach(), scenario.bugs);
                               if (found < static_cast<int>(state.acknowledged)) wrong++;
                             });
  return wrong;
}

Scenario planted(void (*plant)(Bugs&)) {
  Scenario scenario;
  plant(scenario.bugs);
  return scenario;
}

}  // namespace

TEST_CASE("crash states: a right protocol survives all of them") {
  CHECK(violations({.states_max = 20'000}) == 0);
}

TEST_CASE("crash states: a segment that was not synced is found") {
  CHECK(violations(planted([](Bugs& b) { b.no_segment_sync = true; })) > 0);
}

TEST_CASE("crash states: a directory that was not synced is found") {
  CHECK(violations(planted([](Bugs& b) { b.no_directory_sync = true; })) > 0);
}

TEST_CASE("crash states: an acknowledgement before the log's sync is found") {
  CHECK(violations(planted([](Bugs& b) { b.acknowledges_early = true; })) > 0);
}

TEST_CASE("crash states: a record before its segment is found") {
  CHECK(violations(planted([](Bugs& b) { b.record_before_segment = true; })) > 0);
}

TEST_CASE("crash states: a record without a checksum is found") {
  CHECK(violations(planted([](Bugs& b) { b.no_checksum = true; })) > 0);
}

// The earlier toy wrote the same commits to blocks that this one gets again: without the salt its
// records continue ours wherever a fresh block shows them.
TEST_CASE("crash states: a checksum without the file's salt is found") {
  CHECK(violations(planted([](Bugs& b) { b.no_salt = true; })) > 0);
}

TEST_CASE("crash states: a retried sync after a failed one is found") {
  const Fault failed_sync{.operation = Operation::sync, .at = 6, .error = EIO};
  Scenario scenario = planted([](Bugs& b) { b.retries_failed_sync = true; });
  scenario.fault = failed_sync;
  CHECK(violations(scenario) > 0);
  CHECK(violations({.fault = failed_sync}) == 0);
}

TEST_CASE("crash states: an ignored short write is found") {
  const Fault short_write{
      .operation = Operation::write, .at = 6, .error = ENOSPC, .short_write = true};
  Scenario scenario = planted([](Bugs& b) { b.ignores_short_write = true; });
  scenario.fault = short_write;
  CHECK(violations(scenario) > 0);
  CHECK(violations({.fault = short_write}) == 0);
}

TEST_CASE("crash states: a recovery that cuts before it keeps is found by a crash inside it") {
  const auto lost_in_recovery = [](Bugs bugs) {
    const CrashRecording recording = record({.bugs = {}});
    std::uint64_t wrong = 0;
    (void)for_each_crash_state(recording, {.states_max = 200}, [&](CrashState& state) {
      CrashRecorder inner(state.disk);
      recover(*state.disk.attach(), bugs);
      (void)for_each_crash_state(inner.finish(), {.states_max = 20}, [&](CrashState& second) {
        const int found = recover(*second.disk.attach(), bugs);
        if (found < static_cast<int>(state.acknowledged)) wrong++;
      });
    });
    return wrong;
  };
  Bugs bugs{};
  bugs.recovery_rewrites_in_place = true;
  CHECK(lost_in_recovery(bugs) > 0);
  CHECK(lost_in_recovery({}) == 0);
}

TEST_CASE("crash states: one state is built again from what it tells of itself") {
  const CrashRecording recording = record({});
  std::vector<std::tuple<std::size_t, PowerLoss, Bytes>> seen;
  const auto log_of = [](SimDisk& disk) {
    auto vfs = disk.attach();
    if (!vfs->exists("log")) return Bytes();
    auto file = vfs->open("log", OpenMode::read);
    Bytes log(static_cast<std::size_t>(file->stat().size));
    (void)file->read_at(0, log);
    return log;
  };
  (void)for_each_crash_state(recording, {.seed = 3, .states_max = 500}, [&](CrashState& state) {
    CHECK(state.describe().find(fmt::format("seed {}", state.loss.seed)) != std::string::npos);
    seen.emplace_back(state.point, state.loss, log_of(state.disk));
  });
  for (const auto& [point, loss, log] : seen) {
    CrashState again = crash_state(recording, point, loss);
    CHECK(log_of(again.disk) == log);
  }
}

TEST_CASE("crash states: the walk says how far it came") {
  const CrashRecording recording = record({});
  const CrashCount all =
      for_each_crash_state(recording, {.states_max = 10'000}, [](CrashState&) {});
  CHECK(all.states == 10'000);
  CHECK(all.listed_states == all.listed_total);
  CHECK(all.points == recording.points.size());
  const CrashCount few = for_each_crash_state(recording, {.states_max = 50}, [](CrashState&) {});
  CHECK(few.states == 50);
  CHECK(few.listed_states == 25);
  const CrashCount none = for_each_crash_state(recording, {.time_max = std::chrono::nanoseconds(0)},
                                               [](CrashState&) {});
  CHECK(none.states == 0);
}

TEST_SUITE("long") {
  TEST_CASE(
      "crash states: a right protocol survives any seed, with any one fault before the loss") {
    const test::Budget budget;
    SeededRandom random(test::seed());
    std::uint64_t states = 0;
    while (budget.left()) {
      const std::uint64_t seed = random.next();
      CAPTURE(seed);
      Fault fault{.at = 1 + random.below(60), .error = random.one_in(2) ? EIO : ENOSPC};
      fault.sticky = random.one_in(2);
      fault.short_write = random.one_in(2);
      const Scenario scenario{.fault = fault, .states_max = 2'000, .seed = seed};
      CHECK(violations(scenario) == 0);
      states += scenario.states_max;
    }
    MESSAGE(fmt::format("{} crash states, OTOLITH_SEED={}", states, test::seed()));
  }
}

// A figure, not a promise; printed on request: io_test -tc="*states a second*" -ns
TEST_CASE("crash states: states a second" * doctest::skip()) {
  const CrashRecording recording = record({});
  const auto start = std::chrono::steady_clock::now();
  const CrashCount count = for_each_crash_state(
      recording, {.states_max = 200'000}, [](CrashState& state) { (void)state.disk.attach(); });
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  MESSAGE(fmt::format("{} states in {:.2f} s: {:.0f} states/s", count.states, seconds,
                      static_cast<double>(count.states) / seconds));
}

}  // namespace otolith::io
