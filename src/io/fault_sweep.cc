#include "io/fault_sweep.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "io/os_error.h"
#include "io/spread.h"

namespace otolith::io {

namespace {

// Every way a call can fail. The part that a short write leaves is the seed's choice.
struct Failure {
  int error;
  bool short_write;
};
constexpr std::array<Failure, 7> kFailures{{{EIO, false},
                                            {EIO, true},
                                            {ENOSPC, false},
                                            {ENOSPC, true},
                                            {EDQUOT, false},
                                            {EROFS, false},
                                            {EMFILE, false}}};

// Points that differ only in which call fails.
struct Series {
  Failure failure;
  bool sticky = false;
  std::uint64_t calls = 0;

  Fault fault(std::uint64_t call) const {
    Fault fault;
    if (failure.short_write) fault.operation = Operation::write;
    fault.at = call + 1;
    fault.error = failure.error;
    fault.short_write = failure.short_write;
    fault.sticky = sticky;
    return fault;
  }
};

std::uint64_t calls_that_fail(const FaultSet::Calls& calls, Failure failure) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto operation = static_cast<Operation>(i);
    if (failure.short_write && operation != Operation::write) continue;
    if (can_fail_with(operation, failure.error)) count += calls[i];
  }
  return count;
}

}  // namespace

class Sweep {
 public:
  Sweep(const SimDisk& prepared, const SweepBudget& budget,
        const std::function<void(SweepRun&)>& scenario)
      : prepared_(prepared), budget_(budget), scenario_(scenario) {}

  SweepCount run() {
    list_points(count_calls());
    if (count_.points_total == 0) return count_;
    Spread spread(count_.points_total);
    const auto start = std::chrono::steady_clock::now();
    while (count_.points < std::min(count_.points_total, budget_.points_max)) {
      if (std::chrono::steady_clock::now() - start >= budget_.time_max) break;
      visit(spread.next());
    }
    return count_;
  }

 private:
  FaultSet::Calls count_calls() {
    SweepRun run(prepared_.copy(), std::nullopt);
    scenario_(run);
    if (!run.calls_)
      throw_error(ErrorCode::invalid_argument, "the scenario never called faults_end()");
    return *run.calls_;
  }

  void list_points(const FaultSet::Calls& calls) {
    for (const Failure& failure : kFailures) {
      for (const bool sticky : {false, true}) {
        series_.push_back({failure, sticky, calls_that_fail(calls, failure)});
        count_.points_total += series_.back().calls;
      }
    }
  }

  void visit(std::uint64_t number) {
    const Series* series = series_.data();
    while (number >= series->calls) number -= (series++)->calls;
    SweepRun run(prepared_.copy(), series->fault(number));
    run.disk.inject(*run.fault);
    try {
      scenario_(run);
    } catch (...) {
      log_line(LogLevel::error, fmt::format("fault sweep failed: {}", run.describe()));
      throw;
    }
    count_.points++;
    if (run.disk.faults_fired() != 0) count_.fired++;
  }

  const SimDisk& prepared_;
  const SweepBudget& budget_;
  const std::function<void(SweepRun&)>& scenario_;
  std::vector<Series> series_;
  SweepCount count_;
};

void SweepRun::faults_end() {
  calls_ = disk.calls();
  disk.clear_faults();
}

std::string SweepRun::describe() const {
  if (!fault) return "no fault";
  return fmt::format("call {} that can fail so fails: {}{}{}", fault->at, errno_text(fault->error),
                     fault->short_write ? " after a short write" : "",
                     fault->sticky ? ", and every later one" : "");
}

SweepCount sweep_faults(const SimDisk& prepared, const SweepBudget& budget,
                        const std::function<void(SweepRun&)>& scenario) {
  return Sweep(prepared, budget, scenario).run();
}

}  // namespace otolith::io
