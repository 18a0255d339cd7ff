#include "history/live_history.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/decide.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kLogChunk = 256;  // commits looked at before others get the mutex
constexpr std::uint64_t kLookAgainNs = 1'000'000;

// What a filter says of one commit.
bool passes(const LogFilter& filter, const std::optional<DatasetId>& dataset,
            const CommitMeta& meta) {
  if (filter.author && meta.text.author != *filter.author) return false;
  if (!dataset) return true;
  if (meta.text.lineage && meta.text.lineage_of.value_or(*dataset) == *dataset) return true;
  return std::ranges::any_of(meta.text.changes,
                             [&](const MetaChange& change) { return change.dataset == *dataset; });
}

bool had_name(const DatasetVersion& dataset, std::string_view name) {
  for (std::size_t i = 0; i < dataset.events->size(); ++i) {
    if ((*dataset.events)[i].name == name) return true;
  }
  return false;
}

}  // namespace

// ---- reading ----------------------------------------------------------------------------------

// Every commit acknowledged before this call, by any process, is taken in when it returns, up to
// the first record that cannot be read: that is for those who ask for HEAD or behind it.
std::optional<Error> LiveHistory::look() {
  looked_ns_ = environment_->monotonic_ns();
  try {
    if (log_->behind()) {
      log_->refresh(sink_, fallback_);
      if (tail_stripped() && log_->behind()) log_->refresh(sink_, fallback_);
    }
  } catch (const Error& error) {
    const bool damage =
        error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format;
    if (!damage) throw;
    const MutexLock guard(mutex_);
    return with_commit(error);
  }
  const MutexLock guard(mutex_);
  const auto& damage = timeline_->damage();
  return damage ? std::optional(with_commit(*damage)) : std::nullopt;
}

// Records whose rows were taken out between two looks, this one's at the page and that at the file:
// the seal that covers them was there before, so the next look meets it.
bool LiveHistory::tail_stripped() const {
  const MutexLock guard(mutex_);
  return timeline_->catalog().tail_stripped() && !mutant("strip-seal-unread");
}

// What others append in that time is little, and may as well be read under the lock.
bool LiveHistory::looked_just_now() const {
  const std::uint64_t looked = looked_ns_;
  return looked != 0 && environment_->monotonic_ns() - looked < kLookAgainNs;
}

// The log knows records only; commits are what users know.
Error LiveHistory::with_commit(const Error& error) const {
  const std::string& file = error.where().file;
  if (!error.where().commits.empty() || !file.starts_with("log/")) return error;
  const std::uint64_t first = value_of(timeline_->visible().commit) + 1;
  return Error(error.code(),
               fmt::format("{}; commits from {} on cannot be read", error.message(), first),
               ErrorWhere{file, error.where().offset, {first}}, error.outcome());
}

void LiveHistory::refresh() {
  if (const auto damage = look()) throw *damage;
}

bool LiveHistory::damaged() const {
  const MutexLock guard(mutex_);
  return timeline_->damaged();
}

std::shared_ptr<const Snapshot> LiveHistory::head() {
  refresh();
  const MutexLock guard(mutex_);
  return timeline_->snapshot(timeline_->visible().commit);
}

std::shared_ptr<const Snapshot> LiveHistory::readable() {
  look();
  const MutexLock guard(mutex_);
  return timeline_->snapshot(timeline_->visible().commit);
}

// Also of a number that is known: relaxed commits may be lost, and their numbers given anew.
std::shared_ptr<const Snapshot> LiveHistory::at(CommitNumber number) {
  const auto damage = mutant("lost-commit-still-shown") ? std::nullopt : look();
  const MutexLock guard(mutex_);
  check_there(number, damage);
  return timeline_->snapshot(number);
}

// What is taken under the append lock names what is there: whose scan misses a file meets damage,
// and holds the mutex.
std::shared_ptr<const Snapshot> LiveHistory::renew(const Snapshot& snapshot) {
  const auto& view = dynamic_cast<const SnapshotView&>(snapshot).view();
  if (view.held) return nullptr;
  if (view.proposed) {
    throw_error(ErrorCode::snapshot_expired,
                "the rows that this dry run named were moved to other files; make it again");
  }
  look();
  const MutexLock guard(mutex_);
  if (timeline_->lost(view) && !mutant("renewed-although-lost")) {
    throw_error(ErrorCode::snapshot_expired,
                "the relaxed commit {} that this snapshot shows was lost before it was on the disk",
                value_of(view.commit));
  }
  return timeline_->snapshot(view.commit);
}

