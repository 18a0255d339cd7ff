// NumPy arrays of Python objects, looked at row by row.
//
// Role:    text, times and nulls that come as Python objects.
// Shapes:  one dimension, contiguous.
// Errors:  python_error where the array is none of that, and where a signal ends long work.
// Threads: thread-compatible, under the GIL.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "bindings.h"

namespace otolith::bindings {

/// The elements of an array of objects; valid while the array lives.
class Objects {
 public:
  explicit Objects(nb::handle array, int flags = 0) {
    if (PyObject_GetBuffer(array.ptr(), &view_, PyBUF_C_CONTIGUOUS | flags) != 0) {
      throw nb::python_error();
    }
  }
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;
  ~Objects() { PyBuffer_Release(&view_); }

  std::size_t size() const noexcept {
    return static_cast<std::size_t>(view_.len) / sizeof(PyObject*);
  }
  PyObject* operator[](std::size_t row) const noexcept {
    return static_cast<PyObject* const*>(view_.buf)[row];
  }
  /// Only with PyBUF_WRITABLE. Now and then signals are looked for: python_error of Ctrl-C.
  void set(std::size_t row, nb::object object) const {
    if (row % kSignalRows == 0 && PyErr_CheckSignals() != 0) throw nb::python_error();
    PyObject* before =
        std::exchange(static_cast<PyObject**>(view_.buf)[row], object.release().ptr());
    Py_XDECREF(before);
  }

 private:
  static constexpr std::size_t kSignalRows = 1 << 16;

  Py_buffer view_{};
};

/// The UTF-8 of a str, kept by the str itself; nullopt for other objects and for lone surrogates.
inline std::optional<std::string_view> utf8_of(PyObject* object) noexcept {
  if (!PyUnicode_Check(object)) return std::nullopt;
  if (PyUnicode_IS_COMPACT_ASCII(object)) {  // most text; no call, no second copy inside the str
    return std::string_view(static_cast<const char*>(PyUnicode_DATA(object)),
                            static_cast<std::size_t>(PyUnicode_GET_LENGTH(object)));
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(object, &size);
  if (data == nullptr) {
    PyErr_Clear();
    return std::nullopt;
  }
  return std::string_view(data, static_cast<std::size_t>(size));
}

}  // namespace otolith::bindings
