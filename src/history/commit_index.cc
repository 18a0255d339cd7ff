#include "history/commit_index.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr const char* kFolder = "index";
constexpr std::uint64_t kChunkCommits = 1024;  // in memory

std::uint64_t heap_end(const std::vector<MetaEntry>& entries) {
  return entries.back().heap_offset + entries.back().heap_bytes;
}

// Joins a run's content with the one that follows it.
void join(RunContent& front, const RunContent& back) {
  const std::uint64_t shift = front.heap.size();
  for (MetaEntry entry : back.entries) {
    entry.heap_offset += shift;
    front.entries.push_back(entry);
  }
  front.heap.insert(front.heap.end(), back.heap.begin(), back.heap.end());
}

// Opens a run; nullptr if it is gone, damaged or another database's.
std::unique_ptr<IndexRun> open_run(io::Vfs& vfs, const Id128& database, const std::string& name) {
  try {
    return std::make_unique<IndexRun>(vfs, database, name);
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
    return nullptr;
  }
}

// All of a run; nullopt if it is damaged: then it stays, until a look-up meets the damage.
std::optional<RunContent> content_of(const IndexRun& run) {
  try {
    return run.content();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt || mutant("damaged-run-stops-checkpoints")) throw;
    log_line(LogLevel::warning, error.what());
    return std::nullopt;
  }
}

std::vector<std::string> run_names(io::Vfs& vfs) {
  std::vector<std::string> names = derived_names(vfs, kFolder);
  std::erase_if(names, [](const std::string& name) { return !IndexRun::range_of(name); });
  return names;
}

}  // namespace

std::unique_ptr<IndexRun> RunPlan::write(io::Vfs& vfs, const Id128& database) const {
  RunContent whole = content;
  for (auto name = joins.rbegin(); name != joins.rend(); ++name) {
    const auto run = open_run(vfs, database, *name);
    if (!run || next(run->last()) != whole.first) break;
    auto front = content_of(*run);
    if (!front) break;
    join(*front, whole);
    whole = *std::move(front);
  }
  const std::string written = IndexRun::write(vfs, database, whole);
  vfs.sync_dir(kFolder);
  for (const std::string& name : run_names(vfs)) {
    const auto range = IndexRun::range_of(name);
    if (name != written && range->first >= whole.first && range->second <= whole.last()) {
      vfs.remove(std::string(kFolder) + "/" + name);
    }
  }
  return std::make_unique<IndexRun>(vfs, database, written);
}

CommitIndex::CommitIndex(std::shared_ptr<io::Vfs> vfs, const Id128& database)
    : vfs_(std::move(vfs)), database_(database) {}

std::vector<std::unique_ptr<IndexRun>> CommitIndex::chain() const {
  std::vector<std::unique_ptr<IndexRun>> out;
  const std::vector<std::string> names = run_names(*vfs_);
  CommitNumber wanted{1};
  Hash256 before;
  for (bool found = true; found;) {
    found = false;
    for (auto name = names.rbegin(); name != names.rend() && !found; ++name) {  // longest first
      if (IndexRun::range_of(*name)->first != wanted) continue;
      auto run = open_run(*vfs_, database_, *name);
      if (!run || run->hash_before() != before) continue;
      try {
        before = run->entry(run->last()).hash;
      } catch (const Error& error) {
        log_line(LogLevel::warning, error.what());
        continue;
      }
      wanted = next(run->last());
      out.push_back(std::move(run));
      found = true;
    }
  }
  return out;
}

bool CommitIndex::use_runs(CommitNumber n) {
  OTO_INVARIANT(runs_.empty() && recent_.empty());
  auto all = chain();
  if (value_of(n) != 0 && (all.empty() || all.back()->last() < n)) return false;
  for (auto& run : all) {
    if (run->first() > n) break;
    if (run->last() <= n) {
      last_ = run->last();
      recent_first_ = next(last_);
      runs_.push_back(std::move(run));
      continue;
    }
    while (last_ < n) {  // it reaches beyond n: the rest is read from the log again
      const MetaEntry entry = run->entry(next(last_));
      const Bytes text = run->text(entry);
      append(entry, meta_text_read(text));
    }
  }
  return true;
}

