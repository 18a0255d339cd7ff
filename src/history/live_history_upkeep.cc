// Seals and joins on their way through the committer, and what a sweep asks there.
#include <algorithm>

#include "base/mutant.h"
#include "history/live_history.h"

namespace otolith::history {

// ---- seals ------------------------------------------------------------------------------------

// A seal: it stands only if the tail it covers is still what its segments were made of.
class LiveHistory::SealSubmission final : public Submission {
 public:
  SealSubmission(LiveHistory& owner, const SealRequest& request)
      : owner_(owner), request_(request) {}

  Decision decide(const Turn&) override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->check_damage();
    record_ = {request_.covers, {}};
    for (const SealedDataset& sealed : request_.datasets) {
      const DatasetVersion* dataset = owner_.timeline_->catalog().version()->find(sealed.dataset);
      if (dataset == nullptr) return Decision::nothing();
      const bool still = covers(*dataset, sealed.segment) || mutant("seal-race-ignored");
      if (!still) return Decision::nothing();
      record_.datasets.push_back({sealed.dataset, dataset->sealed, sealed.segment});
    }
    std::ranges::sort(record_.datasets, {}, &SealedRecord::dataset);
    if (record_.datasets.empty()) return Decision::nothing();
    return Decision::append({FrameType::seal, false, seal_write(record_)});
  }

  void appended(RecordNumber number) noexcept override {
    const MutexLock guard(owner_.mutex_);
    applied_ = owner_.timeline_->apply_seal(record_, number);
    ++owner_.seals_;
    owner_.plan_save();
  }

  void undone() noexcept override {}

  bool applied() const noexcept { return applied_; }

 private:
  // The rows of the tail up to the record, neither more nor fewer than the segment holds.
  bool covers(const DatasetVersion& dataset, const SegmentEntry& segment) const {
    std::uint64_t rows = 0;
    CommitNumber first{0};
    CommitNumber last{0};
    for (std::size_t i = 0; i < dataset.tail->size(); ++i) {
      const StoredTail& tail = (*dataset.tail)[i];
      if (tail.record > request_.covers) break;
      if (rows == 0) first = tail.entry.begin;
      last = tail.entry.begin;
      rows += tail.entry.rows;
    }
    return rows != 0 && rows == segment.ref.rows && first == segment.begin_first &&
           last == segment.begin_last && dataset.sealed < request_.covers;
  }

  LiveHistory& owner_;
  const SealRequest& request_;
  SealRecord record_;
  bool applied_ = false;
};

bool LiveHistory::seal(const SealRequest& request) {
  if (request.covers > log_->durable()) {
    throw_error(ErrorCode::invalid_argument, "a seal covers durable records only (seal_point)");
  }
  SealSubmission submission(*this, request);
  committer_->submit(submission);
  save_planned();
  return submission.applied();
}

// ---- joins ------------------------------------------------------------------------------------

// A join: it stands only if every segment that it replaces is still there. A checkpoint is for who
// has done all of them.
class LiveHistory::CompactSubmission final : public Submission {
 public:
  CompactSubmission(LiveHistory& owner, const CompactRequest& request) : owner_(owner) {
    record_ = {owner.environment_->now(), request.dataset, request.replaced, request.segments};
    std::ranges::sort(record_.replaced);
  }

  Decision decide(const Turn&) override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->check_damage();
    if (!owner_.timeline_->catalog().compact_fits(record_)) return Decision::nothing();
    return Decision::append({FrameType::compact, false, compact_write(record_)});
  }

  void appended(RecordNumber number) noexcept override {
    const MutexLock guard(owner_.mutex_);
    applied_ = owner_.timeline_->apply_compact(record_, number);
  }

  void undone() noexcept override {}

  bool applied() const noexcept { return applied_; }

 private:
  LiveHistory& owner_;
  CompactRecord record_;
  bool applied_ = false;
};

bool LiveHistory::compact(const CompactRequest& request) {
  const CommitNumber durable = durable_head();
  const bool stand = std::ranges::all_of(request.segments, [&](const SegmentEntry& entry) {
    return std::max(entry.begin_last, entry.base) <= durable;
  });
  if (!stand && !mutant("join-of-relaxed")) {
    throw_error(ErrorCode::invalid_argument, "a join takes segments of durable commits only");
  }
  CompactSubmission submission(*this, request);
  committer_->submit(submission);
  return submission.applied();
}

// ---- sweeps -----------------------------------------------------------------------------------

// A question that only who holds the append lock, caught up, can answer. It makes no record.
class LiveHistory::SweepSubmission final : public Submission {
 public:
  SweepSubmission(LiveHistory& owner, const std::vector<Id128>& segments, bool at_once)
      : owner_(owner), at_once_(at_once), unneeded_(segments) {}

  Decision decide(const Turn&) override {
    std::vector<Id128> needed;
    {
      const MutexLock guard(owner_.mutex_);
      owner_.timeline_->check_damage();
      needed = owner_.segment_ids();
      if (!at_once_ && !mutant("sweep-spares-no-reader")) {
        const auto lately = owner_.replaced_lately();
        needed.insert(needed.end(), lately.begin(), lately.end());
      }
    }
    std::ranges::sort(needed);
    if (!mutant("sweep-asks-nobody")) {
      std::erase_if(unneeded_,
                    [&](const Id128& id) { return std::ranges::binary_search(needed, id); });
    }
    return Decision::nothing();
  }
  void appended(RecordNumber) noexcept override {}
  void undone() noexcept override {}

  std::vector<Id128> take() noexcept { return std::move(unneeded_); }

 private:
  LiveHistory& owner_;
  const bool at_once_;
  std::vector<Id128> unneeded_;
};

std::vector<Id128> LiveHistory::unneeded(const std::vector<Id128>& segments, bool at_once) {
  SweepSubmission submission(*this, segments, at_once);
  if (mutant("sweep-reads-to-durable")) {
    (void)submission.decide({});
    return submission.take();
  }
  committer_->submit(submission);
  return submission.take();
}

// ---- log files without rows -------------------------------------------------------------------

// Where the rows begin that stand in the log alone. Asked under the append lock, caught up: a seal
// that its writer did not live to sync is adopted, and on the disk, before rows go that it covers.
class LiveHistory::StripSubmission final : public Submission {
 public:
  explicit StripSubmission(LiveHistory& owner) : owner_(owner) {}

  Decision decide(const Turn&) override {
    until_ = next(owner_.log_->durable());
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->check_damage();
    const auto first = owner_.timeline_->catalog().tail_first();
    if (first && !mutant("strip-unsealed")) until_ = std::min(until_, *first);
    return Decision::nothing();
  }
  void appended(RecordNumber) noexcept override {}
  void undone() noexcept override {}

  RecordNumber until() const noexcept { return until_; }

 private:
  LiveHistory& owner_;
  RecordNumber until_{0};
};

namespace {

// What a reader of this version would lose of a commit of a later one stays with it.
Bytes without_rows(const Frame& frame) {
  if (frame.type == FrameType::commit) {
    Bytes stripped = commit_strip(frame.payload);
    if (std::ranges::equal(commit_header(stripped), commit_header(frame.payload))) return stripped;
  }
  return {frame.payload.begin(), frame.payload.end()};
}

}  // namespace

StripReport LiveHistory::strip_log(std::size_t followers) {
  if (!log_->strip_due(followers)) return {};
  StripSubmission submission(*this);
  if (mutant("strip-unlocked")) {
    (void)submission.decide({});
  } else {
    committer_->submit(submission);
  }
  return log_->strip(submission.until(), followers, without_rows);
}

}  // namespace otolith::history
