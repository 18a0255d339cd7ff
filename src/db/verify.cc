#include "db/hall.h"
#include "scan/store.h"

namespace otolith {

namespace {

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
    report.problems.push_back(Problem::of(error));
  }
}

}  // namespace

VerifyReport Database::verify(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
  const auto rooms = hall_->rooms();
  VerifyReport report;
  rooms->history->verify(
      [&](const Error& error) { report.problems.push_back(Problem::of(error)); });
  report.bytes = rooms->history->status().bytes;
  const auto segments = rooms->history->all_segments();
  std::uint64_t total = report.bytes;
  for (const auto& needed : segments) total += needed.entry.ref.bytes;
  for (const auto& needed : segments) {
    if (progress) progress(report.bytes, total);
    verify_segment(*rooms, needed, hall_->threads(), report);
  }
  if (progress) progress(total, total);
  return report;
}

}  // namespace otolith
