#include "history/timeline.h"

#include <algorithm>

#include "base/log.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

bool changes_names(const CommitRecord& record) {
  return !record.catalog.empty() || !std::holds_alternative<std::monostate>(record.lineage);
}

[[noreturn]] void throw_log(const std::string& what) {
  throw_error(ErrorCode::corrupt, "the log is sound but contradicts itself: {}", what);
}

}  // namespace

Timeline::Timeline(std::shared_ptr<io::Vfs> vfs, const Id128& database,
                   const HistoryOptions& options)
    : vfs_(std::move(vfs)), database_(database), options_(options), index_(vfs_, database) {
  renew_names();
}

// ---- records of the log -----------------------------------------------------------------------

bool Timeline::resume(Checkpoint checkpoint) {
  try {
    if (!index_.use_runs(checkpoint.head.commit)) return false;
    if (index_.hash(checkpoint.head.commit) != checkpoint.head.hash) return false;
  } catch (const Error& error) {
    if (!index_damaged(error)) throw;
    log_line(LogLevel::warning, error.what());
    return false;
  }
  catalog_ = std::move(checkpoint.catalog);
  lineage_ = std::move(checkpoint.lineage);
  range_ = std::move(checkpoint.range);
  tags_ = std::move(checkpoint.tags);
  losses_.restore(std::move(checkpoint.lost));
  replaced_ = std::move(checkpoint.replaced);
  visible_ = checkpoint.head;
  if (value_of(visible_.record) != 0) resume_ = visible_;
  resume_compared_ = value_of(visible_.commit) == 0;
  renew_names();
  return true;
}

void Timeline::take(const Frame& frame) noexcept {
  if (damage_) return;
  try {
    take_record(frame);
  } catch (const Error& error) {
    damage_ = error;
  } catch (const std::exception& error) {  // out of memory: as good as damage to this handle
    damage_ =
        Error(ErrorCode::limit, fmt::format("record {} of the log: {}; open the database again",
                                            value_of(frame.number), error.what()));
  }
}

void Timeline::take_record(const Frame& frame) {
  if (ended_) return pass_over(frame);
  if (frame.number <= visible_.record) return take_known(frame);
  if (frame.number != next(visible_.record)) {
    throw_log(fmt::format("record {} follows record {}", value_of(frame.number),
                          value_of(visible_.record)));
  }
  switch (frame.type) {
    case FrameType::commit:
      take_commit(frame);
      break;
    case FrameType::tag:
      apply_tag(tag_read(frame.payload), frame.number);
      break;
    case FrameType::sync_mark:
      break;
    case FrameType::seal:
      apply_seal(seal_read(frame.payload), frame.number);
      break;
    case FrameType::lost:
      give_up(lost_read(frame.payload));
      break;
    case FrameType::compact:
      apply_compact(compact_read(frame.payload), frame.number);
      break;
    case FrameType::sweep:
      reserved_read(frame.payload);
  }
  visible_.record = frame.number;
  const bool commit = frame.type == FrameType::commit;
  losses_.met(frame.number, commit ? std::optional(visible_.hash) : std::nullopt);
  if (!frame.relaxed) relaxed_synced(frame.number);
}

void Timeline::give_up(const LostRecord& lost) {
  fall_back(lost.stands());
  losses_.note(lost, visible_.commit);
}

void Timeline::take_lost(const LostRecord& lost, RecordNumber number) {
  losses_.note(lost, visible_.commit);
  visible_.record = number;
}

void Timeline::end_at(RecordNumber stands) {
  give_up({next(stands), visible_.record});
  ended_ = true;
}

// Behind relaxed commits whose segments are not sound: only a writer's word counts.
void Timeline::pass_over(const Frame& frame) {
  if (frame.type == FrameType::lost) {
    give_up(lost_read(frame.payload));
    visible_.record = frame.number;
    ended_ = false;
  } else if (!frame.relaxed) {
    throw_error(
        ErrorCode::corrupt,
        "segments of relaxed commits behind record {} were not sound when this database was "
        "opened, and have come into use since: open it again",
        value_of(visible_.record));
  }
}