void CommitIndex::adopt_runs(bool remove) {
  std::vector<std::string> adopted;
  bool sound = true;
  for (auto& run : chain()) {
    const CommitNumber end = std::min(run->last(), last());
    const bool same = run->first() <= end &&
                      (run->entry(end).hash == entry(end).hash || mutant("index-run-not-compared"));
    if (!sound || !same) {
      sound = false;
      continue;
    }
    adopted.push_back(run->name());
    if (run->last() > end) break;
    drop_recent(run->last());
    runs_.push_back(std::move(run));
  }
  if (!remove) return;
  for (const std::string& name : run_names(*vfs_)) {
    const bool reached = IndexRun::range_of(name)->first <= last();
    if (reached && std::ranges::find(adopted, name) == adopted.end()) {
      vfs_->remove(std::string(kFolder) + "/" + name);
    }
  }
}

CommitIndex::Chunk& CommitIndex::open_chunk() {
  const CommitNumber number = next(last_);
  if (recent_.empty() || value_of(number) % kChunkCommits == 0) {
    const std::size_t heap = recent_.empty() ? 0 : recent_.back().heap.size();
    Chunk& chunk = recent_.emplace_back();
    chunk.first = number;
    chunk.heap.reserve(heap + heap / 8);  // texts are mostly as long as those before
    chunk.entries.reserve(kChunkCommits);
  }
  return recent_.back();
}

void CommitIndex::append(MetaEntry entry, const MetaText& text) {
  scratch_.clear();
  meta_text_write(scratch_, text);
  const BytesView bytes = scratch_.view();
  Chunk& chunk = open_chunk();
  entry.heap_offset = chunk.heap.size();
  entry.heap_bytes = static_cast<std::uint32_t>(bytes.size());
  chunk.heap.insert(chunk.heap.end(), bytes.begin(), bytes.end());
  chunk.entries.push_back(entry);
  last_ = next(last_);
}

void CommitIndex::truncate(CommitNumber n) {
  if (n >= last_) return;
  OTO_INVARIANT(n >= flushed());
  while (!recent_.empty() && recent_.back().first > n) recent_.pop_back();
  if (!recent_.empty()) {
    Chunk& chunk = recent_.back();
    chunk.entries.resize(value_of(n) - value_of(chunk.first) + 1);
    chunk.heap.resize(heap_end(chunk.entries));
  }
  last_ = n;
  if (mutant("index-change-outlives-commit")) return;
  changes_.clear();
  changes_indexed_ = 0;
}

const CommitIndex::Chunk& CommitIndex::chunk_of(CommitNumber number) const {
  const std::uint64_t front = value_of(recent_.front().first) / kChunkCommits;
  return recent_[value_of(number) / kChunkCommits - front];
}

const MetaEntry& CommitIndex::recent(CommitNumber number) const {
  const Chunk& chunk = chunk_of(number);
  return chunk.entries[value_of(number) - value_of(chunk.first)];
}

const IndexRun& CommitIndex::run_of(CommitNumber number) const {
  const auto behind = std::ranges::upper_bound(runs_, number, {}, &IndexRun::first);
  return **std::prev(behind);
}

MetaEntry CommitIndex::entry(CommitNumber number) const {
  OTO_INVARIANT(value_of(number) != 0 && number <= last());
  return number >= recent_first_ ? recent(number) : run_of(number).entry(number);
}

CommitMeta CommitIndex::meta(CommitNumber number) const {
  CommitMeta meta{entry(number), {}, {}};
  if (number >= recent_first_) {
    const Bytes& heap = chunk_of(number).heap;
    const auto begin = heap.begin() + static_cast<std::ptrdiff_t>(meta.entry.heap_offset);
    meta.bytes.assign(begin, begin + meta.entry.heap_bytes);
  } else {
    meta.bytes = run_of(number).text(meta.entry);
  }
  meta.text = meta_text_read(meta.bytes);
  return meta;
}

Hash256 CommitIndex::hash(CommitNumber number) const {
  return value_of(number) == 0 ? Hash256{} : entry(number).hash;
}

std::vector<CommitNumber> CommitIndex::find_hash(std::string_view prefix, std::size_t most) const {
  std::vector<CommitNumber> found;
  for (const auto& run : runs_) run->find_hash(prefix, most, found);
  for (CommitNumber n = recent_first_; n <= last_ && found.size() < most; n = next(n)) {
    if (hex(recent(n).hash.view()).starts_with(prefix)) found.push_back(n);
  }
  std::ranges::sort(found);
  return found;
}

