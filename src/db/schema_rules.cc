#include "db/schema_rules.h"

#include "base/error.h"

namespace otolith::db {

namespace {

void add_text(Blake3& hash, std::string_view text) {
  hash.add_value<std::uint64_t>(text.size());
  hash.add(as_bytes_view(text));
}

void add_map(Blake3& hash, const std::map<std::string, std::string>& map) {
  hash.add_value<std::uint64_t>(map.size());
  for (const auto& [key, value] : map) {
    add_text(hash, key);
    add_text(hash, value);
  }
}

}  // namespace

void check_equal_schema(std::string_view name, const Schema& there, const Schema& asked) {
  Schema a = schema_stored(there);
  Schema b = schema_stored(asked);
  for (Column& column : a.columns) column.id = 0;
  for (Column& column : b.columns) column.id = 0;
  if (a == b) return;
  throw_error(ErrorCode::conflict,
              "dataset {} exists with another schema; exist_ok accepts an equal one only",
              quoted(name));
}

Hash256 request_hash(std::initializer_list<std::string_view> words) {
  Blake3 hash;
  for (const std::string_view word : words) add_text(hash, word);
  return hash.finish();
}

Hash256 request_hash(std::string_view verb, std::string_view name, const Schema& schema) {
  Blake3 hash;
  for (const std::string_view text : {verb, name, std::string_view(schema.time)})
    add_text(hash, text);
  hash.add_value<std::uint64_t>(schema.columns.size());
  for (const Column& column : schema.columns) {
    add_text(hash, column.name);
    add_text(hash, type_name(column.type));
    hash.add_value<std::uint8_t>(column.nullable ? 1 : 0);
    add_text(hash, column.codec);
    add_map(hash, column.metadata);
  }
  hash.add_value<std::uint64_t>(schema.keys.size());
  for (const std::string& key : schema.keys) add_text(hash, key);
  hash.add_value(schema.partition);
  hash.add_value(schema.duplicates);
  add_text(hash, schema.codec);
  add_map(hash, schema.metadata);
  return hash.finish();
}

}  // namespace otolith::db
