#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/mutant.h"
#include "io/environment.h"
#include "io/fork.h"

namespace otolith::io {

namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::size_t kRandomPoolBytes = 256;

std::int64_t clock_ns(clockid_t clock) noexcept {
  struct ::timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * static_cast<std::int64_t>(kSecondNs) +
         time.tv_nsec;
}

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

void system_random(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_error(ErrorCode::io, "the system gives no randomness (getrandom failed)");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

// Field 22 of /proc/self/stat, in clock ticks since boot. Fields are counted from the last ')', for
// the program's name before it may hold anything. 0 if /proc is not there.
std::uint64_t read_process_start() {
  constexpr int fields_between = 19;
  const std::string line = first_line("/proc/self/stat");
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(line.substr(name_end + 1));
  std::string field;
  for (int i = 0; i < fields_between; ++i) rest >> field;
  std::uint64_t ticks = 0;
  rest >> ticks;
  return ticks;
}

class SystemEnvironment final : public Environment {
 public:
  Timestamp now() override { return Timestamp{clock_ns(CLOCK_REALTIME)}; }

  std::uint64_t monotonic_ns() override {
    return static_cast<std::uint64_t>(clock_ns(CLOCK_MONOTONIC));
  }

  void sleep_ns(std::uint64_t duration_ns) override {
    struct ::timespec left{static_cast<time_t>(duration_ns / kSecondNs),
                           static_cast<long>(duration_ns % kSecondNs)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
  }

  // A commit asks for a few bytes several times: they are taken from what one call brought, each
  // once, and none by both sides of a fork.
  void random(std::span<std::byte> out) override {
    struct Pool {
      std::array<std::byte, kRandomPoolBytes> bytes{};
      std::size_t left = 0;
      std::uint64_t generation = 0;
    };
    static thread_local Pool pool;
    if (out.size() > pool.bytes.size() / 4) return system_random(out);
    if (pool.left < out.size() ||
        (pool.generation != fork_generation() && !mutant("io-fork-shares-random"))) {
      pool.left = 0;
      system_random(pool.bytes);
      pool.generation = fork_generation();
      pool.left = pool.bytes.size();
    }
    const auto taken = std::span(pool.bytes).subspan(pool.left - out.size(), out.size());
    std::ranges::copy(taken, out.begin());
    std::ranges::fill(taken, std::byte{0});
    pool.left -= out.size();
  }

  std::string boot_id() override {
    static const std::string id = first_line("/proc/sys/kernel/random/boot_id");
    return id;
  }

  std::uint64_t process_id() override {
    learn_process();
    return id_.load(std::memory_order_relaxed);
  }

  std::uint64_t process_start() override {
    learn_process();
    return start_.load(std::memory_order_relaxed);
  }

 private:
  // Asked for at every commit (the holder's words of the lock page): read once per process. Without
  // a mutex, which a fork could leave locked in the child; threads that race read the same values.
  void learn_process() {
    const std::uint64_t generation = fork_generation() + 1;
    if (known_in_.load(std::memory_order_acquire) == generation) return;
    id_.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
    start_.store(read_process_start(), std::memory_order_relaxed);
    known_in_.store(generation, std::memory_order_release);
  }

  std::atomic<std::uint64_t> id_{0};
  std::atomic<std::uint64_t> start_{0};
  std::atomic<std::uint64_t> known_in_{0};  // fork generation + 1 in which they were read
};

}  // namespace

std::shared_ptr<Environment> system_environment() { return std::make_shared<SystemEnvironment>(); }

}  // namespace otolith::io