// Each must be the parent of the next, and the last be the checkpoint's: so all are what it holds.
void Timeline::take_known(const Frame& frame) {
  if (!resume_) throw_log(fmt::format("record {} comes twice", value_of(frame.number)));
  if (frame.type == FrameType::commit) {
    commit_read(frame.payload, scratch_);
    const Hash256 hash = commit_hash(frame.payload);
    const bool follows = !known_ || scratch_.parent == *known_;
    if (!follows && !mutant("tail-of-another-line")) {
      throw_log(fmt::format("commit {} names another parent than the commit before it",
                            value_of(scratch_.number)));
    }
    known_ = hash;
    if (scratch_.number == resume_->commit) {
      resume_compared_ = hash == resume_->hash || mutant("checkpoint-of-another-line");
    }
    catalog_.apply_tail(scratch_, frame.number);
  } else if (frame.type == FrameType::lost) {
    known_.reset();
    catalog_.forget_tail(lost_read(frame.payload).stands());
  }
  if (frame.number == resume_->record && resume_compared_) resume_.reset();
}

void Timeline::take_commit(const Frame& frame) {
  commit_read(frame.payload, scratch_);
  check_follows(scratch_);
  check_datasets(scratch_);
  read_marks(scratch_);
  const Hash256 hash = commit_hash(frame.payload);
  apply(scratch_, hash, frame.number, frame.relaxed);
  visible_ = {frame.number, scratch_.number, frame.number, hash, scratch_.time};
  if (changes_names(scratch_)) renew_names();
}

void Timeline::check_follows(const CommitRecord& record) const {
  const HeadState& head = staged();
  if (record.number != next(head.commit)) {
    throw_log(
        fmt::format("commit {} follows commit {}", value_of(record.number), value_of(head.commit)));
  }
  if (record.parent != head.hash && !mutant("parent-unchecked")) {
    throw_log(fmt::format("commit {} names another parent than commit {}", value_of(record.number),
                          value_of(head.commit)));
  }
  if (record.time < head.time) {
    throw_log(fmt::format("commit {} is older than the one before", value_of(record.number)));
  }
}

// Before anything is changed, so that a commit is taken in whole or not at all.
void Timeline::check_datasets(const CommitRecord& record) const {
  std::uint32_t created = 0;
  const auto check = [&](DatasetId id) {
    const bool own = id.created == record.number && id.index < created;
    if (!own && catalog_.version()->find(id) == nullptr) {
      throw_log(
          fmt::format("commit {} names a dataset that none created", value_of(record.number)));
    }
  };
  for (const CatalogChange& change : record.catalog) {
    if (std::holds_alternative<CreateDataset>(change)) ++created;
    if (const auto* alter = std::get_if<AlterDataset>(&change)) check(alter->dataset);
    if (const auto* rename = std::get_if<RenameDataset>(&change)) check(rename->dataset);
    if (const auto* drop = std::get_if<DropDataset>(&change)) check(drop->dataset);
  }
  for (const DatasetRecord& rows : record.datasets) check(rows.dataset);
}

void Timeline::read_marks(CommitRecord& record) const {
  for (DatasetRecord& rows : record.datasets) {
    if (!rows.marks_segment || !rows.marks.empty()) continue;
    if (options_.read_marks) rows.marks = options_.read_marks(*rows.marks_segment);
    if (marks_root(rows.marks) != rows.marks_root) {
      throw_error(ErrorCode::corrupt, "the marks of commit {} are missing or damaged (segment {})",
                  value_of(record.number), rows.marks_segment->id.text());
    }
  }
}

void append_lineage(Lineage& lineage, const CommitRecord& record) {
  if (const auto* rollback = std::get_if<RollbackRecord>(&record.lineage)) {
    lineage.append_rollback(record.number, rollback->to, rollback->dataset, record.has_content());
  } else if (const auto* reversal = std::get_if<Reversal>(&record.lineage)) {
    lineage.append_revert(record.number, *reversal);
  } else {
    lineage.append(record.number);
  }
}

void Timeline::apply(const CommitRecord& record, const Hash256& hash, RecordNumber number,
                     bool relaxed) {
  catalog_.apply(record, number);
  append_lineage(*lineage_, record);
  const auto* rollback = std::get_if<RollbackRecord>(&record.lineage);
  if (rollback != nullptr && mutant("tag-lost-by-rollback"))
    std::erase_if(tags_, [&](const auto& tag) { return tag.second > rollback->to; });
  index_.append(meta_entry_of(record, hash, number, relaxed), meta_text_of(record));
  range_.append(hash);
  if (!relaxed) return;
  for (const DatasetRecord& rows : record.datasets) {
    if (rows.segment) relaxed_.push_back({number, *rows.segment});
    if (rows.marks_segment) relaxed_.push_back({number, *rows.marks_segment});
  }
}

