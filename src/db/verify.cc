#include <algorithm>
#include <set>

#include "base/error.h"
#include "db/hall.h"
#include "scan/rows_proof.h"
#include "scan/store.h"

namespace otolith {

namespace {

bool is_needed(history::History& history, const Id128& segment) {
  (void)history.readable();
  return std::ranges::any_of(history.all_segments(), [&](const history::NeededSegment& needed) {
    return needed.entry.ref.id == segment;
  });
}

/// Those that were not looked at yet.
std::vector<history::NeededSegment> unseen_segments(history::History& history,
                                                    std::set<Id128>& seen) {
  std::vector<history::NeededSegment> out = history.all_segments();
  std::erase_if(out, [&](const auto& needed) { return !seen.insert(needed.entry.ref.id).second; });
  return out;
}

/// Reads and checks one segment, past every cache; what is wrong becomes a problem.
void verify_segment(const db::Rooms& rooms, const history::NeededSegment& needed, unsigned threads,
                    VerifyReport& report) {
  try {
    // Of marks history has read and compared the file already.
    if (!needed.marks) {
      const auto schema = rooms.history->schema_of(needed.dataset);
      rooms.store->verify(needed.dataset, needed.entry, schema, threads);
    }
    ++report.segments;
    report.bytes += needed.entry.ref.bytes;
  } catch (const Error& error) {
    if (is_needed(*rooms.history, needed.entry.ref.id))
      report.problems.push_back(Problem::of(error));
  }
}

void check_rows(const scan::ScanContext& context, history::History& history,
                const history::RowsProof& proof, VerifyReport& report) {
  const auto dataset = history.at(proof.commit)->find(proof.dataset);
  if (!dataset) return;  // dropped by the commit that added them
  const scan::RowsVerdict verdict =
      scan::rows_verdict(context, history.readable(), *dataset, proof);
  ++report.commits;
  if (verdict == scan::RowsVerdict::unknown) ++report.commits_unknown;
  if (verdict != scan::RowsVerdict::differ) return;
  report.problems.push_back(Problem::of(
      Error(ErrorCode::corrupt,
            fmt::format("the rows that commit {} added to {} are others than those its hash is of; "
                        "restore a copy whose history verifies",
                        value_of(proof.commit), quoted(dataset->name)),
            {{}, std::nullopt, {value_of(proof.commit)}})));
}

void verify_rows(const db::Hall& hall, const db::Rooms& rooms,
                 const std::vector<history::RowsProof>& proofs, VerifyReport& report) {
  for (const history::RowsProof& proof : proofs) {
    try {
      check_rows(hall.scan_context(rooms), *rooms.history, proof, report);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      report.problems.push_back(Problem::of(error));
    }
  }
}

}  // namespace

VerifyReport Database::verify(const Progress& progress, bool history) const {
  const auto rooms = hall_->rooms();
  VerifyReport report;
  std::vector<history::RowsProof> proofs;
  std::function<void(const history::RowsProof&)> keep;
  if (history) keep = [&](const history::RowsProof& proof) { proofs.push_back(proof); };
  rooms->history->verify([&](const Error& error) { report.problems.push_back(Problem::of(error)); },
                         keep);
  report.bytes = rooms->history->status().bytes;
  std::uint64_t total = report.bytes;
  std::set<Id128> seen;
  // Again, for what was joined meanwhile: segments that went are no problem, the new ones may be.
  for (auto segments = unseen_segments(*rooms->history, seen); !segments.empty();
       segments = unseen_segments(*rooms->history, seen)) {
    for (const auto& needed : segments) total += needed.entry.ref.bytes;
    for (const auto& needed : segments) {
      if (progress) progress(report.bytes, total);
      verify_segment(*rooms, needed, hall_->threads(), report);
    }
  }
  verify_rows(*hall_, *rooms, proofs, report);
  if (progress) progress(total, total);
  return report;
}

}  // namespace otolith
