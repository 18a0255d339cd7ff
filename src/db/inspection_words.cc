#include "db/inspection_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace otolith::db {

namespace {

std::string range_text(std::string_view what, std::uint64_t first, std::uint64_t last) {
  if (last == 0) return fmt::format("no {}", what);
  return first == last ? fmt::format("{} {}", what, first)
                       : fmt::format("{}s {} to {}", what, first, last);
}

std::string kind_text(std::string kind) {
  std::ranges::replace(kind, '_', ' ');
  return kind;
}

std::string details_text(std::monostate) { return "\n"; }

std::string details_text(const DirectoryLayout& directory) {
  return fmt::format("; format {} of database {}\n", directory.format, directory.database_id);
}

std::string torn_text(const LogLayout& log) {
  if (!log.torn_at) return "no torn bytes";
  return fmt::format("{} torn from byte {} on", size_text(log.torn_bytes), *log.torn_at);
}

std::string details_text(const LogLayout& log) {
  std::string out = fmt::format("; {}", range_text("record", log.record_first, log.record_last));
  out += log.record_durable < log.record_first
             ? ", none known to be durable"
             : fmt::format(", durable up to {}", log.record_durable);
  if (log.epoch != 0) out += fmt::format("; epoch {}", log.epoch);
  if (log.stripped) out += "; its rows stand in segments";
  if (!log.frames_read) return out + "\n";
  out += fmt::format("\n  {}; {}, {}, {} unused\n",
                     range_text("commit", log.commit_first, log.commit_last),
                     log.relaxed == 0 ? "none relaxed" : fmt::format("{} relaxed", log.relaxed),
                     torn_text(log), size_text(log.unused_bytes));
  std::size_t width = 0;
  for (const FrameUse& use : log.frames) width = std::max(width, use.kind.size());
  for (const FrameUse& use : log.frames) {
    out += fmt::format("  {:<{}}  {:>8}  {}\n", kind_text(use.kind), width,
                       counted(use.frames, "frame"), size_text(use.bytes));
  }
  return out;
}

std::string details_text(const TornLayout& torn) {
  return fmt::format("; what a crash left in log file {} from byte {} on\n", torn.log_file,
                     torn.offset);
}

std::string details_text(const CheckpointLayout& checkpoint) {
  std::string out = fmt::format(
      "; as of record {}, commit {} of {}\n  {}, {}, {}; opening reads on from record {}",
      checkpoint.record, checkpoint.commit, timestamp_format(checkpoint.commit_time),
      counted(checkpoint.datasets, "dataset"), counted(checkpoint.segments, "segment"),
      counted(checkpoint.tags, "tag"), checkpoint.replay_from);
  if (checkpoint.lost != 0) out += fmt::format("; {} of records lost", checkpoint.lost);
  return out + "\n";
}

std::string details_text(const IndexLayout& index) {
  return fmt::format("; {} of {} to {}, {} of text\n",
                     range_text("commit", index.commit_first, index.commit_last),
                     timestamp_format(index.time_first), timestamp_format(index.time_last),
                     size_text(index.text_bytes));
}

std::string details_text(const LockLayout& lock) {
  if (lock.state == "rebooted") return "; of an earlier uptime of the machine\n";
  if (lock.state != "valid") return "; tells nothing, which loses nothing\n";
  return fmt::format("; durable up to record {}, visible up to {}; last writer: process {}{}\n",
                     lock.record_durable, lock.record_visible, lock.holder_pid,
                     lock.writing ? ", and writing" : "");
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1000;
  for (const char* unit : {"kB", "MB", "GB"}) {
    if (size < 1000) return fmt::format("{:.1f} {}", size, unit);
    size /= 1000;
  }
  return fmt::format("{:.1f} TB", size);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

std::string file_text(const FileLayout& file) {
  if (file.kind == FileKind::unknown) return fmt::format("not ours: {}\n", harmless(file.file));
  std::string out = fmt::format("{}: ", harmless(file.file));
  if (file.kind == FileKind::segment) {
    return out + fmt::format("segment of no commit, being written or left by a crash, {}\n",
                             size_text(file.bytes));
  }
  if (file.kind == FileKind::unfinished) out += "being written, or left by a crash, ";
  if (file.kind == FileKind::reserve) out += "space for a full disk, ";
  if (file.kind != FileKind::unfinished && file.kind != FileKind::reserve &&
      file.kind != FileKind::otolith) {
    out += fmt::format("{}, ", kind_text(std::string(file_kind_name(file.kind))));
  }
  out += size_text(file.bytes);
  if (file.verified) out += ", verified";
  return out + std::visit([](const auto& details) { return details_text(details); }, file.details);
}

}  // namespace otolith::db
