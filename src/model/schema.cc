#include "otolith/schema.h"
#include "otolith/codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

#include "base/error.h"
#include "base/limits.h"
#include "model/utf8.h"

namespace otolith {

namespace {

struct KnownType {
  TypeKind kind;
  std::string_view name;
  std::uint32_t width;  // bytes of one value; 0 where they vary
  bool keyable;         // equal and ordered without surprises: no floats
};

constexpr std::array kTypes{
    KnownType{TypeKind::boolean, "bool", 1, true},
    KnownType{TypeKind::int8, "int8", 1, true},
    KnownType{TypeKind::int16, "int16", 2, true},
    KnownType{TypeKind::int32, "int32", 4, true},
    KnownType{TypeKind::int64, "int64", 8, true},
    KnownType{TypeKind::uint8, "uint8", 1, true},
    KnownType{TypeKind::uint16, "uint16", 2, true},
    KnownType{TypeKind::uint32, "uint32", 4, true},
    KnownType{TypeKind::uint64, "uint64", 8, true},
    KnownType{TypeKind::float32, "float32", 4, false},
    KnownType{TypeKind::float64, "float64", 8, false},
    KnownType{TypeKind::decimal, "decimal", 16, true},
    KnownType{TypeKind::timestamp, "timestamp", 8, true},
    KnownType{TypeKind::string, "string", 0, true},
    KnownType{TypeKind::binary, "binary", 0, true},
};

const KnownType* known(TypeKind kind) noexcept {
  const auto* found = std::ranges::find(kTypes, kind, &KnownType::kind);
  return found == kTypes.end() ? nullptr : found;
}

// As they are written; of decimals an example.
std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const KnownType& type : kTypes) {
    names.emplace_back(type.kind == TypeKind::decimal ? "decimal(12,2)" : type.name);
  }
  return names;
}

bool digits_fit(std::uint64_t precision, std::uint64_t scale) noexcept {
  return precision >= 1 && precision <= kDecimalDigitsMax && scale <= precision;
}

[[noreturn]] void refuse(std::string message) {
  throw_error(ErrorCode::invalid_argument, std::move(message));
}

[[noreturn]] void refuse_digits(std::string what) {
  refuse(
      fmt::format("{}: a decimal has a precision of 1 to {} digits (kDecimalDigitsMax), and a "
                  "scale from 0 to its precision: decimal(12,2)",
                  what, kDecimalDigitsMax));
}

// "decimal(12,2)"; false if the text is anything else, refused where only its numbers are wrong.
bool parse_decimal(std::string_view text, Type& out) {
  constexpr std::string_view head = "decimal(";
  if (!text.starts_with(head) || !text.ends_with(')')) return false;
  const char* const end = text.data() + text.size() - 1;
  std::uint32_t digits = 0;
  std::uint32_t behind_point = 0;
  const auto precision = std::from_chars(text.data() + head.size(), end, digits);
  if (precision.ptr == end || *precision.ptr != ',') return false;
  const char* at = precision.ptr + 1;
  while (at != end && *at == ' ') ++at;
  const auto scale = std::from_chars(at, end, behind_point);
  if (precision.ec == std::errc::invalid_argument || scale.ec == std::errc::invalid_argument ||
      scale.ptr != end) {
    return false;
  }
  const bool beyond = precision.ec != std::errc() || scale.ec != std::errc();
  if (beyond || !digits_fit(digits, behind_point)) refuse_digits(quoted(text));
  out = {TypeKind::decimal, static_cast<std::uint8_t>(digits),
         static_cast<std::uint8_t>(behind_point)};
  return true;
}

void check_type(const Column& column) {
  const KnownType* type = known(column.type.kind);
  if (type == nullptr) {
    refuse(fmt::format("column {} has an unknown type (number {})", quoted(column.name),
                       static_cast<unsigned>(column.type.kind)));
  }
  if (column.type.kind == TypeKind::decimal) {
    if (type_supported(column.type)) return;
    refuse_digits(fmt::format("column {} is {}", quoted(column.name), type_name(column.type)));
  }
  if (column.type.precision != 0 || column.type.scale != 0) {
    refuse(
        fmt::format("column {}: {} takes no precision or scale", quoted(column.name), type->name));
  }
}

