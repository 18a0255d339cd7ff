// The declared shape of a dataset: its columns, its time column, its keys, and its policies.
//
// Role:    given to create_table, kept in the commit log under lineage, carried by every batch. A
//          collection of documents is a dataset too, whose schema says so (collection_schema).
// Shapes:  1 to kColumnsMax columns, exactly one time column (timestamp, never null), any number of
//          keys (never null). Names are 1 to 255 bytes of UTF-8 without control characters.
// Errors:  schema_check throws invalid_argument naming the column and the remedy.
// Threads: immutable, once shared.
// Why:     columns carry ids beside names, so that renaming touches no data (docs/history.md 4).
//          Documents are rows of three columns: one engine, not two (docs/adr/0056).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otolith/timestamp.h"

namespace otolith {

/// The type of a column. Numbers are part of the formats: never renumbered.
enum class TypeKind : std::uint8_t {
  boolean = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  uint8 = 6,
  uint16 = 7,
  uint32 = 8,
  uint64 = 9,
  float32 = 10,
  float64 = 11,
  decimal = 12,    // with precision and scale
  timestamp = 13,  // int64 ns UTC
  string = 14,     // UTF-8
  binary = 15,
};

/// A type with its parameters; the parameters are zero except for decimals.
struct Type {
  TypeKind kind = TypeKind::int64;
  std::uint8_t precision = 0;  // decimal digits, 1 to 38
  std::uint8_t scale = 0;      // of them after the point
  bool operator==(const Type&) const = default;
};

/// The type as users write it: "int32", "timestamp", "decimal(12,2)".
std::string type_name(Type type);
/// Parses what type_name writes; throws invalid_argument with the known names.
Type type_parse(std::string_view text);
/// Bytes of one value in memory, 0 for strings and binary.
std::uint32_t type_width(Type type) noexcept;
/// True for the types this build can store; false where precision and scale do not fit the kind.
bool type_supported(Type type) noexcept;

/// One column of a table.
struct Column {
  std::string name{};
  Type type{};
  bool nullable = true;  // the time column and keys are never null
  std::uint32_t id = 0;  // ColumnId, from 1; 0 until the dataset is created
  std::string codec{};   // a profile of its own, or empty for the table's
  std::map<std::string, std::string> metadata{};
  bool operator==(const Column&) const = default;
};

/// How rows are put together in time buckets (UTC).
enum class Partition : std::uint8_t { none = 0, hour = 1, day = 2, month = 3, year = 4 };

/// Rows that share keys and time: all are shown, the last or the first; `error` refuses a second.
enum class Duplicates : std::uint8_t { keep = 0, last = 1, first = 2, error = 3 };

/// What a dataset holds: rows of typed columns, or documents.
enum class DatasetKind : std::uint8_t { table = 0, collection = 1 };

/// What numbers that state a time count, from 1970-01-01T00:00Z on; `none`: they state none.
enum class TimeUnit : std::uint8_t {
  none = 0,
  second = 1,
  millisecond = 2,
  microsecond = 3,
  nanosecond = 4
};

/// Where the documents of a collection say their time.
struct DocumentTime {
  std::string path{};              // as in conditions, "user.joined"; empty: nowhere
  TimeUnit unit = TimeUnit::none;  // of numbers that stand there
  bool operator==(const DocumentTime&) const = default;
};

/// What files `compact` makes of a dataset.
struct SegmentSizes {
  std::uint64_t bytes = 0;   // about so many at most; 0: 256 MiB
  std::uint32_t spread = 1;  // so many at least, of rows that are enough for them
  bool operator==(const SegmentSizes&) const = default;
};

/// The shape and the policies of a table.
struct Schema {
  std::vector<Column> columns{};
  std::string time = "time";        // name of the time column
  std::vector<std::string> keys{};  // names, in the order of sorting
  Partition partition = Partition::day;
  Duplicates duplicates = Duplicates::keep;
  std::string codec = "hot";  // profile: hot | small | raw
  std::map<std::string, std::string> metadata{};
  DatasetKind kind = DatasetKind::table;
  DocumentTime document_time{};  // of collections
  SegmentSizes segments{};
  bool operator==(const Schema&) const = default;

  /// Index of a column by name; nullopt if there is none.
  std::optional<std::size_t> find(std::string_view name) const noexcept;
  /// Index of the time column.
  std::size_t time_index() const;
  /// Indexes of the keys, in the order of sorting.
  std::vector<std::size_t> key_indexes() const;
  /// Names of all columns, in order.
  std::vector<std::string> names() const;
};

/// The columns of a collection: each document is a row.
inline constexpr std::string_view kDocumentId = "_id";      // string: the key
inline constexpr std::string_view kDocumentTime = "_time";  // timestamp: the time column
inline constexpr std::string_view kDocumentBody = "_body";  // binary: msgpack without the id
/// What stands in `_time` where no time is stated: the time of the commit that put the document.
inline constexpr Timestamp kTimeOfCommit = kTimestampMin;

/// The schema of every collection, but for where its documents say their time.
Schema collection_schema(DocumentTime time = {});

/// Throws invalid_argument (limit where a maximum is passed) unless a table can have this schema.
void schema_check(const Schema& schema);
/// The schema as it is stored: the time column and the keys are marked as never null.
Schema schema_stored(Schema schema);

}  // namespace otolith
