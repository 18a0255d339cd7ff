#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "io/environment.h"
#include "io/fork.h"

namespace otolith::io {

namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

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

  void random(std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t got = ::getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_error(ErrorCode::io, "the system gives no randomness (getrandom failed)");
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }

  std::string boot_id() override {
    static const std::string id = first_line("/proc/sys/kernel/random/boot_id");
    return id;
  }

  std::uint64_t process_id() override { return static_cast<std::uint64_t>(::getpid()); }

  // Asked for at every commit (the holder's word of the lock page): read once per process. Without
  // a mutex, which a fork could leave locked in the child; threads that race read the same value.
  std::uint64_t process_start() override {
    const std::uint64_t generation = fork_generation() + 1;
    if (known_in_.load(std::memory_order_acquire) != generation) {
      start_.store(read_process_start(), std::memory_order_relaxed);
      known_in_.store(generation, std::memory_order_release);
    }
    return start_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> start_{0};
  std::atomic<std::uint64_t> known_in_{0};  // fork generation + 1 in which start_ was read
};

}  // namespace

std::shared_ptr<Environment> system_environment() { return std::make_shared<SystemEnvironment>(); }

}  // namespace otolith::io
