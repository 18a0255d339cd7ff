// Diff and Blamed: how states differ, and who wrote what. Rows cross as tables.
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

using Texts = std::map<std::string, std::string>;

std::optional<nb::bytes> bytes_of(const std::optional<DocumentValue>& value) {
  if (!value) return std::nullopt;
  return nb::bytes(value->msgpack.data(), value->msgpack.size());
}

std::vector<std::pair<std::string, std::string>> added_columns(const DatasetDiff& self) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Column& column : self.schema.add)
    out.emplace_back(column.name, type_name(column.type));
  return out;
}

Texts widened_columns(const DatasetDiff& self) {
  Texts out;
  for (const auto& [name, type] : self.schema.widen) out.emplace(name, type_name(type));
  return out;
}

RollbackOptions rollback_options(std::optional<std::string> dataset,
                                 std::optional<std::int64_t> start,
                                 std::optional<std::int64_t> stop, const KeyTuples& keys,
                                 std::optional<std::vector<std::string>> ids, bool replace_name) {
  return {.dataset = std::move(dataset),
          .start = timestamp_of(start),
          .stop = timestamp_of(stop),
          .keys = key_filters(keys),
          .ids = std::move(ids),
          .replace_name = replace_name};
}

BlameRequest blame_request(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                           const KeyTuples& keys) {
  return {.start = timestamp_of(start), .stop = timestamp_of(stop), .keys = key_filters(keys)};
}

void bind_dataset(nb::module_& module) {
  nb::class_<DatasetDiff>(module, "DatasetDiff", "How one dataset differs.")
      .def_ro("name", &DatasetDiff::name)
      .def_ro("before", &DatasetDiff::before)
      .def_ro("after", &DatasetDiff::after)
      .def_prop_ro("add", &added_columns, "Names and types.")
      .def_prop_ro("drop", [](const DatasetDiff& self) { return self.schema.drop; })
      .def_prop_ro("rename", [](const DatasetDiff& self) { return self.schema.rename; })
      .def_prop_ro("widen", &widened_columns)
      .def_prop_ro("metadata", [](const DatasetDiff& self) { return self.schema.metadata; })
      .def_prop_ro("column_metadata",
                   [](const DatasetDiff& self) { return self.schema.column_metadata; })
      .def_ro("added", &DatasetDiff::added)
      .def_ro("removed", &DatasetDiff::removed)
      .def_ro("changed_before", &DatasetDiff::changed_before)
      .def_ro("changed_after", &DatasetDiff::changed_after)
      .def_ro("documents", &DatasetDiff::documents);
}

void bind_differing(nb::module_& module) {
  nb::class_<PathChange>(module, "PathChange", "What became of one value of a document.")
      .def_ro("path", &PathChange::path)
      .def_prop_ro("before", [](const PathChange& self) { return bytes_of(self.before); })
      .def_prop_ro("after", [](const PathChange& self) { return bytes_of(self.after); });
  nb::class_<DocumentChange>(module, "DocumentChange", "A document that differs.")
      .def_ro("id", &DocumentChange::id)
      .def_ro("before", &DocumentChange::before)
      .def_ro("after", &DocumentChange::after)
      .def("paths", &DocumentChange::paths);
  nb::class_<DocumentChangeStream>(module, "DocumentChangeStream", "Documents that differ.")
      .def("next", &DocumentChangeStream::next, ReleasedInterruptible());
  nb::class_<DocumentDiff>(module, "DocumentDiff", "The documents of a collection that differ.")
      .def("changes", &DocumentDiff::changes, ReleasedInterruptible());
  nb::class_<PathBlame>(module, "PathBlame", "Who set a value of a document last.")
      .def_ro("path", &PathBlame::path)
      .def_prop_ro("value", [](const PathBlame& self) { return *bytes_of(self.value); })
      .def_ro("commit", &PathBlame::commit);
}

}  // namespace

void bind_diff(nb::module_& module) {
  nb::class_<DiffRows>(module, "DiffRows", "Some rows of a difference.")
      .def_ro("rows", &DiffRows::rows)
      .def_ro("table", &DiffRows::table);
  bind_differing(module);
  bind_dataset(module);
  nb::class_<Diff>(module, "Diff", "How two states differ.")
      .def_prop_ro("first", [](const Diff& self) { return std::to_underlying(self.from); })
      .def_prop_ro("second",
                   [](const Diff& self) -> std::optional<std::uint64_t> {
                     if (!self.to) return std::nullopt;
                     return std::to_underlying(*self.to);
                   })
      .def_ro("metadata", &Diff::metadata)
      .def_ro("datasets", &Diff::datasets);
  nb::class_<Blamed>(module, "Blamed", "The rows that one commit added.")
      .def_ro("commit", &Blamed::commit)
      .def_ro("added", &Blamed::added);
  nb::class_<RollbackOptions>(module, "RollbackOptions", "What goes back to an older state.")
      .def_static("make", &rollback_options, nb::arg("dataset").none(), nb::arg("start").none(),
                  nb::arg("stop").none(), nb::arg("keys"), nb::arg("ids").none(),
                  nb::arg("replace_name"));
  nb::class_<BlameRequest>(module, "BlameRequest", "Of which rows to tell who wrote them.")
      .def_static("make", &blame_request, nb::arg("start").none(), nb::arg("stop").none(),
                  nb::arg("keys"));
}

}  // namespace otolith::bindings
