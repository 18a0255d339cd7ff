#include <algorithm>
#include <exception>

#include "base/log.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "db/hall.h"
#include "ingest/join.h"
#include "ingest/sweep.h"

namespace otolith {

namespace {

constexpr std::uint64_t kNapNs = 20'000'000;  // between two looks whether to stop

// Seals, then joins, and tells both as one piece of work.
class Compaction {
 public:
  Compaction(const ingest::IngestContext& context, db::Sealer& sealer, const Progress& progress,
             std::uint64_t bytes_per_second, CompactReport& report)
      : context_(context),
        sealer_(sealer),
        progress_(progress),
        bytes_per_second_(bytes_per_second),
        report_(report) {}

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
    const std::uint64_t begun_ns = context_.environment->monotonic_ns();
    const ingest::Joined joined = ingest::join_segments(
        context_, [&](auto done, auto total) { tell(sealed + done, sealed + total); },
        [&](auto bytes) { keep_pace(bytes, begun_ns); });
    report_.joined_segments += joined.segments;
    report_.joined_rows += joined.rows;
    report_.joined_bytes += joined.bytes;
    report_.present_segments += joined.present.segments;
    report_.present_rows += joined.present.rows;
    report_.past_segments += joined.past.segments;
    report_.past_rows += joined.past.rows;
    if (done_ != total_) tell(total_, total_);  // others joined what was planned
    if (unsealed) std::rethrow_exception(unsealed);
  }

 private:
  // Nobody waits for a join, so it may sleep; who commits may wait for a seal.
  void keep_pace(std::uint64_t bytes, std::uint64_t begun_ns) const {
    if (bytes_per_second_ == 0) return;
    const double due_ns = static_cast<double>(bytes) / static_cast<double>(bytes_per_second_) * 1e9;
    for (;;) {
      const std::uint64_t now_ns = context_.environment->monotonic_ns();
      const double early_ns = due_ns - static_cast<double>(now_ns - begun_ns);
      if (early_ns < 1 || mutant("compact-keeps-no-pace")) return;
      const double nap_ns = std::min(early_ns, static_cast<double>(kNapNs));
      context_.environment->sleep_ns(static_cast<std::uint64_t>(nap_ns));
      stop_point();
    }
  }

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
  const std::uint64_t bytes_per_second_;
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
CompactReport Database::compact(const Progress& progress, std::uint64_t bytes_per_second) {
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
  Compaction compaction(context, sealer, progress, bytes_per_second, report);
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
