#include <algorithm>
#include <set>

#include "db/hall.h"
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

}  // namespace

VerifyReport Database::verify(const Progress& progress) const {
  const auto rooms = hall_->rooms();
  VerifyReport report;
  rooms->history->verify(
      [&](const Error& error) { report.problems.push_back(Problem::of(error)); });
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
  if (progress) progress(total, total);
  return report;
}

}  // namespace otolith