void LiveHistory::check_there(CommitNumber number, const std::optional<Error>& damage) const {
  const CommitNumber head = timeline_->visible().commit;
  if (number <= head) return;
  if (damage) throw *damage;
  throw_error(ErrorCode::not_found, "commit {} does not exist; HEAD is {}", value_of(number),
              value_of(head));
}

// ---- references -------------------------------------------------------------------------------

// What can be read is found; of what cannot be found it is not known whether it is behind damage.
CommitNumber LiveHistory::find(const Reference& reference, const std::optional<Error>& damage) {
  const CommitNumber head = timeline_->visible().commit;
  if (const auto* number = std::get_if<CommitNumber>(&reference)) {
    check_there(*number, damage);
    return *number;
  }
  if (const auto* back = std::get_if<HeadReference>(&reference)) {
    if (damage) throw *damage;
    if (back->back <= value_of(head)) return CommitNumber{value_of(head) - back->back};
    throw_error(ErrorCode::not_found, "HEAD~{} is before the first commit; HEAD is {}", back->back,
                value_of(head));
  }
  if (const auto* tag = std::get_if<TagReference>(&reference)) {
    const auto found = timeline_->tags().find(tag->name);
    if (damage) throw *damage;  // it may have been moved
    if (found == timeline_->tags().end()) throw_no_tag(tag->name, timeline_->tags());
    return found->second;
  }
  const std::string& prefix = std::get<HashReference>(reference).prefix;
  std::vector<CommitNumber> found = timeline_->index().find_hash(prefix, kCandidatesShownMax + 1);
  std::erase_if(found, [&](CommitNumber number) { return number > head; });
  if (found.empty() && damage) throw *damage;
  if (found.empty()) throw_error(ErrorCode::not_found, "no commit's hash begins with #{}", prefix);
  if (found.size() == 1) return found.front();
  std::string text;
  for (std::size_t i = 0; i < std::min(found.size(), kCandidatesShownMax); ++i) {
    const Hash256 hash = timeline_->index().hash(found[i]);
    text += fmt::format("{}{} (#{})", i == 0 ? "" : ", ", value_of(found[i]),
                        hex(hash.view()).substr(0, prefix.size() + 4));
  }
  throw_error(ErrorCode::invalid_argument, "#{} is ambiguous: {}{}; give more digits", prefix, text,
              found.size() > kCandidatesShownMax ? ", …" : "");
}

CommitNumber LiveHistory::resolve(std::string_view reference) {
  const Reference parsed = reference_parse(reference);
  const auto damage = look();
  return with_timeline([&] {
    mutex_.assert_held();
    return find(parsed, damage);
  });
}

CommitNumber LiveHistory::resolve_time(Timestamp time) {
  const auto damage = look();
  return with_timeline([&] {
    mutex_.assert_held();
    const CommitNumber head = timeline_->visible().commit;
    const CommitNumber found = std::min(timeline_->index().find_time(time), head);
    if (found == head && damage) throw *damage;  // a later one may not be after the time either
    return found;
  });
}

// ---- commits as users see them ----------------------------------------------------------------

std::map<std::string, ChangeCount> LiveHistory::changes_of(const CommitMeta& meta,
                                                           CommitNumber number) {
  std::map<std::string, ChangeCount> out;
  if (meta.text.lineage && !mutant("lineage-without-changes"))
    out = changes_of_lineage(meta, number);
  for (const MetaChange& change : meta.text.changes) {
    const DatasetVersion* dataset = timeline_->catalog().version()->find(change.dataset);
    if (dataset == nullptr) continue;
    auto entry = dataset_at(timeline_->view_at(number), *dataset);
    // Dropped by this very commit: under the name it had before.
    if (!entry)
      entry = dataset_at(timeline_->view_at(CommitNumber{value_of(number) - 1}), *dataset);
    if (!entry || entry->name == kDatabaseName) continue;
    ChangeCount& count = out[entry->name];
    count.added += change.added + change.revived;
    count.ended += change.ended;
  }
  return out;
}

