#include "history/file_check.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/recovery.h"

namespace otolith::history {

void FileCheck::run() {
  try {
    check_not_cut(*reader_.info(), reader_.file());
  } catch (const Error& error) {
    problem_(error);
  }
  while (reader_.last() < extent_.until) {
    FrameVerdict verdict = next();
    if (verdict.soundness != Soundness::sound && !skip(verdict)) return;
  }
}

// Judges the next frame, and hands it over if it is sound.
FrameVerdict FileCheck::next() {
  const std::uint64_t offset = reader_.offset();
  const FrameVerdict verdict = reader_.next();
  if (verdict.soundness == Soundness::sound && sound_) sound_(verdict, offset);
  return verdict;
}

// Reports what is wrong here and goes on at the next sound frame; false if there is none.
bool FileCheck::skip(FrameVerdict& verdict) {
  const LogFileInfo& info = *reader_.info();
  const RecordNumber expected = otolith::next(reader_.last());
  if (verdict.soundness == Soundness::unsupported) {
    report(ErrorCode::unsupported_format, expected, expected, verdict.why);
    return false;
  }
  const TailVerdict tail = judge_tail(reader_.file(), info, reader_.offset(), expected);
  if (!tail.blank && !mutant("log-check-meets-writer")) {
    // A writer may have been at work between the two looks: then the frame is there by now.
    reader_.forget();
    verdict = next();
    if (verdict.soundness == Soundness::sound) return true;
  }
  const RecordNumber required =
      std::min(extent_.until, std::max({extent_.required, info.header.durable, tail.proven}));
  if (expected > required) {  // the end, or a torn tail: status tells of it
    tail_ = tail;
    return false;
  }
  const bool more =
      tail.found && tail.found->number > expected && tail.found->number <= extent_.until;
  const RecordNumber end = more ? RecordNumber{value_of(tail.found->number) - 1} : required;
  report(ErrorCode::corrupt, expected, end,
         verdict.soundness == Soundness::zero ? "it is blank" : verdict.why);
  if (!more) return false;
  if (++stretches_ == kDamagedStretchesMax && !mutant("log-damage-without-end")) {
    problem_(Error(ErrorCode::corrupt,
                   fmt::format("the file is damaged in {} places; what stands behind is not read",
                               kDamagedStretchesMax),
                   ErrorWhere{info.path, tail.found_at, {}}));
    return false;
  }
  reader_.resume_at(tail.found_at, *tail.found);
  return true;
}

void FileCheck::report(ErrorCode code, RecordNumber first, RecordNumber end, const char* why) {
  const std::string which = first >= end
                                ? fmt::format("record {}", value_of(first))
                                : fmt::format("records {} to {}", value_of(first), value_of(end));
  problem_(Error(code, fmt::format("{} cannot be read: {}", which, why),
                 ErrorWhere{reader_.info()->path, reader_.offset(), {}}));
}

}  // namespace otolith::history
