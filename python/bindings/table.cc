// Table, and what its verbs are asked.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace otolith::bindings {

namespace {

KeyValue key_value(const PythonKey& key) {
  if (const auto* bytes = std::get_if<nb::bytes>(&key))
    return std::string(bytes->c_str(), bytes->size());
  if (const auto* text = std::get_if<std::string>(&key)) return *text;
  if (const auto* large = std::get_if<std::uint64_t>(&key)) return *large;
  return std::get<std::int64_t>(key);
}

}  // namespace

std::vector<KeyFilter> key_filters(const KeyTuples& keys) {
  std::vector<KeyFilter> out;
  for (const auto& [column, values] : keys) {
    out.push_back({column, {}});
    for (const PythonKey& value : values) out.back().values.push_back(key_value(value));
  }
  return out;
}

namespace {

DeleteRequest make_delete(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                          const KeyTuples& keys, std::optional<Expression> where, bool all) {
  return {.start = timestamp_of(start),
          .stop = timestamp_of(stop),
          .keys = key_filters(keys),
          .where = std::move(where),
          .all = all};
}

ReplaceRequest make_replace(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                            const KeyTuples& keys) {
  return {.start = timestamp_of(start), .stop = timestamp_of(stop), .keys = key_filters(keys)};
}

ReadRequest make_request(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                         std::optional<std::vector<std::string>> columns, const KeyTuples& keys,
                         std::optional<Expression> where, std::optional<std::uint64_t> limit,
                         bool reverse, Order order, const std::optional<PythonProgress>& progress) {
  return {.start = timestamp_of(start),
          .stop = timestamp_of(stop),
          .columns = std::move(columns),
          .keys = key_filters(keys),
          .where = std::move(where),
          .limit = limit,
          .reverse = reverse,
          .order = order,
          .progress = seldom(progress_of(progress))};
}

AsofRequest make_asof(std::int64_t at, std::optional<std::vector<std::string>> columns,
                      const KeyTuples& keys) {
  return {.at = {at}, .columns = std::move(columns), .keys = key_filters(keys)};
}

std::optional<std::pair<std::int64_t, std::int64_t>> time_range(const Table& self) {
  const auto range = self.time_range();
  if (!range) return std::nullopt;
  return std::pair(range->first.ns, range->second.ns);
}

SchemaChange make_change(const std::vector<ColumnTuple>& add, std::vector<std::string> drop,
                         std::map<std::string, std::string> rename,
                         const std::map<std::string, std::string>& widen, MetadataChange metadata,
                         std::map<std::string, MetadataChange> column_metadata) {
  SchemaChange change{.drop = std::move(drop),
                      .rename = std::move(rename),
                      .metadata = std::move(metadata),
                      .column_metadata = std::move(column_metadata)};
  for (const ColumnTuple& column : add) change.add.push_back(column_of(column));
  for (const auto& [name, type] : widen) change.widen.emplace(name, type_parse(type));
  return change;
}

}  // namespace

void bind_table(nb::module_& module) {
  nb::enum_<Order>(module, "Order").value("time", Order::time).value("stored", Order::stored);
  nb::class_<ReadRequest>(module, "ReadRequest", "What to read of a table.")
      .def_static("make", &make_request, nb::arg("start").none(), nb::arg("stop").none(),
                  nb::arg("columns").none(), nb::arg("keys"), nb::arg("where").none(),
                  nb::arg("limit").none(), nb::arg("reverse"), nb::arg("order"),
                  nb::arg("progress").none());
  nb::class_<AsofRequest>(module, "AsofRequest", "As of when, and of which keys, to read.")
      .def_static("make", &make_asof, nb::arg("at"), nb::arg("columns").none(), nb::arg("keys"));
  nb::class_<SchemaChange>(module, "SchemaChange", "What to alter of a table.")
      .def_static("make", &make_change, nb::arg("add"), nb::arg("drop"), nb::arg("rename"),
                  nb::arg("widen"), nb::arg("metadata"), nb::arg("column_metadata"));
  nb::class_<DeleteRequest>(module, "DeleteRequest", "Which rows to delete.")
      .def_static("make", &make_delete, nb::arg("start").none(), nb::arg("stop").none(),
                  nb::arg("keys"), nb::arg("where").none(), nb::arg("all"));
  nb::class_<ReplaceRequest>(module, "ReplaceRequest", "Which rows to replace.")
      .def_static("make", &make_replace, nb::arg("start").none(), nb::arg("stop").none(),
                  nb::arg("keys"));
  nb::class_<Table>(module, "Table", "A table, live or as of one commit.")
      .def_prop_ro("name", &Table::name, Released())
      .def_prop_ro(
          "schema", [](const Table& self) { return SchemaHandle{self.schema()}; }, Released())
      .def("rows", &Table::rows, ReleasedInterruptible())
      .def("time_range", &time_range, ReleasedInterruptible(),
           "ns of the first and the last row, or None.")
      .def("read", &Table::read, nb::arg("request"), ReleasedInterruptible())
      .def("head", &Table::head, nb::arg("rows"), ReleasedInterruptible())
      .def("tail", &Table::tail, nb::arg("rows"), ReleasedInterruptible())
      .def("asof", &Table::asof, nb::arg("request"), ReleasedInterruptible())
      .def("blame", &Table::blame, nb::arg("request"), ReleasedInterruptible())
      .def("append", &Table::append, nb::arg("batch"), nb::arg("options"), Released())
      .def("alter", &Table::alter, nb::arg("change"), nb::arg("options"), Released())
      .def("remove", &Table::remove, nb::arg("rows"), nb::arg("options"), Released())
      .def("replace", &Table::replace, nb::arg("range"), nb::arg("batch"), nb::arg("options"),
           Released());
}

}  // namespace otolith::bindings
