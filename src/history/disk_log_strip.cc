#include <algorithm>

#include "base/error.h"
#include "history/disk_log.h"

namespace otolith::history {

namespace {

// The records of a file up to `last`, rewritten; nullopt where a later version wrote one of a kind
// that this one cannot write.
std::optional<Bytes> rewritten(FrameReader reader, RecordNumber last, const Rewrite& rewrite) {
  const LogFileInfo& info = *reader.info();
  const std::uint64_t seed = info.header.seed();
  Bytes out;
  std::uint64_t chain = seed;
  while (reader.last() < last) {
    const std::uint64_t offset = reader.offset();
    const RecordNumber expected = next(reader.last());
    const FrameVerdict verdict = reader.next();
    if (verdict.soundness == Soundness::unsupported) throw_unsupported(info, offset, verdict);
    if (verdict.soundness != Soundness::sound) {
      throw_unreadable(info, offset, expected,
                       verdict.soundness == Soundness::zero ? "it is blank" : verdict.why);
    }
    if (!frame_type_known(verdict.fields.type)) return std::nullopt;
    FrameFields fields = verdict.fields;
    fields.chain = chain;
    const auto type = static_cast<FrameType>(fields.type);
    chain = encode_frame(out, fields,
                         rewrite({fields.number, type, fields.relaxed, verdict.payload}), seed);
  }
  return out;
}

// nullopt where another file has the name by now, and where a writer that began a file took the
// copy for what an interrupted one left.
std::optional<std::uint64_t> replaced(io::Vfs& vfs, NewLogFile wanted, const Id128& unique,
                                      const io::FileStat& known) {
  try {
    return replace_log_file(vfs, std::move(wanted), unique, known);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return std::nullopt;
  }
}

}  // namespace

bool DiskLog::strip_due(std::size_t followers) {
  const MutexLock guard(mutex_);
  const auto& files = directory_.files();
  for (std::size_t i = 0; i + followers < files.size(); ++i) {
    const LogFileHeader& header = files[i]->header;
    if (header.file > stripped_to_ && !header.stripped()) return true;
  }
  return false;
}

// The salt stays, so that a handle that knows the file by its old header reads the new one: all
// else in the header that a reader looks at stays too. What stands behind the last record is left
// out: the file that follows has it, or torn-….
StripReport DiskLog::strip(RecordNumber until, std::size_t followers, const Rewrite& rewrite) {
  require_writer();
  StripReport report;
  LogDirectory directory(*vfs_, database_);
  directory.refresh();
  std::uint64_t stripped_to = 0;
  const auto& files = directory.files();
  for (std::size_t i = 0; i + std::max<std::size_t>(followers, 1) < files.size(); ++i) {
    const auto& known = files[i];
    const RecordNumber bound = *directory.bound(*known);
    if (bound > until) break;
    const OpenLogFile found = directory.reopen(*known, io::OpenMode::read);
    if (!found.info->header.stripped()) {
      const RecordNumber last{value_of(bound) - 1};
      const auto frames = rewritten(FrameReader(found.file, found.info), last, rewrite);
      if (!frames) break;
      NewLogFile wanted{.header = found.info->header, .frames = *frames};
      wanted.header.optional |= kLogStripped;
      Id128 unique;
      environment_->random(unique.bytes);
      const io::FileStat before = found.file->stat();
      const auto now = replaced(*vfs_, std::move(wanted), unique, before);
      if (!now) break;
      ++report.files;
      report.bytes += before.size - std::min(before.size, *now);
    }
    stripped_to = known->header.file;
  }
  stripped_to_ = std::max(stripped_to_.load(), stripped_to);
  return report;
}

}  // namespace otolith::history
