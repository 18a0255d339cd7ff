#include "history/marks.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <queue>
#include <unordered_map>

#include "base/mutant.h"
#include "base/mutex.h"

namespace otolith::history {

namespace {

constexpr std::size_t kSavedAtOnce = 1024;  // marks: some microseconds
// What is laid out of many marks is kept for the next read of the same rows.
constexpr std::size_t kKnownFrom = 1024;         // marks of a begin
constexpr std::size_t kKnownMax = 16;            // answers
constexpr std::size_t kKnownRunsMax = 16 << 20;  // of 16 bytes, in all answers

// A run of marks in the lineage that is asked about.
struct Layer {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t commit = 0;
  bool revive = false;
};
struct OlderCommit {
  bool operator()(const Layer& a, const Layer& b) const noexcept { return a.commit < b.commit; }
};

// Joins visible pieces, which come in ascending order, into runs.
class Pieces {
 public:
  void reserve(std::size_t runs) { runs_.reserve(runs); }
  void add(std::uint64_t first, std::uint64_t end) {
    if (first == end) return;
    if (!runs_.empty() && runs_.back().first + runs_.back().count == first) {
      runs_.back().count += end - first;
    } else {
      runs_.push_back({first, end - first});
    }
  }
  VisibleRows take(std::uint64_t rows) {
    if (runs_.empty()) return {VisibleRows::Kind::none, {}};
    if (runs_.front().count == rows) return {VisibleRows::Kind::all, {}};
    return {VisibleRows::Kind::some, std::move(runs_)};
  }

 private:
  std::vector<OrdinalRun> runs_;
};

bool disjoint(const std::vector<Layer>& layers) {
  for (std::size_t i = 1; i < layers.size(); ++i) {
    if (layers[i].first < layers[i - 1].end) return false;
  }
  return true;
}

// Layers that lie behind each other, which those of one commit do.
VisibleRows lay_out(const std::vector<Layer>& layers, std::uint64_t rows, bool begun) {
  Pieces visible;
  visible.reserve(layers.size() + 1);
  std::uint64_t at = 0;
  for (const Layer& layer : layers) {
    const std::uint64_t first = std::min(layer.first, rows);
    const std::uint64_t end = std::min(layer.end, rows);
    if (begun) visible.add(at, first);
    if (layer.revive) visible.add(first, end);
    at = end;
  }
  if (begun) visible.add(at, rows);
  return visible.take(rows);
}

// Sweeps the ordinals upward; of the layers over a piece the latest commit decides, else the begin.
VisibleRows flatten(std::vector<Layer>& layers, std::uint64_t rows, bool begun) {
  if (!std::ranges::is_sorted(layers, {}, &Layer::first)) {
    std::ranges::sort(layers, {}, &Layer::first);
  }
  if (disjoint(layers)) return lay_out(layers, rows, begun);
  std::priority_queue<Layer, std::vector<Layer>, OlderCommit> open;
  Pieces visible;
  auto next = layers.begin();
  for (std::uint64_t at = 0; at < rows;) {
    for (; next != layers.end() && next->first <= at; ++next) open.push(*next);
    while (!open.empty() && open.top().end <= at) open.pop();
    std::uint64_t end = next != layers.end() ? std::min(next->first, rows) : rows;
    if (!open.empty()) end = std::min(end, open.top().end);
    if (open.empty() ? begun : open.top().revive) visible.add(at, end);
    at = end;
  }
  return visible.take(rows);
}

// Whether a run lies behind another of the same commit.
bool follows(const MarkRun& before, const MarkRun& run) {
  return before.begin < run.begin ||
         (before.begin == run.begin && before.first + before.count <= run.first);
}

void check_runs(CommitNumber commit, std::span<const MarkRun> runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const MarkRun& run = runs[i];
    const bool behind = i == 0 || follows(runs[i - 1], run);
    const bool fits = run.count > 0 && run.count <= ~run.first;
    if (behind && fits && run.begin < commit && run.begin > CommitNumber{0}) continue;
    throw_error(
        ErrorCode::invalid_argument,
        "marks of commit {}: rows {}+{} of commit {} are not behind the run before them, or not "
        "of an earlier commit; net the operations of a commit to one event per row",
        value_of(commit), run.first, run.count, value_of(run.begin));
  }
}

}  // namespace

// The marks of one begin.
struct Places {
  std::vector<std::uint32_t> in_log;  // ascending
  std::vector<CommitNumber> commits;  // that made them, ascending
};

// What many marks came to, for a set of commits that count.
struct Known {
  CommitNumber begin{0};
  std::uint64_t rows = 0;
  bool begun = false;
  std::vector<CommitNumber> counted;
  VisibleRows visible;

