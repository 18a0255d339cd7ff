// Python's str and bytes objects to columns of text and binary; and which objects stand for null.
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <string_view>

#include "objects.h"

namespace otolith::bindings {

namespace {

constexpr std::size_t kTextBytesGuess = 8;  // of one value; room that is made at first

bool is_one_of(PyObject* object, const std::vector<nb::object>& nulls) noexcept {
  for (const nb::object& null : nulls) {
    if (object == null.ptr()) return true;
  }
  return false;
}

/// Marks the rows whose object is one of `nulls` with 1; returns their number.
std::uint64_t mark_nulls(nb::handle objects, const std::vector<nb::object>& nulls,
                         const nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig>& marks) {
  const Objects rows(objects);
  if (marks.shape(0) < rows.size()) throw nb::value_error("marks is shorter than objects");
  std::uint64_t count = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const bool null = is_one_of(rows[row], nulls);
    marks.data()[row] = null ? 1 : 0;
    count += null ? 1 : 0;
  }
  return count;
}

/// What growing a column of text or binary takes; nulls and values in the order of rows.
struct TextBuilder {
  std::vector<std::byte> values;
  std::vector<std::byte> offsets;
  std::vector<std::byte> validity;
  std::size_t used = 0;  // bytes of values; the rest is room to grow
  std::uint64_t null_count = 0;

  explicit TextBuilder(std::size_t rows)
      : values(rows * kTextBytesGuess),
        offsets((rows + 1) * sizeof(std::int64_t)),
        validity((rows + 7) / 8) {}

  void add(std::size_t row, std::string_view text) {
    if (values.size() - used < text.size()) values.resize(2 * values.size() + text.size());
    if (!text.empty()) std::memcpy(values.data() + used, text.data(), text.size());
    used += text.size();
    validity[row / 8] |= static_cast<std::byte>(1u << (row % 8));
  }
  void end_row(std::size_t row) {
    const auto at = static_cast<std::int64_t>(used);
    std::memcpy(offsets.data() + (row + 1) * sizeof(at), &at, sizeof(at));
  }
  Array finish(TypeKind kind, std::uint64_t rows) {
    values.resize(used);
    return {.type = {kind},
            .length = rows,
            .null_count = null_count,
            .validity = null_count == 0 ? Buffer{} : buffer_of(std::move(validity)),
            .offsets = buffer_of(std::move(offsets)),
            .values = buffer_of(std::move(values))};
  }
};

/// A string column of str objects; the second value is the first row that is no text and no null,
/// or -1.
std::pair<std::optional<Array>, std::int64_t> text_array(nb::handle objects,
                                                         const std::vector<nb::object>& nulls) {
  const Objects rows(objects);
  TextBuilder builder(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (const auto text = utf8_of(rows[row])) {
      builder.add(row, *text);
    } else if (is_one_of(rows[row], nulls)) {
      ++builder.null_count;
    } else {
      return {std::nullopt, static_cast<std::int64_t>(row)};
    }
    builder.end_row(row);
  }
  return {builder.finish(TypeKind::string, rows.size()), -1};
}

/// Adds the bytes of a bytes, bytearray or memoryview; false for other objects.
bool add_bytes(TextBuilder& builder, std::size_t row, PyObject* object) {
  if (PyBytes_Check(object)) {
    builder.add(row,
                {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))});
    return true;
  }
  if (!PyByteArray_Check(object) && !PyMemoryView_Check(object)) return false;
  Py_buffer view{};
  if (PyObject_GetBuffer(object, &view, PyBUF_C_CONTIGUOUS) != 0) {
    PyErr_Clear();  // a view with gaps
    return false;
  }
  builder.add(row, {static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len)});
  PyBuffer_Release(&view);
  return true;
}

/// The same as text_array for binary.
std::pair<std::optional<Array>, std::int64_t> binary_array(nb::handle objects,
                                                           const std::vector<nb::object>& nulls) {
  const Objects rows(objects);
  TextBuilder builder(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (is_one_of(rows[row], nulls)) {
      ++builder.null_count;
    } else if (!add_bytes(builder, row, rows[row])) {
      return {std::nullopt, static_cast<std::int64_t>(row)};
    }
    builder.end_row(row);
  }
  return {builder.finish(TypeKind::binary, rows.size()), -1};
}

}  // namespace

void bind_text(nb::module_& module) {
  module.def("mark_nulls", &mark_nulls, nb::arg("objects"), nb::arg("nulls"), nb::arg("marks"),
             "Writes 1 to marks where an object is one of nulls, else 0; returns how many are.");
  module.def("text_array", &text_array, nb::arg("objects"), nb::arg("nulls"),
             "(a string Array, -1), or (None, the first row that is no UTF-8 text and no null).");
  module.def("binary_array", &binary_array, nb::arg("objects"), nb::arg("nulls"),
             "(a binary Array, -1), or (None, the first row that is no bytes and no null).");
}

}  // namespace otolith::bindings
