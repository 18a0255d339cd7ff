// Numbers of Python as decimals: int, Decimal, str and float objects, each by its exact value.
#include <nanobind/stl/string.h>

#include "base/error.h"
#include "model/array.h"
#include "model/decimals.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

/// The units of one object; nullopt, and why, where there are none.
std::optional<Decimal> units_of(PyObject* object, Type type, const char** why) {
  constexpr const char* kLossy = "cannot be kept without loss as";
  if (PyFloat_Check(object)) {
    *why = "as a float, whose digits are binary, cannot be kept without loss as";
    return model::decimal_from_float(PyFloat_AS_DOUBLE(object), type);
  }
  const nb::object text = nb::steal(PyObject_Str(object));
  const auto utf8 = text.is_valid() ? utf8_of(text.ptr()) : std::nullopt;
  PyErr_Clear();  // of an int of more digits than Python writes
  if (!utf8) {
    *why = kLossy;
    return std::nullopt;
  }
  const model::DecimalText read = model::decimal_from_text(*utf8, type);
  *why = read.is_number ? kLossy : "is no";
  return read.units;
}

/// Decimals of objects, which are numbers or text; rows where `null` is not 0 are null. Else the
/// first row that has no decimal, and why.
nb::tuple decimal_array(nb::handle objects, const nb::bytes& null, const std::string& type_text) {
  const Type type = type_parse(type_text);
  const Objects rows(objects);
  if (null.size() != rows.size()) throw nb::value_error("null is of another length than objects");
  model::ArrayBuilder builder(type);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (null.c_str()[row] != 0) {
      builder.append_null();
      continue;
    }
    const char* why = "";
    const auto units = units_of(rows[row], type, &why);
    if (!units) return nb::make_tuple(nb::none(), row, why);
    builder.append_value(*units);
  }
  return nb::make_tuple(builder.finish(), -1, "");
}

}  // namespace

void bind_decimals(nb::module_& module) {
  module.def("decimal_array", &decimal_array, nb::arg("objects"), nb::arg("null"), nb::arg("type"),
             "(a decimal Array, -1, ''), or (None, the first row that has none, why).");
}

}  // namespace otolith::bindings