// A codec that a column names is known when it writes: it may come from another process.
bool names_user_codec(std::string_view codec) {
  return codec.starts_with(kUserCodecPrefix) && codec.size() > kUserCodecPrefix.size() &&
         codec.size() <= kUserCodecPrefix.size() + kCodecNameBytesMax;
}

void check_profile(std::string_view what, std::string_view codec) {
  static const std::vector<std::string> profiles{"hot", "small", "raw"};
  if (std::ranges::find(profiles, codec) != profiles.end()) return;
  refuse(fmt::format("{}: unknown codec {}{}; use hot, small or raw", what, quoted(codec),
                     nearest_hint(codec, profiles)));
}

std::size_t metadata_bytes(const std::map<std::string, std::string>& metadata) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) bytes += key.size() + value.size();
  return bytes;
}

void check_columns(const Schema& schema) {
  if (schema.columns.empty()) {
    refuse("a table needs at least its time column; no column was given");
  }
  if (schema.columns.size() > kColumnsMax) {
    throw_error(ErrorCode::limit, "{} columns are more than a table can have (kColumnsMax {})",
                schema.columns.size(), kColumnsMax);
  }
  std::unordered_set<std::string_view> names;
  std::unordered_set<std::uint32_t> ids;
  for (const Column& column : schema.columns) {
    model::name_check("column", column.name);
    if (!names.insert(column.name).second) {
      refuse(fmt::format("column {} is given twice; names must differ", quoted(column.name)));
    }
    if (column.id != 0 && !ids.insert(column.id).second) {
      refuse(
          fmt::format("column {} has the id {} of another column", quoted(column.name), column.id));
    }
    check_type(column);
    if (!column.codec.empty() && !names_user_codec(column.codec)) {
      check_profile(fmt::format("column {}", quoted(column.name)), column.codec);
    }
  }
}

void check_time(const Schema& schema) {
  const auto time = schema.find(schema.time);
  if (!time) {
    refuse(fmt::format("the time column {} is not among the columns{}; name one of them with time=",
                       quoted(schema.time), nearest_hint(schema.time, schema.names())));
  }
  const Type type = schema.columns[*time].type;
  if (type.kind != TypeKind::timestamp) {
    refuse(fmt::format("the time column {} is {}; it must be timestamp", quoted(schema.time),
                       type_name(type)));
  }
}

void check_keys(const Schema& schema) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& key : schema.keys) {
    const auto column = schema.find(key);
    if (!column) {
      refuse(fmt::format("key {} is not among the columns{}", quoted(key),
                         nearest_hint(key, schema.names())));
    }
    if (key == schema.time) {
      refuse(fmt::format("key {} is the time column; rows are ordered by it anyway: leave it out",
                         quoted(key)));
    }
    if (!seen.insert(key).second) refuse(fmt::format("key {} is given twice", quoted(key)));
    const KnownType* type = known(schema.columns[*column].type.kind);
    if (!type->keyable) {
      refuse(
          fmt::format("key {} is {}; keys are of any type but floats: take an integer or a decimal",
                      quoted(key), type->name));
    }
  }
}

// Columns of a collection are what the engine counts on, whoever made the schema.
void check_kind(const Schema& schema) {
  if (schema.kind > DatasetKind::collection || schema.document_time.unit > TimeUnit::nanosecond)
    refuse("unknown kind of dataset, or unit of its times");
  if (schema.kind == DatasetKind::table) {
    if (schema.document_time != DocumentTime{}) refuse("only a collection has times in documents");
    return;
  }
  Schema bare = schema;
  bare.metadata.clear();
  bare.codec = "hot";
  bare.segments = {};
  for (Column& column : bare.columns) {
    column.codec.clear();
    column.id = 0;
  }
  if (bare != collection_schema(schema.document_time))
    refuse("a collection has the columns _id, _time and _body, and no others");
}

