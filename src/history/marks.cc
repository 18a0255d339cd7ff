#include "history/marks.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <ranges>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/mutant.h"
#include "base/mutex.h"

namespace otolith::history {

namespace {

constexpr std::size_t kSavedAtOnce = 1024;  // marks: some microseconds
// What is laid out of many marks is kept for the next read of the same rows.
constexpr std::size_t kKnownFrom = 1024;             // marks of a begin
constexpr std::size_t kKnownMax = 16;                // answers
constexpr std::uint64_t kKnownBytesMax = 256 << 20;  // in all answers
// A begin of so many marks has them by row once one row is asked about.
constexpr std::size_t kByRowFrom = 64;
// Of marks by row those that are longer are looked at each time: few are.
constexpr std::uint64_t kShortRows = 64;
// A set of so few ranges stands in the log range by range.
constexpr std::uint64_t kRangesInLog = 8;
// Rows are laid out bit by bit where that looks at no more than so many words for each range.
constexpr std::uint64_t kWordsARange = 16;

// Rows of marks in the lineage that is asked about.
struct Layer {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t commit = 0;
  bool revive = false;
};
struct OlderCommit {
  bool operator()(const Layer& a, const Layer& b) const noexcept { return a.commit < b.commit; }
};

// Sweeps the ordinals upward; of the layers over a piece the latest commit decides, else the begin.
RowSet sweep(std::vector<Layer>& layers, std::uint64_t rows, bool begun) {
  std::ranges::sort(layers, {}, &Layer::first);
  std::priority_queue<Layer, std::vector<Layer>, OlderCommit> open;
  RowSet visible;
  auto next = layers.begin();
  for (std::uint64_t at = 0; at < rows;) {
    for (; next != layers.end() && next->first <= at; ++next) open.push(*next);
    while (!open.empty() && open.top().end <= at) open.pop();
    std::uint64_t end = next != layers.end() ? std::min(next->first, rows) : rows;
    if (!open.empty()) end = std::min(end, open.top().end);
    if (open.empty() ? begun : open.top().revive) visible.append({at, end - at});
    at = end;
  }
  return visible;
}

void check(CommitNumber commit, const MarkList& marks) {
  for (const MarkSet& set : marks.sets()) {
    if (set.begin < commit && set.begin > CommitNumber{0}) continue;
    throw_error(ErrorCode::invalid_argument,
                "marks of commit {}: rows of commit {} are not of an earlier commit; net the "
                "operations of a commit to one event per row",
                value_of(commit), value_of(set.begin));
  }
}

// Marks of one commit on rows of one begin: a range of them, or the bounds of a set.
struct Logged {
  CommitNumber commit{0};
  CommitNumber begin{0};
  RowRange bounds;
  bool revive = false;
  std::shared_ptr<const RowSet> set{};  // null: the bounds are all of it

  std::uint64_t ranges() const noexcept { return set ? set->ranges() : 1; }
  bool covers(std::uint64_t row) const noexcept {
    return set ? set->contains(row) : row >= bounds.first && row < bounds.end();
  }
  template <typename Each>
  void for_each_range(Each each) const {
    if (!set) return each(bounds);
    for (const RowRange& range : *set) each(range);
  }
  Mark mark(RowRange range) const { return {commit, {begin, range.first, range.count, revive}}; }
};

}  // namespace

// Where the marks of one begin stand in the log, by the rows they are on.
struct ByRow {
  std::multimap<std::uint64_t, std::uint32_t> short_ones;  // by their first row
  std::vector<std::uint32_t> long_ones;

