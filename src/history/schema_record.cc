#include "history/schema_record.h"

#include <set>
#include <string_view>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::uint8_t kTableVersion = 1;
constexpr std::uint8_t kCollectionVersion = 2;
constexpr std::uint8_t kSizedVersion = 2;   // more than that: sizes of segments follow
constexpr std::size_t kColumnBytesMin = 8;  // no column takes less

using Metadata = std::map<std::string, std::string>;

void metadata_write(ByteWriter& out, const Metadata& metadata) {
  out.put_varint(metadata.size());
  for (const auto& [key, value] : metadata) {
    out.put_text(key);
    out.put_text(value);
  }
}

Metadata metadata_read(ByteReader& in) {
  Metadata metadata;
  const std::uint64_t count = in.get_count(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key(in.get_text(kMetadataBytesMax));
    if (!metadata.empty() && key <= metadata.rbegin()->first) in.fail("metadata not in order");
    metadata.emplace_hint(metadata.end(), std::move(key), in.get_text(kMetadataBytesMax));
  }
  return metadata;
}

void column_write(ByteWriter& out, const Column& column) {
  out.put_text(column.name);
  out.put(column.type.kind);
  out.put(column.type.precision);
  out.put(column.type.scale);
  out.put<std::uint8_t>(column.nullable ? 1 : 0);
  out.put_varint(column.id);
  out.put_text(column.codec);
  metadata_write(out, column.metadata);
}

template <typename Enum>
Enum enum_read(ByteReader& in, Enum last, const char* why) {
  const auto value = in.get<Enum>();
  if (static_cast<std::uint8_t>(value) > static_cast<std::uint8_t>(last)) in.fail(why);
  return value;
}

Column column_read(ByteReader& in) {
  Column column;
  column.name = in.get_text(kNameBytesMax);
  column.type.kind = enum_read(in, TypeKind::binary, "unknown column type");
  if (static_cast<std::uint8_t>(column.type.kind) == 0) in.fail("unknown column type");
  column.type.precision = in.get<std::uint8_t>();
  column.type.scale = in.get<std::uint8_t>();
  if (!type_supported(column.type) && !mutant("schema-digits-unchecked"))
    in.fail("impossible precision or scale of a column");
  const auto nullable = in.get<std::uint8_t>();
  if (nullable > 1) in.fail("flag is neither 0 nor 1");
  column.nullable = nullable == 1;
  const std::uint64_t id = in.get_varint();
  if (id == 0 || id > UINT32_MAX) in.fail("column id out of range");
  column.id = static_cast<std::uint32_t>(id);
  column.codec = in.get_text(kNameBytesMax);
  column.metadata = metadata_read(in);
  return column;
}

void document_time_write(ByteWriter& out, const DocumentTime& time) {
  out.put_text(time.path);
  out.put(time.unit);
}

void document_time_read(ByteReader& in, Schema& schema) {
  schema.kind = DatasetKind::collection;
  schema.document_time.path = in.get_text(kMetadataBytesMax);
  schema.document_time.unit = enum_read(in, TimeUnit::nanosecond, "unknown unit of times");
}

void sizes_read(ByteReader& in, Schema& schema) {
  schema.segments.bytes = in.get_varint();
  const std::uint64_t spread = in.get_varint();
  if (spread > kSpreadMax) in.fail("spread out of range");
  schema.segments.spread = static_cast<std::uint32_t>(spread);
  if (schema.segments == SegmentSizes{}) in.fail("sizes of segments that are none");
}

// A schema that nobody can have made would be read by code that counts on its columns.
void check_whole(ByteReader& in, const Schema& schema) {
  try {
    schema_check(schema);
  } catch (const Error& error) {
    in.fail(error.message().c_str());
  }
}

// Names that come twice: look-ups would find one column and miss the other.
void check_names(ByteReader& in, const Schema& schema) {
  std::set<std::string_view> names;
  for (const Column& column : schema.columns) {
    if (!names.insert(column.name).second && !mutant("schema-names-twice"))
      in.fail("two columns have one name");
  }
  std::set<std::string_view> keys;
  for (const std::string& key : schema.keys) {
    if (!names.contains(key)) in.fail("a key is no column");
    if (!keys.insert(key).second) in.fail("a key comes twice");
  }
  if (!names.contains(schema.time) || keys.contains(schema.time))
    in.fail("the time column is missing or a key");
}

}  // namespace

void schema_write(ByteWriter& out, const Schema& schema) {
  const bool collection = schema.kind == DatasetKind::collection;
  const bool sized = schema.segments != SegmentSizes{};
  const std::uint8_t version = collection ? kCollectionVersion : kTableVersion;
  out.put<std::uint8_t>(sized ? version + kSizedVersion : version);
  out.put_varint(schema.columns.size());
  for (const Column& column : schema.columns) column_write(out, column);
  out.put_text(schema.time);
  out.put_varint(schema.keys.size());
  for (const std::string& key : schema.keys) out.put_text(key);
  out.put(schema.partition);
  out.put(schema.duplicates);
  out.put_text(schema.codec);
  metadata_write(out, schema.metadata);
  if (collection) document_time_write(out, schema.document_time);
  if (!sized) return;
  out.put_varint(schema.segments.bytes);
  out.put_varint(schema.segments.spread);
}

Schema schema_read(ByteReader& in) {
  auto version = in.get<std::uint8_t>();
  const bool sized = version > kSizedVersion;
  if (sized) version -= kSizedVersion;
  if (version != kTableVersion && version != kCollectionVersion) {
    throw_error(ErrorCode::unsupported_format,
                "a schema in the log has a version this build does not know: use a newer Otolith");
  }
  Schema schema;
  const std::uint64_t columns = in.get_count(kColumnBytesMin);
  if (columns == 0 || columns > kColumnsMax) in.fail("number of columns out of range");
  schema.columns.reserve(columns);
  for (std::uint64_t i = 0; i < columns; ++i) schema.columns.push_back(column_read(in));
  schema.time = in.get_text(kNameBytesMax);
  const std::uint64_t keys = in.get_count(1);
  if (keys > columns) in.fail("more keys than columns");
  for (std::uint64_t i = 0; i < keys; ++i) schema.keys.emplace_back(in.get_text(kNameBytesMax));
  schema.partition = enum_read(in, Partition::year, "unknown partition");
  schema.duplicates = enum_read(in, Duplicates::error, "unknown duplicates policy");
  schema.codec = in.get_text(kNameBytesMax);
  schema.metadata = metadata_read(in);
  check_names(in, schema);
  const bool collection = version == kCollectionVersion;
  if (collection) document_time_read(in, schema);
  if (sized) sizes_read(in, schema);
  if (collection || sized) check_whole(in, schema);
  return schema;
}

}  // namespace otolith::history