void check_metadata(const Schema& schema) {
  std::size_t bytes = metadata_bytes(schema.metadata);
  for (const Column& column : schema.columns) bytes += metadata_bytes(column.metadata);
  if (bytes > kMetadataBytesMax) {
    throw_error(ErrorCode::limit,
                "{} bytes of metadata are more than a table can have "
                "(kMetadataBytesMax {})",
                bytes, kMetadataBytesMax);
  }
}

}  // namespace

std::string type_name(Type type) {
  if (type.kind == TypeKind::decimal) {
    return fmt::format("decimal({},{})", type.precision, type.scale);
  }
  const KnownType* found = known(type.kind);
  return found == nullptr ? "unknown" : std::string(found->name);
}

Type type_parse(std::string_view text) {
  Type out;
  if (parse_decimal(text, out)) return out;
  for (const KnownType& type : kTypes) {
    if (type.name == text && type.kind != TypeKind::decimal) return {.kind = type.kind};
  }
  refuse(fmt::format("{} is no type{}; types are {}", quoted(text),
                     nearest_hint(text, type_names()), fmt::join(type_names(), ", ")));
}

std::uint32_t type_width(Type type) noexcept {
  const KnownType* found = known(type.kind);
  return found == nullptr ? 0 : found->width;
}

bool type_supported(Type type) noexcept {
  if (type.kind == TypeKind::decimal) return digits_fit(type.precision, type.scale);
  return known(type.kind) != nullptr && type.precision == 0 && type.scale == 0;
}

std::optional<std::size_t> Schema::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return i;
  }
  return std::nullopt;
}

std::size_t Schema::time_index() const {
  const auto index = find(time);
  OTO_INVARIANT(index.has_value());
  return *index;
}

std::vector<std::size_t> Schema::key_indexes() const {
  std::vector<std::size_t> out;
  for (const std::string& key : keys) {
    const auto index = find(key);
    OTO_INVARIANT(index.has_value());
    out.push_back(*index);
  }
  return out;
}

std::vector<std::string> Schema::names() const {
  std::vector<std::string> out;
  for (const Column& column : columns) out.push_back(column.name);
  return out;
}

void check_segments(const SegmentSizes& sizes) {
  const bool bytes_fit =
      sizes.bytes == 0 || (sizes.bytes >= kSegmentBytesMin && sizes.bytes <= kSegmentBytesMax);
  if (!bytes_fit) {
    refuse(fmt::format("segment_bytes is {}; give {} (1 MiB) to {} (64 GiB), or none for 256 MiB",
                       sizes.bytes, kSegmentBytesMin, kSegmentBytesMax));
  }
  if (sizes.spread == 0 || sizes.spread > kSpreadMax)
    refuse(fmt::format("spread is {}; give 1 to {} files", sizes.spread, kSpreadMax));
}

void schema_check(const Schema& schema) {
  check_columns(schema);
  check_time(schema);
  check_keys(schema);
  check_profile("the dataset", schema.codec);
  if (schema.partition > Partition::year)
    refuse("unknown partition; use hour, day, month, year or None");
  if (schema.duplicates > Duplicates::error) {
    refuse("unknown duplicates policy; use keep, last, first or error");
  }
  check_segments(schema.segments);
  check_kind(schema);
  check_metadata(schema);
}

Schema collection_schema(DocumentTime time) {
  const auto column = [](std::string_view name, TypeKind kind) {
    return Column{.name = std::string(name), .type = {kind}, .nullable = false};
  };
  return {
      .columns = {column(kDocumentId, TypeKind::string), column(kDocumentTime, TypeKind::timestamp),
                  column(kDocumentBody, TypeKind::binary)},
      .time = std::string(kDocumentTime),
      .keys = {std::string(kDocumentId)},
      .partition = Partition::none,
      .kind = DatasetKind::collection,
      .document_time = std::move(time)};
}

Schema schema_stored(Schema schema) {
  for (Column& column : schema.columns) {
    const bool is_key = std::ranges::find(schema.keys, column.name) != schema.keys.end();
    if (is_key || column.name == schema.time) column.nullable = false;
  }
  return schema;
}

}  // namespace otolith