Commit LiveHistory::describe(CommitNumber number, RecordNumber durable) {
  Commit out;
  out.number = number;
  if (value_of(number) == 0) {
    out.hash = hex(Hash256{}.view());
    return out;
  }
  const CommitIndex& index = timeline_->index();
  const CommitMeta meta = index.meta(number);
  out.hash = hex(meta.entry.hash.view());
  out.parent = hex(index.hash(CommitNumber{value_of(number) - 1}).view());
  out.time = meta.entry.time;
  out.author = meta.text.author;
  out.message = meta.text.message;
  out.extra = meta.text.extra;
  out.change_id = meta.entry.change_id.text();
  out.changes = changes_of(meta, number);
  out.durable = meta.entry.record <= durable;
  return out;
}

Commit LiveHistory::commit_info(CommitNumber number) {
  const auto damage = mutant("lost-commit-still-shown") ? std::nullopt : look();
  {
    const MutexLock guard(mutex_);
    check_there(number, damage);
  }
  return told(number);
}

// No look at the page: who asks has seen the commit.
Timestamp LiveHistory::commit_time(CommitNumber number) {
  return with_timeline([&] {
    mutex_.assert_held();
    check_there(number, std::nullopt);
    return timeline_->index().entry(number).time;
  });
}

CommitNumber LiveHistory::durable_head() {
  refresh();
  const RecordNumber durable = log_->durable();
  return with_timeline([&] {
    mutex_.assert_held();
    const CommitNumber head = timeline_->visible().commit;
    return mutant("waits-for-visible") ? head
                                       : std::min(timeline_->index().find_record(durable), head);
  });
}

// A commit that was taken in: nothing is read that could fail behind an acknowledgement.
Commit LiveHistory::told(CommitNumber number) {
  const RecordNumber durable = log_->durable();
  return with_timeline([&] {
    mutex_.assert_held();
    check_there(number, std::nullopt);
    return describe(number, durable);
  });
}

// The dataset of that name at HEAD, else the last one that ever had it.
DatasetId LiveHistory::dataset_named(const std::string& name) {
  const auto names = timeline_->names_at(timeline_->visible().commit);
  const bool hidden = name == kDatabaseName;
  const DatasetEntry* const found = hidden ? nullptr : names->find(name);
  if (found != nullptr) return found->id;
  const auto& datasets = timeline_->catalog().version()->datasets;
  for (std::size_t i = datasets.size(); i-- > 0;) {
    if (!hidden && had_name(*datasets[i], name)) return datasets[i]->id;
  }
  std::vector<std::string> all;
  for (const DatasetEntry& entry : names->entries()) {
    if (entry.name != kDatabaseName) all.push_back(entry.name);
  }
  throw_error(ErrorCode::not_found, "no dataset was ever named {}{}", quoted(name),
              nearest_hint(name, all));
}

std::vector<Commit> LiveHistory::log(const LogFilter& filter) {
  const auto damage = look();
  const RecordNumber durable = log_->durable();
  std::optional<DatasetId> dataset;
  std::uint64_t first = 1;  // of what is left to look at
  std::uint64_t last = 0;
  bool whole = true;
  with_timeline([&] {
    mutex_.assert_held();
    if (filter.dataset) dataset = dataset_named(*filter.dataset);
    const CommitIndex& index = timeline_->index();
    const auto before = [&](Timestamp time) {  // commits with an earlier time
      return time == kTimestampMin ? 0 : value_of(index.find_time({time.ns - 1}));
    };
    last = value_of(timeline_->visible().commit);
    if (filter.until) last = std::min(last, before(*filter.until));
    if (filter.since) first = before(*filter.since) + 1;
    // Which commits come behind the damage is not known: only an answer without them is whole.
    whole = !damage || last < value_of(timeline_->visible().commit);
  });
  if (!whole && !filter.reverse) throw *damage;
  std::vector<Commit> out;
  const std::uint64_t limit = filter.limit.value_or(~0ull);
  while (first <= last && out.size() < limit) {
    with_timeline([&] {
      mutex_.assert_held();
      for (std::uint64_t i = 0; i < kLogChunk && first <= last && out.size() < limit; ++i) {
        const CommitNumber number{filter.reverse ? first : last};
        if (passes(filter, dataset, timeline_->index().meta(number))) {
          out.push_back(describe(number, durable));
        }
        filter.reverse ? ++first : --last;  // not before: after damage it is looked up again
      }
    });
  }
  if (!whole && out.size() < limit) throw *damage;
  return out;
}

std::map<std::string, CommitNumber> LiveHistory::tags() {
  refresh();
  const MutexLock guard(mutex_);
  return timeline_->tags();
}

