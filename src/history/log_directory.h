// The files of log/: which there are, and which of them holds a record.
//
//   00000001.log   records first..      every file begins where all before it is on the disk, so
//   the last 00000002.log   records first'..     file whose first record is not behind r is the one
//   that holds r 00000003-….new being written; takes its name when its bytes are on the disk
//   torn-…         what a crash left behind the last whole frame of a file
//   reserve        space that rollback and sweep may use on a full disk
//
// Role:    rotation, adoption and recovery all make a new file; readers find their way by this
//          list.
// Shapes:  file numbers ascend, gaps are allowed; first records never descend.
// Errors:  corrupt (a header that fails its checks, a missing file), unsupported_format.
// Threads: thread-compatible.
// Why:     a file gets its name only after its fsync, so a name with a bad header is damage, not a
//          crash.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/error.h"
#include "history/frame_reader.h"

namespace otolith::history {

inline constexpr const char* kLogDirectory = "log";

/// A log file that is open.
struct OpenLogFile {
  std::shared_ptr<const LogFileInfo> info;
  std::shared_ptr<io::File> file;
};

class LogDirectory {
 public:
  LogDirectory(io::Vfs& vfs, const Id128& database) : vfs_(vfs), database_(database) {}

  /// Lists the directory and reads the headers that are new. Damaged headers are remembered, not
  /// thrown.
  void refresh();
  /// Adds a file that the caller has just made.
  void add(std::shared_ptr<const LogFileInfo> info);

  /// The sound files, by number.
  const std::vector<std::shared_ptr<const LogFileInfo>>& files() const noexcept { return files_; }
  /// The last sound file; null if there is none.
  std::shared_ptr<const LogFileInfo> last() const;
  /// The file that must hold this record; null if it stands before the first file.
  std::shared_ptr<const LogFileInfo> holding(RecordNumber record) const;
  /// The first record that is no longer this file's; nullopt for the last file.
  std::optional<RecordNumber> bound(const LogFileInfo& info) const;
  /// Throws the damage of a header behind this file, if one is damaged; else returns.
  void throw_damage_behind(std::uint64_t file) const;
  /// Where the records of this file end before `expected`: throws if a file behind it is missing
  /// that must have held it; else returns.
  void throw_gap(const LogFileInfo& info, RecordNumber expected) const;
  const std::map<std::uint64_t, Error>& damage() const noexcept { return damage_; }

  /// The number that the next file gets.
  std::uint64_t next_number() const;
  /// The highest epoch that a header names.
  std::uint64_t epoch() const;

  /// Corrupt if it is no longer there.
  std::unique_ptr<io::File> open(const LogFileInfo& info, io::OpenMode mode) const;
  /// With the header that it has now: a file that is no longer appended to may have been rewritten.
  OpenLogFile reopen(const LogFileInfo& info, io::OpenMode mode) const;

 private:
  void read_header(std::uint64_t number);

  io::Vfs& vfs_;
  const Id128 database_;
  std::vector<std::shared_ptr<const LogFileInfo>> files_;
  std::map<std::uint64_t, Error> damage_;  // by file number
};

/// What a new log file holds when it takes its name.
struct NewLogFile {
  LogFileHeader header;            // `bytes` is filled in
  BytesView frames;                // records header.first .. header.durable
  std::uint64_t bytes_wanted = 0;  // to preallocate; less on a full disk
};
/// Writes, syncs and names a new log file, then syncs the directory. On failure before it has its
/// name nothing is left of it; io where the name is taken.
OpenLogFile begin_log_file(io::Vfs& vfs, NewLogFile wanted);
/// The same in the place of the file that has the name; `unique` makes a name for it meanwhile.
/// Gives its size; nullopt, and nothing done, where that file is `known` no longer: a backup was
/// put back, say. not_found where a writer that began a file took it for what another left.
std::optional<std::uint64_t> replace_log_file(io::Vfs& vfs, NewLogFile wanted, const Id128& unique,
                                              const io::FileStat& known);

/// Keeps bytes [from, to) of a log file beside the log; durable after the next sync of the
/// directory.
void keep_torn_tail(io::Vfs& vfs, const LogFileInfo& info, io::File& file, std::uint64_t from,
                    std::uint64_t to);
/// Paths of all that keep_torn_tail kept.
std::vector<std::string> torn_tails(io::Vfs& vfs);

}  // namespace otolith::history
