#include <algorithm>

#include "base/error.h"
#include "db/hall.h"
#include "ingest/sweep.h"
#include "scan/store.h"

namespace otolith {

namespace {

// Whatever the error: who asks how things stand is not to be stopped by the answer.
void tell(const history::DatasetEntry& entry, const Error& error,
          std::vector<std::string>& damage) {
  const std::string told = fmt::format("{}: {}", quoted(entry.name), error.what());
  if (std::ranges::find(damage, told) == damage.end()) damage.push_back(told);
}

// Segments that do not open, and what cannot be counted, are said in `damage`; where rows cannot be
// counted the dataset has 0.
DatasetStatus dataset_status(const scan::ScanContext& context, const history::Snapshot& snapshot,
                             const history::DatasetEntry& entry, std::vector<std::string>& damage) {
  DatasetStatus out;
  try {
    out.rows = scan::count_rows(context, snapshot, entry);
  } catch (const Error& error) {
    tell(entry, error, damage);
  }
  const std::vector<history::SegmentEntry> all = snapshot.segments_and_past(entry.id);
  out.past_segments = all.size() - snapshot.segments(entry.id).size();
  for (const auto& segment : all) {
    ++out.segments;
    out.segment_bytes += segment.ref.bytes;
    try {  // counting need not have opened it
      if (context.store->find(entry.id, segment)) continue;
      (void)context.store->renewed(snapshot, entry.id, segment);  // or it is missing
    } catch (const Error& error) {
      tell(entry, error, damage);
    }
  }
  for (const auto& tail : snapshot.tail(entry.id)) out.tail_rows += tail.rows;
  return out;
}

std::uint64_t tail_commits(const history::Snapshot& snapshot) {
  std::vector<CommitNumber> begins;
  for (const auto& entry : snapshot.datasets()) {
    for (const auto& tail : snapshot.tail(entry.id)) begins.push_back(tail.begin);
  }
  std::ranges::sort(begins);
  begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  return begins.size();
}

}  // namespace

Status Database::status() const {
  const auto rooms = hall_->rooms();
  const auto unnamed = ingest::unnamed_segments(*rooms->vfs, *rooms->history);
  const auto snapshot = rooms->history->readable();  // damage is told below, not thrown
  Status out;
  out.path = hall_->path();
  out.database_id = rooms->directory.database.text();
  out.format = rooms->directory.format;
  out.head = snapshot->number();
  out.read_only = rooms->read_only;
  for (const auto& entry : snapshot->datasets()) {
    out.datasets.emplace(entry.name,
                         dataset_status(hall_->scan_context(*rooms), *snapshot, entry, out.damage));
  }
  history::LogStatus log = rooms->history->status();
  out.log_files = log.files;
  out.log_bytes = log.bytes;
  out.torn_tails = std::move(log.torn_tails);
  for (const history::LostRecords& lost : log.lost) out.lost.push_back(lost.text());
  out.damage.insert(out.damage.end(), log.damage.begin(), log.damage.end());
  for (const auto& needed : rooms->history->all_segments()) {
    out.segment_bytes += needed.entry.ref.bytes;
  }
  out.tail_commits = tail_commits(*snapshot);
  out.unnamed_files = unnamed.size();
  for (const auto& segment : unnamed) out.unnamed_bytes += segment.bytes;
  out.foreign = db::directory_foreign(*rooms->vfs);
  return out;
}

}  // namespace otolith