  bool is(CommitNumber of, std::uint64_t within, bool in,
          const std::vector<CommitNumber>& by) const {
    return begin == of && rows == within && begun == in && counted == by;
  }
};

struct Marks::Guarded {
  mutable SharedMutex mutex;
  std::vector<Mark> log OTO_GUARDED_BY(mutex);  // ascending by (commit, begin, first)
  std::unordered_map<std::uint64_t, Places> by_begin OTO_GUARDED_BY(mutex);
  mutable Mutex known_mutex;                                    // taken behind the other
  mutable std::deque<Known> known OTO_GUARDED_BY(known_mutex);  // the newest last

  void push(CommitNumber commit, const MarkRun& run) OTO_REQUIRES(mutex) {
    push(by_begin[value_of(run.begin)], commit, run);
  }
  void push(Places& places, CommitNumber commit, const MarkRun& run) OTO_REQUIRES(mutex) {
    places.in_log.push_back(static_cast<std::uint32_t>(log.size()));
    if (places.commits.empty() || places.commits.back() != commit) places.commits.push_back(commit);
    log.push_back({commit, run});
  }
  std::size_t count_until(CommitNumber commit) const {
    const ReadLock lock(mutex);
    if (mutant("checkpoint-holds-later-marks")) return log.size();
    const auto behind = std::ranges::upper_bound(log, commit, {}, &Mark::commit);
    return static_cast<std::size_t>(behind - log.begin());
  }
  const Places* find(CommitNumber begin) const OTO_REQUIRES_SHARED(mutex) {
    const auto at = by_begin.find(value_of(begin));
    return at == by_begin.end() ? nullptr : &at->second;
  }
  // The marks of a begin by these commits; both are ascending by commit.
  std::vector<Layer> layers(const Places& places, const std::vector<CommitNumber>& counted) const
      OTO_REQUIRES_SHARED(mutex) {
    std::vector<Layer> layers;
    layers.reserve(places.in_log.size());
    auto by = counted.begin();
    for (const std::uint32_t place : places.in_log) {
      const auto& [commit, run] = log[place];
      while (by != counted.end() && *by < commit) ++by;
      if (by == counted.end()) break;
      if (*by != commit) continue;
      layers.push_back({run.first, run.first + run.count, value_of(commit), run.revive});
    }
    return layers;
  }

  std::optional<VisibleRows> recall(CommitNumber begin, std::uint64_t rows, bool begun,
                                    const std::vector<CommitNumber>& counted) const {
    const MutexLock lock(known_mutex);
    for (const Known& each : known) {
      if (each.is(begin, rows, begun, counted)) return each.visible;
    }
    return std::nullopt;
  }
  void remember(Known fresh) const {
    const MutexLock lock(known_mutex);
    known.push_back(std::move(fresh));
    std::size_t runs = 0;
    for (const Known& each : known) runs += each.visible.runs.size();
    while (known.size() > 1 && (known.size() > kKnownMax || runs > kKnownRunsMax)) {
      runs -= known.front().visible.runs.size();
      known.pop_front();
    }
  }
  void forget() const {
    const MutexLock lock(known_mutex);
    known.clear();
  }
};

Marks::Marks() : guarded_(std::make_unique<Guarded>()) {}
Marks::~Marks() = default;

void Marks::append(CommitNumber commit, std::span<const MarkRun> runs) {
  check_runs(commit, runs);
  const WriteLock lock(guarded_->mutex);
  auto& log = guarded_->log;
  OTO_INVARIANT(log.empty() || log.back().commit < commit);
  if (log.capacity() - log.size() < runs.size()) {
    log.reserve(std::max(log.size() + runs.size(), 2 * log.size()));
  }
  Places* places = nullptr;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool same = i > 0 && runs[i].begin == runs[i - 1].begin;
    if (!same) places = &guarded_->by_begin[value_of(runs[i].begin)];
    guarded_->push(*places, commit, runs[i]);
  }
}

void Marks::truncate(CommitNumber commit) {
  const WriteLock lock(guarded_->mutex);
  guarded_->forget();  // the numbers of the commits will be given anew
  auto& log = guarded_->log;
  for (; !log.empty() && log.back().commit > commit; log.pop_back()) {
    const auto at = guarded_->by_begin.find(value_of(log.back().run.begin));
    Places& places = at->second;
    places.in_log.pop_back();
    while (!places.commits.empty() && places.commits.back() > commit) places.commits.pop_back();
    if (places.in_log.empty()) guarded_->by_begin.erase(at);
  }
}

std::shared_ptr<Marks> Marks::copy(CommitNumber until) const {
  ByteWriter out;
  save(out, until);
  ByteReader in(out.view());
  auto marks = std::make_shared<Marks>();
  marks->load(in);
  return marks;
}

