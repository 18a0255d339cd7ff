// A log file for inspect: its header, its frames by kind, and what stands behind them.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "db/inspect_files.h"
#include "history/commit_record.h"
#include "history/file_check.h"
#include "history/frame_record.h"
#include "history/log_layout.h"
#include "io/path.h"

namespace otolith::db {

namespace {

using history::FrameType;

std::string frame_kind_name(std::uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::commit:
      return "commit";
    case FrameType::tag:
      return "tag";
    case FrameType::sync_mark:
      return "sync_mark";
    case FrameType::seal:
      return "seal";
    case FrameType::compact:
      return "compact";
    case FrameType::sweep:
      return "sweep";
    case FrameType::lost:
      return "lost";
  }
  return fmt::format("type {}", type);
}

// Takes the frames of one file, front to back.
class Frames {
 public:
  Frames(LogLayout& out, std::string file, std::vector<Problem>& problems)
      : out_(out), file_(std::move(file)), problems_(problems) {}

  void take(const history::FrameVerdict& frame, std::uint64_t offset) {
    const std::string kind = frame_kind_name(frame.fields.type);
    auto use = std::ranges::find(out_.frames, kind, &FrameUse::kind);
    if (use == out_.frames.end()) use = out_.frames.insert(use, FrameUse{kind});
    ++use->frames;
    use->bytes += frame.bytes;
    out_.frame_bytes += frame.bytes;
    out_.relaxed += frame.fields.relaxed ? 1 : 0;
    out_.record_last = value_of(frame.fields.number);
    out_.record_durable = std::max(out_.record_durable, value_of(frame.fields.synced_to));
    if (unread_ >= kDamagedStretchesMax) return;
    try {
      payload(frame);
    } catch (const Error& error) {
      if (++unread_ == kDamagedStretchesMax) {
        tell(problems_, {fmt::format("{} records or more do not say what their kind has to; later "
                                     "ones are not read",
                                     unread_),
                         {file_, offset, {}},
                         error.code()});
        return;
      }
      const std::string what = fmt::format("record {}, of kind {}: {}",
                                           value_of(frame.fields.number), kind, error.message());
      tell(problems_, {what, {file_, offset, {}}, error.code()});
    }
  }

 private:
  void payload(const history::FrameVerdict& frame) {
    switch (static_cast<FrameType>(frame.fields.type)) {
      case FrameType::commit:
        history::commit_read(frame.payload, commit_);
        out_.commit_last = value_of(commit_.number);
        if (out_.commit_first == 0) out_.commit_first = out_.commit_last;
        break;
      case FrameType::tag:
        (void)history::tag_read(frame.payload);
        break;
      case FrameType::seal:
        (void)history::seal_read(frame.payload);
        break;
      case FrameType::compact:
        (void)history::compact_read(frame.payload);
        break;
      case FrameType::lost:
        (void)history::lost_read(frame.payload);
        break;
      case FrameType::sync_mark:
      case FrameType::sweep:
        break;
    }
  }

  LogLayout& out_;
  const std::string file_;
  std::vector<Problem>& problems_;
  history::CommitRecord commit_;  // its memory is used again
  std::size_t unread_ = 0;        // frames whose payload has a flaw
};

history::LogFileHeader header_of(io::File& file, const std::string& path,
                                 const Surroundings& around) {
  Bytes bytes(history::kLogHeaderBytes);
  bytes.resize(file.read_at(0, bytes));
  if (!around.database) return history::decode_file_header(bytes, path);
  const std::uint64_t number = history::log_file_number(io::entry_name(path));
  return history::decode_file_header(bytes, *around.database, number, path);
}

// Reads all frames; a file that another follows has to hold every record before that one's first.
void take_frames(LogLayout& out, const std::shared_ptr<io::File>& file,
                 const std::shared_ptr<const history::LogFileInfo>& info, std::uint64_t until,
                 bool bounded, std::vector<Problem>& problems) {
  out.frames_read = true;
  const RecordNumber required{bounded ? until : std::min(out.record_durable, until)};
  Frames frames(out, info->path, problems);
  history::FileCheck check(
      history::FrameReader(file, info), {RecordNumber{until}, required},
      [&](const Error& error) { tell(problems, Problem::of(error)); },
      [&](const history::FrameVerdict& frame, std::uint64_t at) { frames.take(frame, at); });
  check.run();
  const std::uint64_t size = file->stat().size;
  std::uint64_t end = check.end();
  if (check.tail() && !check.tail()->blank) {
    out.torn_at = end;
    out.torn_bytes = check.tail()->end - end;
    end = check.tail()->end;
  }
  const bool known = check.tail() || out.record_last == until;
  if (known) out.unused_bytes = size - std::min(size, end);
}

}  // namespace

LogLayout log_layout(io::Vfs& vfs, const std::string& path, const Surroundings& around,
                     bool closely, std::vector<Problem>& problems) {
  const std::shared_ptr<io::File> file = vfs.open(path, io::OpenMode::read);
  const history::LogFileHeader header = header_of(*file, path, around);
  const auto info = std::make_shared<const history::LogFileInfo>(header, path);
  std::optional<RecordNumber> bound;
  if (around.logs != nullptr) bound = around.logs->bound(*info);
  LogLayout out;
  out.database_id = header.database.text();
  out.number = header.file;
  out.epoch = header.epoch;
  out.stripped = header.stripped();
  out.record_first = value_of(header.first);
  out.header_bytes = history::kLogHeaderBytes;
  out.record_durable = std::max(value_of(header.durable), value_of(around.record_durable));
  const std::uint64_t until = bound ? value_of(*bound) - 1 : ~0ull;
  if (closely) {
    take_frames(out, file, info, until, bound.has_value(), problems);
  } else {
    out.record_last = std::min(value_of(around.record_last), until);
  }
  if (out.record_last < out.record_first) out.record_last = 0;
  out.record_durable =
      std::min(out.record_durable, std::max(out.record_last, out.record_first - 1));
  return out;
}

}  // namespace otolith::db
