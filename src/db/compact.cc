#include <algorithm>
#include <exception>

#include "base/log.h"
#include "db/hall.h"
#include "ingest/join.h"
#include "ingest/sweep.h"

namespace otolith {

namespace {

// Seals, then joins, and tells both as one piece of work.
class Compaction {
 public:
  Compaction(const ingest::IngestContext& context, db::Sealer& sealer, const Progress& progress,
             CompactReport& report)
      : context_(context), sealer_(sealer), progress_(progress), report_(report) {}

  // What one dataset keeps from being sealed keeps none from being joined; its error is told.
  void run() {
    const std::uint64_t planned = progress_ ? ingest::join_bytes(context_) : 0;
    std::uint64_t sealed = 0;
    std::exception_ptr unsealed;
    try {
      sealer_.alone([&] {
        report_.sealed_rows += ingest::seal_tail(context_, [&](auto done, auto total) {
          sealed = total;
          tell(done, total + planned);
        });
      });
    } catch (const Error& error) {
      const bool of_dataset =
          !stopped_ && error.code() != ErrorCode::io && error.code() != ErrorCode::no_space;
      if (!of_dataset) throw;
      unsealed = std::current_exception();
    }
    const ingest::Joined joined = ingest::join_segments(
        context_, [&](auto done, auto total) { tell(sealed + done, sealed + total); });
    report_.joined_segments += joined.segments;
    report_.joined_rows += joined.rows;
    report_.joined_bytes += joined.bytes;
    if (done_ != total_) tell(total_, total_);  // others joined what was planned
    if (unsealed) std::rethrow_exception(unsealed);
  }

 private:
  void tell(std::uint64_t done, std::uint64_t total) {
    if (!progress_) return;
    done_ = done;
    total_ = std::max(total, total_);
    stopped_ = true;
    progress_(done_, total_);
    stopped_ = false;
  }

  const ingest::IngestContext& context_;
  db::Sealer& sealer_;
  const Progress& progress_;
  CompactReport& report_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  bool stopped_ = false;  // by the caller
};

// A copy of what stays needs space for a moment: without it all else was done.
void strip(const ingest::IngestContext& context, db::Sealer& sealer, CompactReport& report) {
  try {
    sealer.alone([&] {
      const history::StripReport stripped = context.history->strip_log();
      report.stripped_files = stripped.files;
      report.stripped_bytes = stripped.bytes;
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space) throw;
    log_line(LogLevel::warning, std::string("sealed rows stay in the log too: ") + error.what());
  }
}

}  // namespace

// Swept first: on a full disk that is where the space comes from. Relaxed commits are made durable,
// for a seal and a join take durable rows only. Joins go on beside the thread that seals, so that
// commits wait for a seal at most.
CompactReport Database::compact(const Progress& progress) {
  const auto rooms = hall_->rooms_to_write();
  const ingest::IngestContext context = hall_->ingest_context(*rooms);
  CompactReport report;
  db::Sealer& sealer = *rooms->sealer;
  const auto sweep = [&](bool at_once) {
    ingest::Swept swept;
    sealer.alone([&] { swept = ingest::sweep(context, at_once); });
    report.swept_files += swept.files;
    report.swept_bytes += swept.bytes;
    return swept.files != 0;
  };
  rooms->history->sync();
  sweep(false);
  Compaction compaction(context, sealer, progress, report);
  try {
    compaction.run();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space || !sweep(true)) throw;
    compaction.run();
  }
  strip(context, sealer, report);
  if (report.joined_segments != 0) sweep(false);
  if (report.joined_segments != 0) rooms->sealer->sweep_behind(rooms->sweep_after_ns);
  return report;
}

}  // namespace otolith
