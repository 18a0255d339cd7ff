#include "db/hall.h"
#include "ingest/sweep.h"

namespace otolith {

// Swept first: on a full disk that is where the space for the seal comes from. Relaxed commits are
// made durable, for a seal takes durable rows only.
CompactReport Database::compact(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const auto rooms = hall_->rooms_to_write();
  const ingest::IngestContext context = hall_->ingest_context(*rooms);
  CompactReport report;
  rooms->history->sync();
  rooms->sealer->alone([&] {
    const ingest::Swept swept = ingest::sweep(context);
    report.swept_files = swept.files;
    report.swept_bytes = swept.bytes;
    report.sealed_rows = ingest::seal_tail(context, progress);
  });
  return report;
}

}  // namespace otolith
