// Recorder: staged writes for any tables; visible all at once or not at all.
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "bindings.h"

namespace otolith::bindings {

void bind_recorder(nb::module_& module) {
  nb::class_<Recorder>(module, "Recorder", "Staged writes; one thread at a time.")
      .def("append", &Recorder::append, nb::arg("table"), nb::arg("batch"), Released())
      .def("remove", &Recorder::remove, nb::arg("table"), nb::arg("rows"), Released())
      .def("replace", &Recorder::replace, nb::arg("table"), nb::arg("range"), nb::arg("batch"),
           Released())
      .def(
          "schema",
          [](const Recorder& self, std::string_view table) {
            return SchemaHandle{self.schema(table)};
          },
          nb::arg("table"), Released())
      .def("commit", &Recorder::commit, Released())
      .def("discard", &Recorder::discard, Released())
      .def("open", &Recorder::open);
}

}  // namespace otolith::bindings
