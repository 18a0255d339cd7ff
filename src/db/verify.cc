#include "base/error.h"
#include "db/hall.h"
#include "segment/reader.h"

namespace otolith {

namespace {

std::vector<std::uint64_t> commits_of(const history::SegmentEntry& segment) {
  if (segment.begin_first == segment.begin_last) return {value_of(segment.begin_first)};
  return {value_of(segment.begin_first), value_of(segment.begin_last)};
}

/// Reads and checks one segment, past every cache; what is wrong becomes a problem.
void verify_segment(const db::Rooms& rooms, DatasetId dataset, const history::SegmentEntry& segment,
                    VerifyReport& report) {
  const std::string path = segment::segment_path(segment.ref.id);
  try {
    segment::SegmentReader::open(rooms.vfs->open(path, io::OpenMode::read), path,
                                 segment::expect_of(segment.ref, rooms.directory.database, dataset),
                                 false)
        ->verify();
    ++report.segments;
    report.bytes += segment.ref.bytes;
  } catch (const Error& error) {
    ErrorWhere where = error.where();
    if (where.file.empty()) where.file = path;
    where.commits = commits_of(segment);
    report.problems.push_back({error.message(), std::move(where)});
  }
}

}  // namespace

VerifyReport Database::verify(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
  const auto rooms = hall_->rooms();
  VerifyReport report;
  rooms->history->verify([&](const Error& error) {
    report.problems.push_back({error.message(), error.where()});
  });
  report.bytes = rooms->history->status().bytes;
  const auto segments = rooms->history->all_segments();
  std::uint64_t total = report.bytes;
  for (const auto& [dataset, segment] : segments) total += segment.ref.bytes;
  for (const auto& [dataset, segment] : segments) {
    if (progress) progress(report.bytes, total);
    verify_segment(*rooms, dataset, segment, report);
  }
  if (progress) progress(total, total);
  return report;
}

}  // namespace otolith
