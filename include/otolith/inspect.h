// How a database or one of its files is laid out: what `inspect` tells.
//
// Role:    care: where the bytes go, which codecs the choice came to, what reads without a copy,
//          and what every file is for.
// Shapes:  sizes in bytes; columns in the order of the file; one entry per segment and per file.
// Errors:  not_found for a missing path; invalid_argument for what is neither a database nor a file
//          of one; unsupported_format for a newer format; corrupt, with file and offset, for a
//          single file that does not open. Damage of a part is told in `problems`, and the rest is
//          shown.
// Threads: thread-safe; writes nothing.
// Why:     footers and column indexes hold it all, so nothing need be decoded, unless `verify` asks
//          for every page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "otolith/database.h"
#include "otolith/schema.h"
#include "otolith/timestamp.h"

namespace otolith {

/// The chunks of a column that one codec encoded.
struct CodecUse {
  std::string codec;  // name and version: "alp v1"
  std::uint64_t chunks = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

/// What a read of a column hands out without a copy.
enum class ZeroCopy : std::uint8_t {
  none,   // some chunk is encoded, and decoded when it is read
  arrow,  // every chunk is plain; as Arrow batches, one per row group
  numpy,  // and of one width and without nulls: the chunks of a run are one array
};

/// One column of a segment.
struct ColumnLayout {
  std::string name;  // empty where only the file is known
  std::uint32_t id = 0;
  Type type;
  std::uint64_t nulls = 0;
  std::uint64_t validity_bytes = 0;
  std::uint64_t shared_bytes = 0;  // offsets of plain text, dictionaries
  std::uint64_t values_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t plain_bytes = 0;  // of fixed-width values, not encoded; 0 for text
  double bits_per_value = 0;      // of all that a read of it needs but the index
  ZeroCopy zero_copy = ZeroCopy::none;
  std::vector<CodecUse> codecs;  // empty where its index is damaged or needs another build
};

/// One segment file.
struct SegmentLayout {
  std::string file;     // relative to the database, or as it was given
  std::string dataset;  // empty where it is not known, or was dropped
  std::string id;       // 32 hex digits
  bool marks = false;   // holds marks, which end and revive rows, and no columns
  std::uint32_t format = 0;
  std::uint64_t bytes = 0;
  std::uint64_t data_bytes = 0;   // columns, and the zeros between them
  std::uint64_t index_bytes = 0;  // of columns
  std::uint64_t frame_bytes = 0;  // header, footer and trailer
  std::uint64_t rows = 0;
  std::uint64_t row_groups = 0;
  std::uint64_t partitions = 0;
  std::uint64_t runs = 0;
  std::uint32_t page_rows = 0;
  bool unique = false;        // no two rows share keys and time
  bool many_commits = false;  // sealed or compacted: begin and ordinal are columns
  std::string side{};         // "present" or "past" where compact parted it; else empty
  std::uint64_t base = 0;     // the commit that shows all of a present one, and none of a past one
  Timestamp time_min{};
  Timestamp time_max{};
  bool verified = false;  // every checksum, every value and their order were checked, and are sound
  std::vector<ColumnLayout> columns;
};

/// What a file of a database is, by its name; alone, by its name or its first bytes.
enum class FileKind : std::uint8_t {
  otolith,     // OTOLITH: what makes a directory a database
  log,         // log/00000001.log: frames, the truth
  torn_tail,   // log/torn-…: what a crash left behind the last whole frame of a log file
  reserve,     // log/reserve: space for a full disk
  checkpoint,  // index/….checkpoint: derived; catalog and lineage as of one record
  index,       // index/….commits: derived; what is looked up of an unbroken range of commits
  lock,        // lock: the append lock, and hints of one machine
  segment,     // segments/ab/ab….seg
  unfinished,  // being written, or left by a crash; never read
  unknown,     // not ours
};
/// "otolith", "log", "torn_tail", …
std::string_view file_kind_name(FileKind kind) noexcept;

/// OTOLITH.
struct DirectoryLayout {
  std::string database_id;  // 32 hex digits
  std::uint32_t format = 0;
};

/// The frames of one kind in a log file.
struct FrameUse {
  std::string kind;  // "commit", "tag", "sync_mark", "seal", "compact", "sweep", "lost", "type 9"
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  // with their headers and padding
};

/// A log file: its header, and where its frames were read, what they are. Numbers are of records,
/// but for commits; 0: none.
struct LogLayout {
  std::string database_id;
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;  // goes up when relaxed records were lost
  bool stripped = false;    // rows that stand in segments were taken out of it
  std::uint64_t record_first = 0;
  bool frames_read = false;  // where the file was named, or verified
  std::uint64_t record_last = 0;
  std::uint64_t commit_first = 0;
  std::uint64_t commit_last = 0;
  std::uint64_t relaxed = 0;  // frames acknowledged before they were on the disk
  /// Records up to this one are on the disk, as far as header, frames and lock page say.
  std::uint64_t record_durable = 0;
  std::uint64_t header_bytes = 0;
  std::vector<FrameUse> frames;
  std::uint64_t frame_bytes = 0;
  std::optional<std::uint64_t> torn_at;  // offset of what a crash, or a writer at work, left
  std::uint64_t torn_bytes = 0;
  std::uint64_t unused_bytes = 0;  // zeros, allocated beforehand
};

/// What a crash tore: bytes of one log file, from an offset on; where the name says so.
struct TornLayout {
  std::uint64_t log_file = 0;
  std::uint64_t offset = 0;
};

/// A checkpoint.
struct CheckpointLayout {
  std::string database_id;
  std::uint64_t record = 0;
  std::uint64_t commit = 0;
  std::string commit_hash;
  Timestamp commit_time{};
  std::uint64_t replay_from = 0;  // the first record that opening reads again
  std::uint64_t datasets = 0;     // that ever were
  std::uint64_t segments = 0;
  std::uint64_t tags = 0;
  std::uint64_t lost = 0;  // stretches of relaxed records
};

/// A file of the index.
struct IndexLayout {
  std::string database_id;
  std::uint64_t commit_first = 0;
  std::uint64_t commit_last = 0;
  std::uint64_t record_first = 0;
  std::uint64_t record_last = 0;
  Timestamp time_first{};
  Timestamp time_last{};
  std::uint64_t text_bytes = 0;  // authors, messages, changes
};

/// The lock page.
struct LockLayout {
  std::string state;  // "valid", "rebooted": of an earlier uptime, "absent": tells nothing
  std::uint64_t holder_pid = 0;  // of who appended last
  std::uint64_t record_durable = 0;
  std::uint64_t record_visible = 0;
  bool writing = false;  // an append is under way, or was interrupted
};

/// One file that is no segment of a commit. A damaged one has no details.
struct FileLayout {
  using Details = std::variant<std::monostate, DirectoryLayout, LogLayout, TornLayout,
                               CheckpointLayout, IndexLayout, LockLayout>;
  std::string file;  // relative to the database, or as it was given
  FileKind kind = FileKind::unknown;
  std::uint64_t bytes = 0;
  bool verified = false;  // all of it was read and checked, and is sound
  Details details;
};

/// What `inspect` found.
struct Inspection {
  std::string path;
  bool is_database = false;       // else one file: the only one of `files` or `segments`
  std::optional<Status> status;   // of a database that opens
  bool verified = false;          // all of it was read and checked; `problems` says what was found
  std::vector<FileLayout> files;  // all but the segments of commits
  std::vector<SegmentLayout> segments;
  std::vector<Problem> problems;  // damage, by file and offset

  /// "database", or what the one file is.
  std::string_view kind() const noexcept;
  /// For people: a line or a few per file, a line per column.
  std::string text() const;
  /// For programs: one JSON object.
  std::string json() const;
};

/// What to look at, and how closely.
struct InspectOptions {
  std::string file{};   // of a database: one file, by its path, its name or a segment's id
  bool verify = false;  // read every byte and check it, past every cache
};

/// Explains a database directory or a file of one.
///
///     fmt::print("{}", inspect("market.oto").text());
Inspection inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace otolith
