#include "io/crash_states.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/spread.h"

namespace otolith::io {

namespace {

// States of the fixed kinds of a point, by number; a point with nothing pending has only the first.
constexpr std::size_t kFixedKinds = 4;

std::size_t listed_states(const CrashPoint& point) {
  return point.pending == 0 ? 1 : kFixedKinds + point.pending;
}

PowerLoss listed_loss(std::size_t number, std::uint64_t seed) {
  if (number >= kFixedKinds) return {PowerLoss::Kind::all_but_one, number - kFixedKinds, seed};
  return {static_cast<PowerLoss::Kind>(number), 0, seed};
}

static_assert(static_cast<std::size_t>(PowerLoss::Kind::all_but_one) == kFixedKinds);

void append_pages(StalePages& stale, const DiskState& state, NodeId id) {
  if (id == kNoNode || !state.node(id).file) return;
  const FileNode& file = *state.node(id).file;
  for (const auto& page : file.cached->pages()) stale.push_back(page);
  if (file.durable.shares_with(file.cached)) return;
  for (const auto& page : file.durable->pages()) stale.push_back(page);
}

// Runs the checks of one walk under its budget.
class Walk {
 public:
  Walk(const CrashRecording& recording, const CrashBudget& budget,
       const std::function<void(CrashState&)>& check)
      : recording_(recording),
        budget_(budget),
        check_(check),
        start_(std::chrono::steady_clock::now()) {}

  bool within_budget() const {
    return count_.states < budget_.states_max &&
           (budget_.time_max == std::chrono::nanoseconds::max() ||
            std::chrono::steady_clock::now() - start_ < budget_.time_max);
  }

  void visit(std::size_t point, const PowerLoss& loss) {
    CrashState state = crash_state(recording_, point, loss);
    try {
      check_(state);
    } catch (...) {
      log_line(LogLevel::error, fmt::format("crash state failed: {}", state.describe()));
      throw;
    }
    count_.states++;
  }

  void visit_listed() {
    std::vector<std::uint64_t> first_of_point;  // number of the first listed state of each point
    for (const CrashPoint& point : recording_.points) {
      first_of_point.push_back(count_.listed_total);
      count_.listed_total += listed_states(point);
    }
    Spread spread(count_.listed_total);
    const std::uint64_t wanted = std::min(count_.listed_total, (budget_.states_max + 1) / 2);
    while (count_.listed_states < wanted && within_budget()) {
      const std::uint64_t number = spread.next();
      const auto after = std::ranges::upper_bound(first_of_point, number);
      const auto point = static_cast<std::size_t>(after - first_of_point.begin()) - 1;
      visit(point, listed_loss(static_cast<std::size_t>(number - first_of_point[point]),
                               budget_.seed + number));
      count_.listed_states++;
    }
  }

  void visit_random() {
    std::vector<std::size_t> open;  // points at which something is pending
    for (std::size_t i = 0; i < recording_.points.size(); ++i) {
      if (recording_.points[i].pending != 0) open.push_back(i);
    }
    if (open.empty()) return;
    SeededRandom random(budget_.seed);
    Spread spread(open.size());
    while (within_budget()) {
      visit(open[spread.next()], {PowerLoss::Kind::random, 0, random.next()});
    }
  }

  CrashCount count() const {
    CrashCount count = count_;
    count.points = recording_.points.size();
    return count;
  }

 private:
  const CrashRecording& recording_;
  const CrashBudget& budget_;
  const std::function<void(CrashState&)>& check_;
  const std::chrono::steady_clock::time_point start_;
  CrashCount count_;
};

}  // namespace

struct CrashRecorder::Running {
  Mutex mutex;
  CrashRecording recording OTO_GUARDED_BY(mutex);

  explicit Running(const SimDiskOptions& options) { recording.options = options; }

  void add_point(const CallNote& note, const DiskState& state) {
    const MutexLock lock(mutex);
    CrashPoint point;
    if (!recording.points.empty()) {
      const CrashPoint& last = recording.points.back();
      if (last.state.version() == state.version()) return;  // a call that changed nothing
      point.acknowledged = last.acknowledged;
      collect_freed(note, last.state);
    }
    point.state = state;
    point.after = note;
    point.pending = pending_count(state);
    point.stale_pages = recording.stale.size();
    recording.points.push_back(std::move(point));
  }

  // Blocks that this call gave back: of the file it removed, replaced or cut.
  void collect_freed(const CallNote& note, const DiskState& before) OTO_REQUIRES(mutex) {
    const bool frees = note.operation == Operation::remove ||
                       note.operation == Operation::truncate || note.operation == Operation::rename;
    if (!frees) return;
    const std::string& freed = note.operation == Operation::rename ? note.target : note.path;
    append_pages(recording.stale, before, before.lookup(freed));
  }
};

CrashRecorder::CrashRecorder(SimDisk disk)
    : disk_(std::move(disk)), running_(std::make_shared<Running>(disk_.options())) {
  running_->add_point({}, disk_.state());
  disk_.observe([running = running_](const CallNote& note, const DiskState& state) {
    running->add_point(note, state);
  });
}

CrashRecorder::~CrashRecorder() { disk_.observe(nullptr); }

void CrashRecorder::mark_acknowledged(std::uint64_t count) {
  const MutexLock lock(running_->mutex);
  running_->recording.points.back().acknowledged = count;
}

void CrashRecorder::recycle(const DiskState& earlier) {
  const MutexLock lock(running_->mutex);
  for (NodeId id = kRootNode; id < earlier.nodes().size(); ++id) {
    append_pages(running_->recording.stale, earlier, id);
  }
  for (CrashPoint& point : running_->recording.points) {
    point.stale_pages = running_->recording.stale.size();
  }
}

CrashRecording CrashRecorder::finish() {
  disk_.observe(nullptr);
  const MutexLock lock(running_->mutex);
  return std::move(running_->recording);
}

std::string CrashState::describe() const {
  const CrashPoint& at = recording.points[point];
  const std::string moment =
      point == 0
          ? std::string("before the first call")
          : fmt::format("after call {} ({} {} [{}, +{}))", point, verb_of(at.after.operation),
                        quoted(at.after.path), at.after.offset, at.after.bytes);
  return fmt::format("{}, survived: {}; {} acknowledged; point {}, kind {}, left out {}, seed {}",
                     moment, io::describe(loss, at.state), acknowledged, point,
                     static_cast<int>(loss.kind), loss.left_out, loss.seed);
}

CrashState crash_state(const CrashRecording& recording, std::size_t point, const PowerLoss& loss) {
  const CrashPoint& at = recording.points[point];
  return {
      SimDisk(after_power_loss(at.state, loss, recording.stale, at.stale_pages), recording.options),
      at.acknowledged, recording, point, loss};
}

CrashCount for_each_crash_state(const CrashRecording& recording, const CrashBudget& budget,
                                const std::function<void(CrashState&)>& check) {
  Walk walk(recording, budget, check);
  walk.visit_listed();
  walk.visit_random();
  return walk.count();
}

}  // namespace otolith::io
