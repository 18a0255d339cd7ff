// The header of a log file: whose it is, where it begins, and what was on the disk before it.
//
// Role:    written once, before the file takes its name; read first by everything that opens the
//          file.
// Shapes:  kLogHeaderBytes (log_layout.h).
// Errors:  corrupt (file, offset 0), unsupported_format (a newer version or an unknown required
//          feature).
// Threads: immutable.
#pragma once

#include <string>

#include "base/hash.h"
#include "base/ids.h"

namespace otolith::history {

struct LogFileHeader {
  Id128 database;
  Id128 salt;              // random; seeds every checksum of the file
  std::uint64_t file = 1;  // its number, as in its name
  RecordNumber first{1};   // number of its first frame: every record before it was on the disk
  RecordNumber durable{
      0};  // every record up to this one was on the disk when the file took its name
  std::uint64_t epoch = 0;  // goes up when relaxed records were lost
  std::uint64_t bytes = 0;  // size of the file when it took its name; it never shrinks below
  Hash256 commit_hash;      // of the newest commit before its first frame
  std::uint64_t required = 0;
  std::uint64_t optional = 0;

  /// What seeds the checksums of its frames, and the chain that its first frame carries.
  std::uint64_t seed() const noexcept;
  /// Whether rows that stand in segments were taken out of it.
  bool stripped() const noexcept;
};

/// kLogHeaderBytes bytes.
Bytes encode_file_header(const LogFileHeader& header);

/// Checks magic, checksum, version, features and reserved bytes; `path` is for messages.
LogFileHeader decode_file_header(BytesView bytes, const std::string& path);
/// The same, and that it belongs to this database and file number.
LogFileHeader decode_file_header(BytesView bytes, const Id128& database, std::uint64_t file,
                                 const std::string& path);

/// `log/00000042.log`
std::string log_file_path(std::uint64_t file);

/// The number in a name such as `00000042.log`; 0 for any other name.
std::uint64_t log_file_number(std::string_view name) noexcept;

}  // namespace otolith::history