void Timeline::fall_back(RecordNumber stands) {
  OTO_INVARIANT(staged_.empty());
  if (stands >= visible_.record) return;
  const CommitNumber n = std::min(index_.find_record(stands), visible_.commit);
  if (n < index_.flushed()) {
    throw_log(
        fmt::format("records behind {} were lost, although they were durable", value_of(stands)));
  }
  losses_.dropped(visible_.commit, stands, [this](CommitNumber c) { return index_.hash(c); });
  parted_.push_back(n);
  catalog_.part(n);
  lineage_ = lineage_->copy(n);
  index_.truncate(n);
  range_ = {};
  for (CommitNumber i{1}; i <= n; i = next(i)) range_.append(index_.hash(i));
  HeadState head{stands, n, RecordNumber{0}, index_.hash(n), kTimestampMin};
  if (value_of(n) != 0) {
    const MetaEntry entry = index_.entry(n);
    head.commit_record = entry.record;
    head.time = entry.time;
  }
  visible_ = head;
  std::erase_if(relaxed_, [&](const RelaxedSegment& each) { return each.record > stands; });
  renew_names();
}

void Timeline::check_damage() const {
  if (damage_) throw *damage_;
}

// ---- commits of this process ------------------------------------------------------------------

void Timeline::stage(const CommitRecord& record, const Hash256& hash, RecordNumber number,
                     bool relaxed) {
  const HeadState head{number, record.number, number, hash, record.time};
  staged_.push_back({head, range_, changes_names(record)});
  try {
    apply(record, hash, number, relaxed);
  } catch (...) {
    unstage();
    throw;
  }
}

void Timeline::publish(RecordNumber number) noexcept {
  const Staged first = std::move(staged_.front());
  staged_.pop_front();
  visible_ = first.head;
  visible_.record = number;
  if (first.names) renew_names();
}

void Timeline::unstage() noexcept {
  const RecordNumber number = staged_.back().head.record;
  range_ = std::move(staged_.back().range_before);
  staged_.pop_back();
  std::erase_if(relaxed_, [&](const RelaxedSegment& each) { return each.record >= number; });
  const CommitNumber stands = staged().commit;
  catalog_.truncate(stands);
  lineage_->truncate(stands);
  index_.truncate(stands);
  snapshot_.reset();
}

void Timeline::apply_tag(const TagRecord& tag, RecordNumber number) {
  if (value_of(tag.commit) != 0) {
    tags_.insert_or_assign(tag.name, tag.commit);
  } else {
    tags_.erase(tag.name);
  }
  visible_.record = std::max(visible_.record, number);
}

bool Timeline::apply_seal(const SealRecord& seal, RecordNumber number) {
  visible_.record = std::max(visible_.record, number);
  if (!catalog_.seal_fits(seal)) return false;
  catalog_.apply_seal(seal);
  renew_names();  // the table of names must not keep the old tail alive
  return true;
}

bool Timeline::apply_compact(const CompactRecord& compact, RecordNumber number) {
  for (const SegmentEntry& entry : compact.segments) {
    if (entry.base <= visible_.commit) continue;
    throw_error(ErrorCode::corrupt, "segments were joined as of commit {}, which is not there",
                value_of(entry.base));
  }
  if (!catalog_.compact_fits(compact)) {
    visible_.record = std::max(visible_.record, number);
    return false;
  }
  catalog_.apply_compact(compact);
  visible_.record = std::max(visible_.record, number);
  renew_names();  // nor the old segments
  std::erase_if(replaced_, [&](const ReplacedFile& file) {
    return file.time
        .ns<compact.time.ns&& static_cast<std::uint64_t>(compact.time.ns) -
            static_cast<std::uint64_t>(file.time.ns)>
            options_.sweep_after_ns;
  });
  for (const Id128& id : compact.replaced) replaced_.push_back({id, compact.time});
  return true;
}

bool Timeline::lost(const CatalogView& view) const {
  for (std::size_t i = view.parts; i < parted_.size(); ++i) {
    if (parted_[i] < view.commit) return true;
  }
  return false;
}

