// Arrays and batches on the way in: Python's buffers, borrowed, in Arrow layout.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "model/cast.h"

namespace otolith::bindings {

namespace {

/// A Python buffer held for as long as C++ looks at it; let go of under the GIL, from any thread.
struct HeldBuffer {
  Py_buffer view{};

  explicit HeldBuffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;
  ~HeldBuffer() {
    if (!nb::is_alive()) return;
    const WithGil held;
    or_stay([this] { PyBuffer_Release(&view); });
  }
};

Buffer hold(const nb::object& object) {
  if (object.is_none()) return {};
  auto held = std::make_shared<HeldBuffer>(object);
  const std::span bytes(static_cast<const std::byte*>(held->view.buf),
                        static_cast<std::size_t>(held->view.len));
  return {std::move(held), bytes};
}

Array make_array(const std::string& type, std::uint64_t length, const nb::object& values,
                 const nb::object& validity, std::uint64_t null_count) {
  return {.type = type_parse(type),
          .length = length,
          .null_count = null_count,
          .validity = hold(validity),
          .offsets = {},
          .values = hold(values),
          .zero_copy = true};
}

Batch make_batch(const SchemaHandle& schema, std::uint64_t rows, std::vector<Array> columns) {
  return {schema.schema, rows, std::move(columns)};
}

}  // namespace

void bind_array(nb::module_& module) {
  nb::class_<Array> array(module, "Array", "One column of values in Arrow layout.");
  array
      .def_static(
          "make", &make_array, nb::arg("type"), nb::arg("length"), nb::arg("values"),
          nb::arg("validity").none(), nb::arg("null_count"),
          "A fixed-width column over contiguous buffers; validity: bits, least significant first.")
      .def_ro("length", &Array::length)
      .def_ro("null_count", &Array::null_count)
      .def_prop_ro("type", [](const Array& self) { return type_name(self.type); })
      .def(
          "cast",
          [](const Array& self, const std::string& type, const std::string& column) {
            return model::cast(self, type_parse(type), {.column = column});
          },
          nb::arg("type"), nb::arg("column"), Released(),
          "The values as another type, or InvalidArgument naming column, row and value.");
  bind_array_views(array);
  nb::class_<Batch>(module, "Batch", "Columns of one length under a schema.")
      .def_static("make", &make_batch, nb::arg("schema"), nb::arg("rows"), nb::arg("columns"))
      .def_ro("rows", &Batch::rows);
}

}  // namespace otolith::bindings