void CommitIndex::index_changes() {
  const std::size_t commits = value_of(last_) - value_of(flushed());
  const std::size_t wanted = std::bit_ceil(2 * commits + 2);
  if (changes_.size() < wanted) {
    changes_.assign(2 * wanted, 0);
    changes_indexed_ = 0;
  }
  const std::size_t mask = changes_.size() - 1;
  for (; changes_indexed_ < commits; ++changes_indexed_) {
    const CommitNumber number{value_of(recent_first_) + changes_indexed_};
    std::size_t at = xxh3(recent(number).change_id.bytes) & mask;
    while (changes_[at] != 0) at = (at + 1) & mask;
    changes_[at] = static_cast<std::uint32_t>(changes_indexed_) + 1;
  }
}

std::optional<CommitNumber> CommitIndex::find_change(const Id128& change) {
  index_changes();
  const std::size_t mask = changes_.size() - 1;
  for (std::size_t at = xxh3(change.bytes) & mask; changes_[at] != 0; at = (at + 1) & mask) {
    const CommitNumber number{value_of(recent_first_) + changes_[at] - 1};
    if (recent(number).change_id == change) return number;
  }
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (const auto found = (*run)->find_change(change)) return found;
  }
  return std::nullopt;
}

template <typename Before>
CommitNumber CommitIndex::last_before(Before before) const {
  std::uint64_t first = 0;  // before() holds for it and all below
  std::uint64_t behind = value_of(last()) + 1;
  while (behind - first > 1) {
    const std::uint64_t middle = first + (behind - first) / 2;
    (before(entry(CommitNumber{middle})) ? first : behind) = middle;
  }
  return CommitNumber{first};
}

CommitNumber CommitIndex::find_time(Timestamp time) const {
  return last_before([time](const MetaEntry& entry) { return entry.time <= time; });
}

CommitNumber CommitIndex::find_record(RecordNumber record) const {
  return last_before([record](const MetaEntry& entry) { return entry.record <= record; });
}

std::optional<RunPlan> CommitIndex::plan(CommitNumber n) const {
  if (n <= flushed()) return std::nullopt;
  const std::uint64_t count = std::min(value_of(n) - value_of(flushed()), kIndexRunCommitsMax);
  const CommitNumber end{value_of(flushed()) + count};
  RunPlan plan{{recent_first_, hash(flushed()), {}, {}}, {}};
  for (const Chunk& chunk : recent_) {
    if (chunk.first > end) break;
    RunContent part{chunk.first, {}, chunk.entries, chunk.heap};
    if (part.last() > end) {
      part.entries.resize(value_of(end) - value_of(part.first) + 1);
      part.heap.resize(heap_end(part.entries));
    }
    join(plan.content, part);
  }
  std::uint64_t whole = count;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if ((*run)->count() > whole || (*run)->count() + whole > kIndexRunCommitsMax) break;
    whole += (*run)->count();
    plan.joins.insert(plan.joins.begin(), (*run)->name());
  }
  return plan;
}

void CommitIndex::drop_recent(CommitNumber until) {
  while (!recent_.empty() && recent_.front().last() <= until) recent_.pop_front();
  if (!recent_.empty() && recent_.front().first <= until) {
    Chunk& chunk = recent_.front();
    const std::uint64_t gone = value_of(until) - value_of(chunk.first) + 1;
    const auto kept = chunk.entries.begin() + static_cast<std::ptrdiff_t>(gone);
    const std::uint64_t heap = kept->heap_offset;
    chunk.entries.erase(chunk.entries.begin(), kept);
    chunk.heap.erase(chunk.heap.begin(), chunk.heap.begin() + static_cast<std::ptrdiff_t>(heap));
    for (MetaEntry& entry : chunk.entries) entry.heap_offset -= heap;
    chunk.first = next(until);
  }
  recent_first_ = next(until);
  changes_.clear();
  changes_indexed_ = 0;
}

// Planned from what this index held then: meanwhile it may have been made again from the log.
void CommitIndex::install(std::unique_ptr<IndexRun> run) {
  const auto begins = [&](const auto& held) { return held->first() == run->first(); };
  const bool fits = run->first() == recent_first_ || std::ranges::any_of(runs_, begins);
  if (!fits || run->last() < recent_first_) return;
  drop_recent(run->last());
  std::erase_if(runs_, [&](const auto& old) { return old->first() >= run->first(); });
  runs_.push_back(std::move(run));
}

}  // namespace otolith::history
