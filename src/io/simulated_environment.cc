#include "base/error.h"
#include "base/mutex.h"
#include "io/environment.h"
#include "io/random.h"

namespace otolith::io {

namespace {

constexpr std::int64_t kStartNs = 1'700'000'000'000'000'000;  // 2023-11-14, a plausible wall clock
constexpr std::uint64_t kLookNs = 1000;  // each look at a clock takes this long

class SimulatedEnvironment final : public Environment {
 public:
  SimulatedEnvironment(std::uint64_t seed, SimulatedProcess process)
      : process_(process),
        random_(seed ^ (process.boot << 40) ^ (process.process << 20)),
        start_(random_.next() | 1) {}

  Timestamp now() override { return Timestamp{kStartNs + static_cast<std::int64_t>(tick())}; }
  std::uint64_t monotonic_ns() override { return tick(); }

  void sleep_ns(std::uint64_t duration_ns) override {
    const MutexLock lock(mutex_);
    elapsed_ns_ += duration_ns;
  }

  void random(std::span<std::byte> out) override {
    const MutexLock lock(mutex_);
    for (std::byte& each : out) each = static_cast<std::byte>(random_.next() >> 56);
  }

  std::string boot_id() override { return fmt::format("simulated-boot-{}", process_.boot); }
  std::uint64_t process_id() override { return process_.process; }
  std::uint64_t process_start() override { return start_; }

 private:
  std::uint64_t tick() {
    const MutexLock lock(mutex_);
    return elapsed_ns_ += kLookNs;
  }

  const SimulatedProcess process_;
  Mutex mutex_;
  SeededRandom random_ OTO_GUARDED_BY(mutex_);
  std::uint64_t elapsed_ns_ OTO_GUARDED_BY(mutex_) = 0;
  const std::uint64_t start_;
};

}  // namespace

std::shared_ptr<Environment> simulated_environment(std::uint64_t seed, SimulatedProcess process) {
  return std::make_shared<SimulatedEnvironment>(seed, process);
}

}  // namespace otolith::io
