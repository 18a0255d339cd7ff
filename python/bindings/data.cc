// Data: the rows that were read, whole or in their pieces.
#include <nanobind/stl/string.h>

#include "bindings.h"

namespace otolith::bindings {

namespace {

Data piece(const Data& self, std::size_t index) {
  if (index >= self.batches().size()) throw nb::index_error("no such batch");
  return {self.schema_shared(), {self.batches()[index]}};
}

Array column(const Data& self, std::size_t index) {
  if (index >= self.schema().columns.size()) throw nb::index_error("no such column");
  return self.column(index);
}

}  // namespace

void bind_data(nb::module_& module) {
  nb::class_<Data> data(module, "Data", "Rows that were read.");
  data.def_prop_ro("rows", &Data::rows)
      .def_prop_ro("schema", [](const Data& self) { return SchemaHandle{self.schema_shared()}; })
      .def_prop_ro("batch_count", [](const Data& self) { return self.batches().size(); })
      .def("batch", &piece, nb::arg("index"), "One piece, as Data of its own.")
      .def("column", &column, nb::arg("index"), Released(), "A whole column; joined at first use.")
      .def("zero_copy", &Data::zero_copy, nb::arg("index"),
           "True if the column lies in a mapped file.");
  bind_data_texts(data);
}

}  // namespace otolith::bindings
