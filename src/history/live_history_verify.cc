#include <algorithm>

#include "history/live_history.h"

namespace otolith::history {

namespace {

using Problem = std::function<void(const Error&)>;

// Follows the chain of commits from the first frame on, trusting nothing that was derived.
class ChainCheck {
 public:
  ChainCheck(const HistoryOptions& options, const Problem& problem, bool proofs)
      : options_(options), problem_(problem), keep_proofs_(proofs) {}

  void take(const Frame& frame) {
    try {
      if (frame.type == FrameType::lost) lost(lost_read(frame.payload).stands());
      if (frame.type == FrameType::commit) commit(frame);
    } catch (const Error& error) {
      problem_(error);
    }
  }

  const std::vector<Hash256>& hashes() const noexcept { return hashes_; }
  const std::vector<RowsProof>& proofs() const noexcept { return proofs_; }
  Hash256 hash_at(RecordNumber record) const {
    const auto behind = std::ranges::upper_bound(records_, record);
    return behind == records_.begin() ? Hash256{}
                                      : *(hashes_.begin() + (behind - records_.begin()) - 1);
  }

 private:
  void report(const std::string& what) const {
    problem_(Error(ErrorCode::corrupt, what, {{}, std::nullopt, {value_of(record_.number)}}));
  }

  void commit(const Frame& frame) {
    commit_read(frame.payload, record_);
    const Hash256 parent = hashes_.empty() ? Hash256{} : hashes_.back();
    if (value_of(record_.number) != hashes_.size() + 1)
      report("the commit's number is out of order");
    if (record_.parent != parent) report("the commit names another parent than the one before it");
    if (record_.range_root != range_.root())
      report("the commit's mountain range is of other commits");
    for (const DatasetRecord& rows : record_.datasets) {
      if (rows.root != dataset_root(rows.rows_root, rows.marks_root)) {
        report("the commit's root of a dataset is not that of its rows and marks");
      }
      marks(rows);
      if (keep_proofs_ && rows.rows_added != 0) {
        const bool told = (record_.features_optional & kRunsTold) != 0;
        proofs_.push_back({record_.number, rows.dataset, rows.rows_added, rows.salt, rows.rows_root,
                           rows.runs, !rows.segment || (told && rows.runs.empty())});
      }
    }
    hashes_.push_back(commit_hash(frame.payload));
    records_.push_back(frame.number);
    range_.append(hashes_.back());
  }

  void lost(RecordNumber stands) {
    while (!records_.empty() && records_.back() > stands) {
      records_.pop_back();
      hashes_.pop_back();
    }
    std::erase_if(proofs_,
                  [&](const RowsProof& proof) { return value_of(proof.commit) > hashes_.size(); });
    range_ = {};
    for (const Hash256& hash : hashes_) range_.append(hash);
  }

  // Marks that stand in a file of their own: the root is in the frame, the file must agree.
  void marks(const DatasetRecord& rows) const {
    if (!rows.marks_segment || !options_.read_marks) return;
    try {
      if (marks_root(options_.read_marks(*rows.marks_segment)) == rows.marks_root) return;
      report("the file of the commit's marks holds others than the commit names");
    } catch (const Error& error) {
      problem_(error);
    }
  }

  const HistoryOptions& options_;
  const Problem& problem_;
  const bool keep_proofs_;
  CommitRecord record_;
  std::vector<Hash256> hashes_;
  std::vector<RecordNumber> records_;
  MountainRange range_;
  std::vector<RowsProof> proofs_;
};

}  // namespace

void LiveHistory::verify(const std::function<void(const Error&)>& problem,
                         const std::function<void(const RowsProof&)>& rows) {
  bool frames_are_sound = true;
  log_->verify([&](const Error& error) {
    frames_are_sound = false;
    problem(error);
  });
  ChainCheck chain(options_, problem, static_cast<bool>(rows));
  try {
    const auto log = new_log(true, [&](RecordNumber record) { return chain.hash_at(record); });
    log->refresh([&](const Frame& frame) { chain.take(frame); }, {});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    if (frames_are_sound) problem(error);  // else it was told already
  }
  CommitNumber last{0};
  {
    const MutexLock guard(mutex_);
    last = std::min(timeline_->visible().commit, CommitNumber{chain.hashes().size()});
  }
  for (CommitNumber n{1}; n <= last; n = next(n)) {
    try {
      const MutexLock guard(mutex_);
      if (timeline_->index().meta(n).entry.hash == chain.hashes()[value_of(n) - 1]) continue;
      problem(Error(ErrorCode::corrupt, "the index names another hash than the log",
                    {"index", std::nullopt, {value_of(n)}}));
    } catch (const Error& error) {
      problem(error);
    }
  }
  if (rows) {
    for (const RowsProof& proof : chain.proofs()) {
      if (proof.commit <= last) rows(proof);
    }
  }
}

}  // namespace otolith::history
