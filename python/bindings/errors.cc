// otolith::Error to Python: the one place where it is mapped. The classes stand in
// otolith/errors.py.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "bindings.h"

namespace otolith::bindings {

namespace {

std::string_view outcome_name(Outcome outcome) noexcept {
  return outcome == Outcome::unknown ? "unknown" : "failed";
}

nb::object to_python(const Error& error) {
  const ErrorWhere& where = error.where();
  return nb::module_::import_("otolith.errors")
      .attr("from_core")(error_code_name(error.code()), readable(error.message()),
                         readable(where.file), where.offset, where.commits,
                         outcome_name(error.outcome()), readable_each(error.differences()));
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    try {
      or_stay([&] {
        const nb::object made = to_python(error);
        PyErr_SetObject(made.type().ptr(), made.ptr());
      });
    } catch (nb::python_error& failed) {
      failed.restore();
    }
  }
}

}  // namespace

nb::str readable(std::string_view text) {
  PyObject* made =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace");
  if (made == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(made);
}

nb::typed<nb::list, nb::str> readable_each(const std::vector<std::string>& texts) {
  nb::typed<nb::list, nb::str> out;
  for (const std::string& text : texts) out.append(readable(text));
  return out;
}

void bind_errors(nb::module_& module) {
  nb::register_exception_translator(translate);
  module.def(
      "quoted", [](std::string_view name) { return quoted(name); }, nb::arg("name"),
      "A name, quoted and shortened for a message.");
  module.def("nearest_hint", &nearest_hint, nb::arg("name"), nb::arg("candidates"),
             "' (did you mean \"x\"?)', or nothing where none is near.");
}

}  // namespace otolith::bindings