// ---- the tail ---------------------------------------------------------------------------------

bool LiveHistory::seal_due(std::uint64_t times) {
  const MutexLock guard(mutex_);
  const Catalog& catalog = timeline_->catalog();
  left_bytes_ = std::min(left_bytes_, catalog.tail_bytes());
  left_entries_ = std::min(left_entries_, catalog.tail_entries());
  if (mutant("seal-left-forgotten")) left_bytes_ = left_entries_ = 0;
  return catalog.tail_bytes() - left_bytes_ > times * options_.tail_bytes_max ||
         catalog.tail_entries() - left_entries_ > times * options_.tail_commits_max;
}

void LiveHistory::seal_left() {
  const MutexLock guard(mutex_);
  left_bytes_ = timeline_->catalog().tail_bytes();
  left_entries_ = timeline_->catalog().tail_entries();
}

RecordNumber LiveHistory::seal_point() {
  refresh();
  const RecordNumber durable = log_->durable();
  const MutexLock guard(mutex_);
  return std::min(durable, timeline_->visible().record);
}

std::vector<std::pair<DatasetId, std::vector<TailEntry>>> LiveHistory::tail_until(
    RecordNumber point) {
  std::vector<std::pair<DatasetId, std::vector<TailEntry>>> out;
  const MutexLock guard(mutex_);
  const auto& datasets = timeline_->catalog().version()->datasets;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    std::vector<TailEntry> entries;
    const Growing<StoredTail>& tail = *datasets[i]->tail;
    for (std::size_t j = 0; j < tail.size() && tail[j].record <= point; ++j) {
      require_rows(tail[j].entry);
      entries.push_back(tail[j].entry);
    }
    if (!entries.empty()) out.emplace_back(datasets[i]->id, std::move(entries));
  }
  return out;
}

std::shared_ptr<const Schema> LiveHistory::schema_of(DatasetId dataset) {
  const MutexLock guard(mutex_);
  const DatasetVersion* version = timeline_->catalog().version()->find(dataset);
  if (version == nullptr) {
    throw_error(ErrorCode::not_found, "{} was created by no commit; take datasets from a snapshot",
                dataset_told(*timeline_, dataset));
  }
  return std::make_shared<const Schema>(every_column(*version));
}

std::vector<NeededSegment> LiveHistory::all_segments() {
  std::vector<NeededSegment> out;
  const MutexLock guard(mutex_);
  const auto& datasets = timeline_->catalog().version()->datasets;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const Growing<StoredSegment>& segments = *datasets[i]->segments;
    for (std::size_t j = 0; j < segments.size(); ++j) {
      out.push_back({datasets[i]->id, segments[j].entry, false});
    }
    const Growing<MarksFile>& files = *datasets[i]->marks_files;
    for (std::size_t j = 0; j < files.size() && !mutant("segments-of-marks-unlisted"); ++j) {
      const auto& [commit, ref] = files[j];
      out.push_back({datasets[i]->id, {ref, commit, commit, false}, true});
    }
  }
  return out;
}

// Of staged commits as well.
std::vector<Id128> LiveHistory::segment_ids() const {
  std::vector<Id128> out;
  const auto& datasets = timeline_->catalog().version()->datasets;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const Growing<StoredSegment>& segments = *datasets[i]->segments;
    for (std::size_t j = 0; j < segments.size(); ++j) out.push_back(segments[j].entry.ref.id);
    const Growing<MarksFile>& files = *datasets[i]->marks_files;
    for (std::size_t j = 0; j < files.size(); ++j) out.push_back(files[j].ref.id);
  }
  return out;
}

// By anyone's clock; one that was far off protects nothing.
std::vector<Id128> LiveHistory::replaced_lately() const {
  const std::int64_t now = environment_->now().ns;
  std::vector<Id128> out;
  for (const ReplacedFile& file : timeline_->replaced()) {
    const auto [from, to] = std::minmax(file.time.ns, now);
    const std::uint64_t apart = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    if (apart < options_.sweep_after_ns) out.push_back(file.id);
  }
  return out;
}

LogStatus LiveHistory::status() {
  const auto damage = look();
  LogStatus status = log_->status();
  if (damage && std::ranges::find(status.damage, damage->what()) == status.damage.end()) {
    status.damage.emplace_back(damage->what());
  }
  const MutexLock guard(mutex_);
  status.lost = timeline_->losses().all();
  return status;
}

}  // namespace otolith::history
