// How a database or one segment file is laid out: what `inspect` tells.
//
// Role:    care: where the bytes go, which codecs the choice came to, what reads without a copy.
// Shapes:  sizes in bytes; columns in the order of the file; one entry per segment.
// Errors:  not_found for a missing path; invalid_argument for what is neither a database nor a
//          file; unsupported_format for a newer format; corrupt, with file and offset, for a single
//          file that does not open. Damage of a part is told in `problems`, and the rest is shown.
// Threads: thread-safe; writes nothing.
// Why:     footers and column indexes hold it all, so nothing need be decoded, unless `verify` asks
//          for every page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
  Timestamp time_min{};
  Timestamp time_max{};
  bool verified = false;  // every checksum, every value and their order were checked, and are sound
  std::vector<ColumnLayout> columns;
};

/// What `inspect` found.
struct Inspection {
  std::string path;
  bool is_database = false;      // else one segment file
  std::optional<Status> status;  // of a database that opens
  bool verified = false;         // all of it was read and checked; `problems` says what was found
  std::vector<SegmentLayout> segments;
  std::vector<Problem> problems;  // damage, by file and offset

  /// For people: a few lines per segment, a line per column.
  std::string text() const;
  /// For programs: one JSON object.
  std::string json() const;
};

/// What to look at, and how closely.
struct InspectOptions {
  std::string file{};   // of a database: one segment, by its path, its name or its id
  bool verify = false;  // read every byte and check it, past every cache
};

/// Explains a database directory or a segment file.
///
///     fmt::print("{}", inspect("market.oto").text());
Inspection inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace otolith
