// Schema and types: as tuples on the way in, as properties on the way out.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace otolith::bindings {

namespace {

using Metadata = std::map<std::string, std::string>;

SchemaHandle make_schema(const std::vector<ColumnTuple>& columns, std::string time,
                         std::vector<std::string> keys, Partition partition, Duplicates duplicates,
                         std::string codec, Metadata metadata,
                         std::pair<std::uint64_t, std::uint32_t> segments) {
  auto schema = std::make_shared<Schema>();
  for (const ColumnTuple& column : columns) schema->columns.push_back(column_of(column));
  schema->time = std::move(time);
  schema->keys = std::move(keys);
  schema->partition = partition;
  schema->duplicates = duplicates;
  schema->codec = std::move(codec);
  schema->metadata = std::move(metadata);
  schema->segments = {segments.first, segments.second};
  return {std::move(schema)};
}

std::vector<ColumnTuple> columns_of(const SchemaHandle& handle) {
  std::vector<ColumnTuple> columns;
  for (const Column& column : handle.schema->columns) {
    columns.emplace_back(column.name, type_name(column.type), column.nullable, column.codec,
                         column.metadata);
  }
  return columns;
}

}  // namespace

Column column_of(const ColumnTuple& column) {
  const auto& [name, type, nullable, codec, metadata] = column;
  return {.name = name,
          .type = type_parse(type),
          .nullable = nullable,
          .codec = codec,
          .metadata = metadata};
}

void bind_schema(nb::module_& module) {
  nb::enum_<Partition>(module, "Partition")
      .value("none", Partition::none)
      .value("hour", Partition::hour)
      .value("day", Partition::day)
      .value("month", Partition::month)
      .value("year", Partition::year);
  nb::enum_<Duplicates>(module, "Duplicates")
      .value("keep", Duplicates::keep)
      .value("last", Duplicates::last)
      .value("first", Duplicates::first)
      .value("error", Duplicates::error);
  nb::class_<SchemaHandle>(module, "Schema", "A shared, immutable schema.")
      .def_static("make", &make_schema, nb::arg("columns"), nb::arg("time"), nb::arg("keys"),
                  nb::arg("partition"), nb::arg("duplicates"), nb::arg("codec"),
                  nb::arg("metadata"), nb::arg("segments"))
      .def_prop_ro("columns", &columns_of,
                   "(name, type, nullable, codec, metadata) of each column.")
      .def_prop_ro("time", [](const SchemaHandle& self) { return self.schema->time; })
      .def_prop_ro("keys", [](const SchemaHandle& self) { return self.schema->keys; })
      .def_prop_ro("partition", [](const SchemaHandle& self) { return self.schema->partition; })
      .def_prop_ro("duplicates", [](const SchemaHandle& self) { return self.schema->duplicates; })
      .def_prop_ro("codec", [](const SchemaHandle& self) { return self.schema->codec; })
      .def_prop_ro("metadata", [](const SchemaHandle& self) { return self.schema->metadata; })
      .def_prop_ro("segment_bytes",
                   [](const SchemaHandle& self) { return self.schema->segments.bytes; })
      .def_prop_ro("spread", [](const SchemaHandle& self) { return self.schema->segments.spread; })
      .def(
          "same",
          [](const SchemaHandle& self, const SchemaHandle& other) {
            return self.schema == other.schema;
          },
          nb::arg("other"), "True if both are one schema in memory.");
  module.def(
      "type_canonical", [](const std::string& text) { return type_name(type_parse(text)); },
      nb::arg("text"), "The type's own name; InvalidArgument with the known names.");
}

}  // namespace otolith::bindings
