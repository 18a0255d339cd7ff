#include "db/alter.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/cast.h"
#include "model/utf8.h"

namespace otolith::db {

namespace {

bool is_float(Type type) noexcept {
  return type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
}
bool is_decimal(Type type) noexcept { return type.kind == TypeKind::decimal; }

// Numbers of one kind: 3 that became 3.0 or "3" would be another value to who reads it.
bool widens(Type from, Type to) noexcept {
  if (is_float(from) != is_float(to) || is_decimal(from) != is_decimal(to)) return false;
  if (is_decimal(from) && from.scale != to.scale) return false;
  return model::cast_always_exact(from, to);
}

// The change step by step; `names` are those before it.
class Altering {
 public:
  explicit Altering(const Schema& present) : present_(present), out_(present) {}

  void rename(const std::map<std::string, std::string>& names) {
    for (const auto& [from, to] : names) {
      const std::size_t at = find("rename", from);
      model::name_check("column", to);
      out_.columns[at].name = to;
      if (present_.time == from) out_.time = to;
    }
    for (std::string& key : out_.keys) {
      const auto renamed = names.find(key);
      if (renamed != names.end()) key = renamed->second;
    }
  }

  void widen(const std::map<std::string, Type>& types) {
    for (const auto& [name, type] : types) {
      Column& column = out_.columns[find("widen", name)];
      if (column.type == type) continue;
      if (!type_supported(type) || !widens(column.type, type)) {
        throw_error(ErrorCode::invalid_argument,
                    "widen: column {} is {} and cannot become {}: an integer may become one that "
                    "holds all its values, float32 float64, and a decimal one of more digits and "
                    "the same scale; else add a column",
                    quoted(name), type_name(column.type), type_name(type));
      }
      column.type = type;
    }
  }

  void note(const MetadataChange& table, const std::map<std::string, MetadataChange>& columns) {
    note(table, out_.metadata);
    for (const auto& [name, change] : columns)
      note(change, out_.columns[find("column_metadata", name)].metadata);
  }

  void drop(const std::vector<std::string>& names, const SchemaChange& change) {
    std::set<std::size_t> gone;
    for (const std::string& name : names) {
      const std::size_t at = find("drop", name);
      const bool key = std::ranges::find(present_.keys, name) != present_.keys.end();
      if (key || name == present_.time) {
        throw_error(ErrorCode::invalid_argument,
                    "drop: column {} is {}, which rows are ordered by, and stays; make another "
                    "table without it",
                    quoted(name), key ? "a key" : "the time column");
      }
      const bool changed = change.rename.contains(name) || change.widen.contains(name) ||
                           change.column_metadata.contains(name);
      if (changed || !gone.insert(at).second) {
        throw_error(ErrorCode::invalid_argument, "drop: column {} is {}", quoted(name),
                    changed ? "changed by the same alter; drop it or change it" : "named twice");
      }
    }
    for (auto at = gone.rbegin(); at != gone.rend(); ++at)
      out_.columns.erase(out_.columns.begin() + static_cast<std::ptrdiff_t>(*at));
  }

  void add(const std::vector<Column>& columns) {
    for (const Column& column : columns) {
      model::name_check("column", column.name);
      out_.columns.push_back(column);
      out_.columns.back().id = 0;
    }
  }

  Schema finish() {
    std::set<std::string_view> names;
    for (const Column& column : out_.columns) {
      if (names.insert(column.name).second) continue;
      throw_error(ErrorCode::conflict, "a column named {} exists already", quoted(column.name));
    }
    schema_check(out_);
    return std::move(out_);
  }

 private:
  static void note(const MetadataChange& change, std::map<std::string, std::string>& metadata) {
    for (const auto& [key, text] : change) {
      if (text) {
        metadata.insert_or_assign(key, *text);
      } else {
        metadata.erase(key);
      }
    }
  }

  std::size_t find(std::string_view option, const std::string& name) const {
    if (const auto found = present_.find(name)) return *found;
    throw_error(ErrorCode::invalid_argument, "{}: there is no column {}{}", option, quoted(name),
                nearest_hint(name, present_.names()));
  }

  const Schema& present_;
  Schema out_;
};

void put_metadata(ByteWriter& out, const MetadataChange& change) {
  out.put_varint(change.size());
  for (const auto& [key, text] : change) {
    out.put_text(key);
    out.put<std::uint8_t>(text ? 1 : 0);
    out.put_text(text.value_or(""));
  }
}

void put_column(ByteWriter& out, const Column& column) {
  out.put_text(column.name);
  out.put_text(type_name(column.type));
  out.put<std::uint8_t>(column.nullable ? 1 : 0);
  out.put_text(column.codec);
  out.put_varint(column.metadata.size());
  for (const auto& [key, text] : column.metadata) {
    out.put_text(key);
    out.put_text(text);
  }
}

}  // namespace

Schema altered(const Schema& present, const SchemaChange& change) {
  Altering altering(present);
  altering.rename(change.rename);
  altering.widen(change.widen);
  altering.note(change.metadata, change.column_metadata);
  altering.drop(change.drop, change);
  altering.add(change.add);
  return altering.finish();
}

Hash256 request_hash(std::string_view table, const SchemaChange& change) {
  ByteWriter out;
  out.put_text("alter");
  out.put_text(table);
  out.put_varint(change.add.size());
  for (const Column& column : change.add) put_column(out, column);
  out.put_varint(change.drop.size());
  for (const std::string& name : change.drop) out.put_text(name);
  out.put_varint(change.rename.size());
  for (const auto& [from, to] : change.rename) {
    out.put_text(from);
    out.put_text(to);
  }
  out.put_varint(change.widen.size());
  for (const auto& [name, type] : change.widen) {
    out.put_text(name);
    out.put_text(type_name(type));
  }
  put_metadata(out, change.metadata);
  out.put_varint(change.column_metadata.size());
  for (const auto& [name, metadata] : change.column_metadata) {
    out.put_text(name);
    put_metadata(out, metadata);
  }
  Blake3 hash;
  hash.add(out.take());
  return hash.finish();
}

}  // namespace otolith::db
