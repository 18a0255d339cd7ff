// Snapshot: the database as of one commit.
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace otolith::bindings {

void bind_snapshot(nb::module_& module) {
  nb::class_<Snapshot>(module, "Snapshot", "The database as of one commit.")
      .def("commit", &Snapshot::commit, Released())
      .def("metadata", &Snapshot::metadata, Released())
      .def("datasets", &Snapshot::datasets, Released())
      .def("contains", &Snapshot::contains, nb::arg("name"), Released())
      .def("kind", &Snapshot::kind, nb::arg("name"), Released())
      .def("collection", &Snapshot::collection, nb::arg("name"), Released())
      .def("table", &Snapshot::table, nb::arg("name"), Released());
}

}  // namespace otolith::bindings