VisibleRows Marks::visible(CommitNumber begin, std::uint64_t rows,
                           const InLineage& in_lineage) const {
  const bool begun = in_lineage(begin);
  VisibleRows unmarked{begun && rows > 0 ? VisibleRows::Kind::all : VisibleRows::Kind::none, {}};
  const ReadLock lock(guarded_->mutex);
  const Places* places = guarded_->find(begin);
  if (places == nullptr || mutant("marks-visible-by-begin-only")) return unmarked;
  std::vector<CommitNumber> counted;  // each commit is asked about once
  for (const CommitNumber commit : places->commits) {
    if (in_lineage(commit) || mutant("marks-latest-by-place")) counted.push_back(commit);
  }
  if (counted.empty()) return unmarked;
  const bool many = places->in_log.size() >= kKnownFrom;
  if (many) {
    if (auto known = guarded_->recall(begin, rows, begun, counted)) return *std::move(known);
  }
  std::vector<Layer> layers = guarded_->layers(*places, counted);
  VisibleRows visible = flatten(layers, rows, begun);
  if (many) guarded_->remember({begin, rows, begun, std::move(counted), visible});
  return visible;
}

bool Marks::touches(CommitNumber begin) const {
  const ReadLock lock(guarded_->mutex);
  return guarded_->find(begin) != nullptr;
}

bool Marks::touches_any(CommitRun begins) const {
  const ReadLock lock(guarded_->mutex);
  auto& by_begin = guarded_->by_begin;
  if (by_begin.size() < value_of(begins.last) - value_of(begins.first)) {
    return std::ranges::any_of(by_begin, [&](const auto& of) {
      return value_of(begins.first) <= of.first && of.first <= value_of(begins.last);
    });
  }
  for (CommitNumber n = begins.first; n <= begins.last; n = next(n)) {
    if (guarded_->find(n) != nullptr) return true;
  }
  return false;
}

std::vector<Mark> Marks::of_begin(CommitNumber begin) const {
  const ReadLock lock(guarded_->mutex);
  std::vector<Mark> marks;
  if (const auto* places = guarded_->find(begin)) {
    for (const std::uint32_t place : places->in_log) marks.push_back(guarded_->log[place]);
  }
  return marks;
}

std::vector<Mark> Marks::of_commits(const CommitRuns& commits) const {
  const ReadLock lock(guarded_->mutex);
  std::vector<Mark> marks;
  for (const CommitRun& run : commits) {
    auto at = std::ranges::lower_bound(guarded_->log, run.first, {}, &Mark::commit);
    for (; at != guarded_->log.end() && at->commit <= run.last; ++at) marks.push_back(*at);
  }
  return marks;
}

CommitNumber Marks::last() const {
  const ReadLock lock(guarded_->mutex);
  return guarded_->log.empty() ? CommitNumber{0} : guarded_->log.back().commit;
}

// In steps, so that nobody who appends waits for all of it: what is up to `until` stays as it is.
void Marks::save(ByteWriter& out, CommitNumber until) const {
  const std::size_t count = guarded_->count_until(until);
  out.put_varint(count);
  CommitNumber before{0};
  for (std::size_t i = 0; i < count;) {
    const ReadLock lock(guarded_->mutex);
    for (const std::size_t end = std::min(count, i + kSavedAtOnce); i < end; ++i) {
      const auto& [commit, run] = guarded_->log[i];
      out.put_varint(value_of(commit) - value_of(before));
      out.put_varint(value_of(commit) - value_of(run.begin));
      out.put_varint(run.first);
      out.put_varint(run.count << 1 | (run.revive ? 1 : 0));
      before = commit;
    }
  }
}

void Marks::load(ByteReader& in) {
  const WriteLock lock(guarded_->mutex);
  OTO_INVARIANT(guarded_->log.empty());
  const std::uint64_t runs = in.get_count(4);
  if (runs > std::numeric_limits<std::uint32_t>::max()) in.fail("too many marks");
  guarded_->log.reserve(runs);
  std::uint64_t commit = 0;
  for (std::uint64_t i = 0; i < runs; ++i) {
    const std::uint64_t step = in.get_varint();
    const std::uint64_t back = in.get_varint();
    const std::uint64_t first = in.get_varint();
    const std::uint64_t count_revive = in.get_varint();
    if (step > ~commit || back == 0 || back >= commit + step || count_revive < 2 ||
        first > ~(count_revive >> 1)) {
      in.fail("marks contradict each other");
    }
    commit += step;
    const MarkRun run{CommitNumber{commit - back}, first, count_revive >> 1,
                      (count_revive & 1) != 0};
    if (step == 0 && (guarded_->log.empty() || !follows(guarded_->log.back().run, run))) {
      in.fail("marks of one commit are not in order");
    }
    guarded_->push(CommitNumber{commit}, run);
  }
}

}  // namespace otolith::history
