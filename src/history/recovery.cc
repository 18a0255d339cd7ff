#include "history/recovery.h"

#include "base/mutant.h"
#include "history/torn_tail.h"

namespace otolith::history {

namespace {

[[noreturn]] void throw_missing_files(const LockPage& page) {
  throw_corrupt(log_file_path(page.valid() ? page.words.file : 1), 0,
                "this log file is missing; put it back, or restore a backup");
}

// Takes frames from the reader to the first that is not sound. Returns that verdict. Without a page
// what frames say of those before them counts as proof; after a reboot nothing needs to be copied.
FrameVerdict read_to_end(FrameReader& reader, RecoveryPlan& plan, PageState page) {
  for (;;) {
    FrameVerdict verdict = reader.next();
    if (verdict.soundness != Soundness::sound) return verdict;
    const FrameFields& fields = verdict.fields;
    if (page == PageState::absent) plan.durable = std::max(plan.durable, fields.synced_to);
    if (next(plan.durable) >= fields.number) plan.copies.clear();
    if (fields.number <= plan.durable || page == PageState::rebooted) continue;
    plan.copies.push_back({verdict.fields.type, verdict.fields.relaxed,
                           Bytes(verdict.payload.begin(), verdict.payload.end())});
  }
}

// What is durable before a single frame was read.
RecordNumber durable_at_first(const RecoveryQuestion& question, const LogFileHeader& header) {
  const RecordNumber before{value_of(header.first) - 1};
  const RecordNumber known = std::max(question.known_durable, before);
  if (question.page.valid()) return std::max(known, question.page.words.durable);
  return std::max(known, header.durable);
}

void keep_copies_behind(RecoveryPlan& plan, RecordNumber durable) {
  const std::uint64_t copied_from = value_of(plan.last) - plan.copies.size();
  const std::uint64_t drop = std::min<std::uint64_t>(
      plan.copies.size(), value_of(durable) - std::min(value_of(durable), copied_from));
  plan.copies.erase(plan.copies.begin(), plan.copies.begin() + static_cast<std::ptrdiff_t>(drop));
  plan.durable = durable;
}

void find_lost(RecoveryPlan& plan, const RecoveryQuestion& question) {
  RecordNumber shown = question.handed_over;
  if (question.page.valid()) shown = std::max(shown, question.page.words.visible);
  if (shown > plan.last) plan.lost_to = shown;
}

}  // namespace

void throw_unreadable(const LogFileInfo& info, std::uint64_t offset, RecordNumber expected,
                      const char* why) {
  throw_corrupt(
      info.path, offset,
      fmt::format("record {} was durable and can no longer be read: {}; records before it "
                  "are sound, restore the rest from a backup or a replica",
                  value_of(expected), why));
}

void check_not_cut(const LogFileInfo& info, const io::File& file) {
  const std::uint64_t size = file.stat().size;
  if (size >= info.header.bytes) return;
  throw_corrupt(
      info.path, size,
      fmt::format("the log file was cut short: it began with {} bytes; records at its end "
                  "may be missing",
                  info.header.bytes));
}

void throw_unsupported(const LogFileInfo& info, std::uint64_t offset, const FrameVerdict& verdict) {
  throw_error(ErrorCode::unsupported_format,
              fmt::format("record {} of the log {}; open this database with a newer Otolith",
                          value_of(verdict.fields.number), verdict.why),
              ErrorWhere{info.path, offset, {}});
}

RecoveryPlan plan_recovery(const LogDirectory& directory, const RecoveryQuestion& question) {
  const auto info = directory.last();
  const LockPage& page = question.page;
  directory.throw_damage_behind(info ? info->header.file : 0);
  if (!info || (page.valid() && page.words.file > info->header.file)) throw_missing_files(page);

  RecoveryPlan plan;
  plan.file = {info, directory.open(*info, io::OpenMode::read_write)};
  plan.durable = durable_at_first(question, info->header);
  FrameReader reader(plan.file.file, info);
  const FrameVerdict stop = read_to_end(reader, plan, page.state);
  plan.last = reader.last();
  plan.place = {reader.offset(), reader.last(), reader.chain()};
  if (stop.soundness == Soundness::unsupported) throw_unsupported(*info, reader.offset(), stop);

  if (stop.soundness == Soundness::bad && mutant("log-truncates-before-reading")) {
    plan.file.file->truncate(reader.offset());
  }
  const RecordNumber expected = next(plan.last);
  const TailVerdict tail = judge_tail(*plan.file.file, *info, reader.offset(), expected);
  const char* const why = stop.soundness == Soundness::zero ? "it is blank" : stop.why;
  const RecordNumber proven = std::max({plan.durable, info->header.durable, tail.proven});
  if (proven >= expected) throw_unreadable(*info, reader.offset(), expected, why);
  check_not_cut(*info, *plan.file.file);
  plan.torn_from = reader.offset();
  plan.torn_to = tail.blank ? reader.offset() : tail.end;
  if (page.state == PageState::rebooted) plan.durable = plan.last;
  keep_copies_behind(plan, plan.durable);
  find_lost(plan, question);
  plan.raise_epoch = plan.lost_to != RecordNumber{0} ||
                     (page.state == PageState::absent && !mutant("log-absent-epoch-kept"));
  const bool in_place = page.state == PageState::rebooted ||
                        (page.state == PageState::absent && mutant("log-absent-in-place"));
  plan.begin_file =
      !in_place || plan.lost_to != RecordNumber{0} || !tail.blank || !plan.copies.empty();
  return plan;
}

}  // namespace otolith::history