  void add(const Logged& logged, std::uint32_t place) {
    if (logged.set || logged.bounds.count > kShortRows)
      long_ones.push_back(place);
    else
      short_ones.emplace(logged.bounds.first, place);
  }
};

// The marks of one begin.
struct Places {
  std::vector<std::uint32_t> in_log;  // ascending
  std::unique_ptr<ByRow> by_row;      // once one row was asked about
  std::vector<CommitNumber> commits;  // that made them, ascending
  std::uint64_t ranges = 0;
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
  std::vector<Logged> log OTO_GUARDED_BY(mutex);  // ascending by (commit, begin, first)
  std::unordered_map<std::uint64_t, Places> by_begin OTO_GUARDED_BY(mutex);
  std::vector<std::uint32_t> revives OTO_GUARDED_BY(mutex);     // places in the log
  mutable Mutex known_mutex;                                    // taken behind the other
  mutable std::deque<Known> known OTO_GUARDED_BY(known_mutex);  // the newest last

  void push(Logged logged) OTO_REQUIRES(mutex) {
    Places& places = by_begin[value_of(logged.begin)];
    places.in_log.push_back(static_cast<std::uint32_t>(log.size()));
    places.ranges += logged.ranges();
    if (places.by_row) places.by_row->add(logged, places.in_log.back());
    if (places.commits.empty() || places.commits.back() != logged.commit)
      places.commits.push_back(logged.commit);
    if (logged.revive) revives.push_back(places.in_log.back());
    log.push_back(std::move(logged));
  }
  void push(CommitNumber commit, const MarkSet& of) OTO_REQUIRES(mutex) {
    if (of.rows.ranges() > kRangesInLog) {
      const std::uint64_t first = of.rows.first_row();
      push({commit,
            of.begin,
            {first, of.rows.end_row() - first},
            of.revive,
            std::make_shared<const RowSet>(of.rows)});
      return;
    }
    for (const RowRange& range : of.rows) push({commit, of.begin, range, of.revive});
  }
  std::size_t count_until(CommitNumber commit) const {
    const ReadLock lock(mutex);
    if (mutant("checkpoint-holds-later-marks")) return log.size();
    const auto behind = std::ranges::upper_bound(log, commit, {}, &Logged::commit);
    return static_cast<std::size_t>(behind - log.begin());
  }
  // The place of the first mark of a later commit.
  std::uint32_t behind(CommitNumber commit) const OTO_REQUIRES_SHARED(mutex) {
    const auto at = std::ranges::upper_bound(log, commit, {}, &Logged::commit);
    return static_cast<std::uint32_t>(at - log.begin());
  }
  std::span<const std::uint32_t> revives_within(std::uint32_t first, std::uint32_t end) const
      OTO_REQUIRES_SHARED(mutex) {
    const auto& all = revives;
    return {std::ranges::lower_bound(all, first), std::ranges::lower_bound(all, end)};
  }
  // Copies, in steps, for whoever goes through many: what stands stays as it is.
  std::vector<Logged> some(std::size_t from, std::size_t until) const {
    const ReadLock lock(mutex);
    const std::size_t end = std::min(until, from + kSavedAtOnce);
    return {log.begin() + static_cast<std::ptrdiff_t>(from),
            log.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  const Places* find(CommitNumber begin) const OTO_REQUIRES_SHARED(mutex) {
    const auto at = by_begin.find(value_of(begin));
    return at == by_begin.end() ? nullptr : &at->second;
  }
  void lay_by_row(Places& places) const OTO_REQUIRES(mutex) {
    auto by_row = std::make_unique<ByRow>();
    for (const std::uint32_t place : places.in_log) by_row->add(log[place], place);
    places.by_row = std::move(by_row);
  }
  // Of one row, in no order.
  std::vector<const Logged*> of_row(const Places& places, std::uint64_t ordinal) const
      OTO_REQUIRES_SHARED(mutex) {
    std::vector<const Logged*> out;
    const auto take = [&](std::uint32_t place) OTO_REQUIRES_SHARED(mutex) {
      if (log[place].covers(ordinal)) out.push_back(&log[place]);
    };
    if (!places.by_row) {
      for (const std::uint32_t place : places.in_log) take(place);
      return out;
    }
    const std::uint64_t from = ordinal - std::min(ordinal, kShortRows);
    const auto& marks = places.by_row->short_ones;
    for (auto at = marks.lower_bound(from); at != marks.end() && at->first <= ordinal; ++at)
      take(at->second);
    for (const std::uint32_t place : places.by_row->long_ones) take(place);
    return out;
  }
  // The marks of a begin by these commits; both are ascending by commit.
  std::vector<const Logged*> counted_of(const Places& places,
                                        const std::vector<CommitNumber>& counted) const
      OTO_REQUIRES_SHARED(mutex) {
    std::vector<const Logged*> out;
    out.reserve(places.in_log.size());
    auto by = counted.begin();
    for (const std::uint32_t place : places.in_log) {
      const Logged& logged = log[place];
      while (by != counted.end() && *by < logged.commit) ++by;
      if (by == counted.end()) break;
      if (*by == logged.commit) out.push_back(&logged);
    }
    return out;
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
    std::uint64_t bytes = 0;
    for (const Known& each : known) bytes += each.visible.memory();
    while (known.size() > 1 && (known.size() > kKnownMax || bytes > kKnownBytesMax)) {
      bytes -= known.front().visible.memory();
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

namespace {

// What these marks, ascending by commit, make of rows that were begun in the lineage or not.
VisibleRows laid_out(const std::vector<const Logged*>& marks, std::uint64_t rows, bool begun) {
  std::uint64_t end = 0;
  std::uint64_t ranges = 0;
  for (const Logged* logged : marks) {
    end = std::max(end, logged->bounds.end());
    ranges += logged->ranges();
  }
  end = std::min(end, rows);
  if (end / 64 <= kWordsARange * ranges) {
    RowBits bits(end, begun);
    for (const Logged* logged : marks)
      bits.put(logged->set ? *logged->set : RowSet{logged->bounds}, logged->revive);
    return {std::move(bits).take(), end, begun, rows};
  }
  std::vector<Layer> layers;
  layers.reserve(ranges);
  for (const Logged* logged : marks) {
    logged->for_each_range([&](RowRange range) {
      layers.push_back({range.first, range.end(), value_of(logged->commit), logged->revive});
    });
  }
  return {sweep(layers, end, begun), end, begun, rows};
}

}  // namespace

namespace {

std::vector<Mark> by_commit(std::vector<Mark> marks) {
  std::ranges::sort(marks, {}, &Mark::commit);
  return marks;
}

}  // namespace

void Marks::append(CommitNumber commit, const MarkList& marks) {
  check(commit, marks);
  const WriteLock lock(guarded_->mutex);
  OTO_INVARIANT(guarded_->log.empty() || guarded_->log.back().commit < commit);
  for (const MarkSet& set : marks.sets()) guarded_->push(commit, set);
}

void Marks::truncate(CommitNumber commit) {
  const WriteLock lock(guarded_->mutex);
  guarded_->forget();  // the numbers of the commits will be given anew
  auto& log = guarded_->log;
  for (; !log.empty() && log.back().commit > commit; log.pop_back()) {
    const auto at = guarded_->by_begin.find(value_of(log.back().begin));
    Places& places = at->second;
    places.in_log.pop_back();
    places.by_row.reset();
    places.ranges -= log.back().ranges();
    while (!places.commits.empty() && places.commits.back() > commit) places.commits.pop_back();
    if (log.back().revive) guarded_->revives.pop_back();
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
  VisibleRows unmarked = VisibleRows::all_or_none(begun && rows > 0);
  const ReadLock lock(guarded_->mutex);
  const Places* places = guarded_->find(begin);
  if (places == nullptr || mutant("marks-visible-by-begin-only")) return unmarked;
  std::vector<CommitNumber> counted;  // each commit is asked about once
  for (const CommitNumber commit : places->commits) {
    if (in_lineage(commit) || mutant("marks-latest-by-place")) counted.push_back(commit);
  }
  if (counted.empty()) return unmarked;
  const bool many = places->ranges >= kKnownFrom;
  if (many) {
    if (auto known = guarded_->recall(begin, rows, begun, counted)) return *std::move(known);
  }
  VisibleRows visible = laid_out(guarded_->counted_of(*places, counted), rows, begun);
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
    for (const std::uint32_t place : places->in_log) {
      const Logged& logged = guarded_->log[place];
      logged.for_each_range([&](RowRange range) { marks.push_back(logged.mark(range)); });
    }
  }
  return marks;
}

// Documents that were loaded at once and are patched one by one have all their marks on one begin:
// who asks about one of them must not look at those on all others.
std::vector<Mark> Marks::of_row(CommitNumber begin, std::uint64_t ordinal) const {
  std::vector<Mark> marks;
  const auto look = [&]() OTO_REQUIRES_SHARED(guarded_->mutex) {
    const Places* places = guarded_->find(begin);
    if (places == nullptr) return true;
    if (places->in_log.size() >= kByRowFrom && !places->by_row) return false;
    for (const Logged* logged : guarded_->of_row(*places, ordinal))
      marks.push_back(logged->mark({ordinal, 1}));
    return true;
  };
  {
    const ReadLock lock(guarded_->mutex);
    if (look()) return by_commit(std::move(marks));
  }
  const WriteLock lock(guarded_->mutex);
  const auto at = guarded_->by_begin.find(value_of(begin));
  if (at != guarded_->by_begin.end() && !at->second.by_row) guarded_->lay_by_row(at->second);
  (void)look();
  return by_commit(std::move(marks));
}

std::vector<Mark> Marks::of_commits(const CommitRuns& commits) const {
  const ReadLock lock(guarded_->mutex);
  std::vector<Mark> marks;
  for (const CommitRun& run : commits) {
    auto at = std::ranges::lower_bound(guarded_->log, run.first, {}, &Logged::commit);
    for (; at != guarded_->log.end() && at->commit <= run.last; ++at)
      at->for_each_range([&](RowRange range) { marks.push_back(at->mark(range)); });
  }
  return marks;
}

std::optional<std::vector<MarkRun>> Marks::bounds_by(const CommitRuns& commits, bool revive,
                                                     std::size_t most) const {
  const ReadLock lock(guarded_->mutex);
  std::vector<MarkRun> out;
  std::size_t seen = 0;
  const auto take = [&](auto places) OTO_REQUIRES_SHARED(guarded_->mutex) {
    seen += std::ranges::size(places);
    if (seen > most) return false;
    for (const std::uint32_t place : places) {
      const Logged& logged = guarded_->log[place];
      if (logged.revive == revive) out.push_back(logged.mark(logged.bounds).run);
    }
    return true;
  };
  for (const CommitRun& run : commits) {
    const std::uint32_t first = guarded_->behind(CommitNumber{value_of(run.first) - 1});
    const std::uint32_t end = guarded_->behind(run.last);
    const bool looked =
        revive ? take(guarded_->revives_within(first, end)) : take(std::views::iota(first, end));
    if (!looked) return std::nullopt;
  }
  return out;
}

bool Marks::any_by(const CommitRuns& commits) const {
  const ReadLock lock(guarded_->mutex);
  return std::ranges::any_of(
      commits, [&](const CommitRun& run) OTO_REQUIRES_SHARED(guarded_->mutex) {
        const auto at = std::ranges::lower_bound(guarded_->log, run.first, {}, &Logged::commit);
        return at != guarded_->log.end() && at->commit <= run.last;
      });
}

// By begin, or by commit, whichever is less to look at; few commits revive anything.
bool Marks::any_by(const CommitRuns& commits, CommitRun begins, bool revive) const {
  if (commits.empty()) return false;
  const ReadLock lock(guarded_->mutex);
  const auto is = [&](std::uint32_t place) OTO_REQUIRES_SHARED(guarded_->mutex) {
    const Logged& logged = guarded_->log[place];
    return logged.revive == revive && begins.first <= logged.begin && logged.begin <= begins.last &&
           contains(commits, logged.commit);
  };
  if (revive) return std::ranges::any_of(guarded_->revives, is);
  const auto from =
      std::ranges::lower_bound(guarded_->log, commits.front().first, {}, &Logged::commit);
  const auto behind =
      std::ranges::upper_bound(guarded_->log, commits.back().last, {}, &Logged::commit);
  const auto first = static_cast<std::uint32_t>(from - guarded_->log.begin());
  const auto end = static_cast<std::uint32_t>(behind - guarded_->log.begin());
  if (value_of(begins.last) - value_of(begins.first) < end - first) {
    for (CommitNumber n = begins.first; n <= begins.last; n = next(n)) {
      const Places* places = guarded_->find(n);
      if (places != nullptr && std::ranges::any_of(places->in_log | std::views::reverse, is))
        return true;
    }
    return false;
  }
  return std::ranges::any_of(std::views::iota(first, end), is);
}

CommitNumber Marks::last() const {
  const ReadLock lock(guarded_->mutex);
  return guarded_->log.empty() ? CommitNumber{0} : guarded_->log.back().commit;
}

// In steps, so that nobody who appends waits for all of it: what is up to `until` stays as it is.
void Marks::save(ByteWriter& out, CommitNumber until) const {
  const std::size_t count = guarded_->count_until(until);
  std::uint64_t ranges = 0;
  for (std::size_t i = 0; i < count; i += kSavedAtOnce) {
    for (const Logged& logged : guarded_->some(i, count)) ranges += logged.ranges();
  }
  out.put_varint(ranges);
  CommitNumber before{0};
  for (std::size_t i = 0; i < count; i += kSavedAtOnce) {
    for (const Logged& logged : guarded_->some(i, count)) {
      logged.for_each_range([&](RowRange range) {
        out.put_varint(value_of(logged.commit) - value_of(before));
        out.put_varint(value_of(logged.commit) - value_of(logged.begin));
        out.put_varint(range.first);
        out.put_varint(range.count << 1 | (logged.revive ? 1 : 0));
        before = logged.commit;
      });
    }
  }
}

void Marks::load(ByteReader& in) {
  const WriteLock lock(guarded_->mutex);
  OTO_INVARIANT(guarded_->log.empty());
  const std::uint64_t ranges = in.get_count(4);
  if (ranges > std::numeric_limits<std::uint32_t>::max()) in.fail("too many marks");
  std::uint64_t commit = 0;
  MarkSet set;  // of this commit
  MarkRun before;
  const auto put = [&]() OTO_REQUIRES(guarded_->mutex) {
    if (!set.rows.empty()) guarded_->push(CommitNumber{commit}, std::exchange(set, {}));
  };
  for (std::uint64_t i = 0; i < ranges; ++i) {
    const std::uint64_t step = in.get_varint();
    const std::uint64_t back = in.get_varint();
    const std::uint64_t first = in.get_varint();
    const std::uint64_t count_revive = in.get_varint();
    if (step > ~commit || back == 0 || back >= commit + step || count_revive < 2 ||
        first > ~(count_revive >> 1)) {
      in.fail("marks contradict each other");
    }
    const MarkRun run{CommitNumber{commit + step - back}, first, count_revive >> 1,
                      (count_revive & 1) != 0};
    if (step == 0 && (i == 0 || !run.follows(before))) {
      in.fail("marks of one commit are not in order");
    }
    if (step != 0 || run.begin != set.begin || run.revive != set.revive) put();
    commit += step;
    set.begin = run.begin;
    set.revive = run.revive;
    set.rows.append({run.first, run.count});
    before = run;
  }
  put();
}

}  // namespace otolith::history