// ---- what it adds up to -----------------------------------------------------------------------

void Timeline::renew_names() {
  names_ = std::make_shared<NameTable>(view_at(visible_.commit));
  names_from_ = visible_.commit;
  snapshot_.reset();
}

std::shared_ptr<const NameTable> Timeline::names_at(CommitNumber number) {
  const bool staged_names = std::ranges::any_of(
      staged_, [&](const Staged& s) { return s.names && s.head.commit <= number; });
  if (number >= names_from_ && !staged_names) return names_;
  return std::make_shared<NameTable>(view_at(number));
}

std::shared_ptr<const Snapshot> Timeline::snapshot(CommitNumber number) {
  if (number != visible_.commit) {
    return std::make_shared<SnapshotView>(view_at(number), names_at(number));
  }
  if (!snapshot_ || snapshot_->number() != number) {
    snapshot_ = std::make_shared<SnapshotView>(view_at(number), names_);
  }
  return snapshot_;
}

RecordNumber Timeline::indexed() const {
  try {
    const CommitNumber last = std::min(index_.flushed(), visible_.commit);
    return value_of(last) == 0 ? RecordNumber{0} : index_.entry(last).record;
  } catch (const Error& error) {
    if (!index_damaged(error)) throw;
    return RecordNumber{0};
  }
}

// Who began a file behind a torn tail may have found out later that the commit before it is lost:
// zeros, for what the file names is not told here any more.
Hash256 Timeline::hash_at(RecordNumber record) const {
  if (losses_.hold(record) && !mutant("log-header-of-lost-compared")) return {};
  if (record >= staged().commit_record) return staged().hash;
  return index_.hash(index_.find_record(record));
}

std::vector<SegmentRef> Timeline::relaxed_segments(RecordNumber& until) const {
  std::vector<SegmentRef> segments;
  until = relaxed_.empty() ? RecordNumber{0} : relaxed_.back().record;
  for (const RelaxedSegment& each : relaxed_) segments.push_back(each.segment);
  return segments;
}

void Timeline::relaxed_synced(RecordNumber until) {
  std::erase_if(relaxed_, [&](const RelaxedSegment& each) { return each.record <= until; });
}

std::optional<RecordNumber> Timeline::unsound_from(
    const std::function<bool(const SegmentRef&)>& sound, RecordNumber until) const {
  for (const RelaxedSegment& each : relaxed_) {
    if (each.record > until) break;
    if (!sound(each.segment)) return RecordNumber{value_of(each.record) - 1};
  }
  return std::nullopt;
}

void Timeline::adopt_index(bool remove) {
  try {
    index_.adopt_runs(remove);
  } catch (const Error& error) {  // memory holds all of it
    log_line(LogLevel::warning, error.what());
  }
}

bool Timeline::index_damaged(const Error& error) const {
  return error.code() == ErrorCode::corrupt && error.where().file.starts_with("index/");
}

void Timeline::rebuild_index(Log& log) {
  CommitIndex fresh(vfs_, database_);
  CommitRecord record;
  const auto sink = [&](const Frame& frame) {
    if (frame.number > visible_.record) return;
    if (frame.type == FrameType::lost)
      fresh.truncate(fresh.find_record(lost_read(frame.payload).stands()));
    if (frame.type != FrameType::commit || fresh.last() == index_.flushed()) return;
    commit_read(frame.payload, record);
    fresh.append(meta_entry_of(record, commit_hash(frame.payload), frame.number, frame.relaxed),
                 meta_text_of(record));
  };
  log.refresh(sink, {});
  for (CommitNumber n = next(fresh.last()); n <= index_.last(); n = next(n)) {
    const CommitMeta meta = index_.meta(n);
    fresh.append(meta.entry, meta.text);
  }
  index_ = std::move(fresh);
}

Checkpoint Timeline::checkpoint() const {
  OTO_INVARIANT(staged_.empty());
  Checkpoint out;
  out.head = visible_;
  out.tail_first = catalog_.tail_first();
  out.range = range_;
  out.tags = tags_;
  out.lost = losses_.all();
  out.replaced = replaced_;
  out.catalog = catalog_;
  out.lineage = lineage_;
  return out;
}

}  // namespace otolith::history
