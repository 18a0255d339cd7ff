// Arrays on the way out: NumPy views of their buffers, which keep the buffers' owners alive.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

using View = nb::ndarray<nb::numpy, nb::ro, nb::ndim<1>>;

constexpr std::size_t kTextsKept = 4096;  // values whose str is shared; keys repeat

nb::dlpack::dtype numpy_type(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean:
      return nb::dtype<bool>();
    case TypeKind::int8:
      return nb::dtype<std::int8_t>();
    case TypeKind::int16:
      return nb::dtype<std::int16_t>();
    case TypeKind::int32:
      return nb::dtype<std::int32_t>();
    case TypeKind::int64:
    case TypeKind::timestamp:
      return nb::dtype<std::int64_t>();
    case TypeKind::uint8:
      return nb::dtype<std::uint8_t>();
    case TypeKind::uint16:
      return nb::dtype<std::uint16_t>();
    case TypeKind::uint32:
      return nb::dtype<std::uint32_t>();
    case TypeKind::uint64:
      return nb::dtype<std::uint64_t>();
    case TypeKind::float32:
      return nb::dtype<float>();
    case TypeKind::float64:
      return nb::dtype<double>();
    default:
      throw nb::type_error("no NumPy type holds this column");
  }
}

/// Bytes of a buffer as a read-only array whose base keeps the buffers alive.
View view_of(const Array& self, const void* data, std::size_t length, nb::dlpack::dtype type) {
  static constexpr std::byte kNothing[8]{};
  auto kept = std::make_unique<Array>(self);
  const nb::capsule owner(kept.get(),
                          [](void* taken) noexcept { delete static_cast<Array*>(taken); });
  (void)kept.release();  // the capsule's now
  return View(data == nullptr ? kNothing : data, {length}, owner, {}, type);
}

View values_of(const Array& self) {
  return view_of(self, self.values.bytes.data(), self.length, numpy_type(self.type.kind));
}

/// Validity bits of a column with nulls, least significant first.
View validity_of(const Array& self) {
  return view_of(self, self.validity.bytes.data(), (self.length + 7) / 8,
                 nb::dtype<std::uint8_t>());
}

/// Python texts of one column: rows that repeat one of the last values share its str.
class Texts {
 public:
  Texts() : slots_(kTextsKept) {}

  /// Valid until the next call.
  nb::handle operator()(std::string_view text) {
    Slot& slot = slots_[xxh3(as_bytes_view(text)) % kTextsKept];
    if (!slot.made.is_valid() || slot.text != text) slot = {text, made_of(text)};
    return slot.made;
  }

 private:
  struct Slot {
    std::string_view text;  // of the column
    nb::object made;
  };

  static nb::object made_of(std::string_view text) {
    nb::object made =
        nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
    if (!made.is_valid()) {
      PyErr_Clear();
      throw_error(ErrorCode::corrupt, "text that is no UTF-8: {}; run verify", quoted(text));
    }
    return made;
  }

  std::vector<Slot> slots_;
};

/// Writes a str per row, or None, from a place of a fresh NumPy array of objects on.
void put_texts(const Array& self, Texts& texts, const Objects& rows, std::uint64_t at) {
  for (std::uint64_t row = 0; row < self.length; ++row) {
    const nb::handle object = self.is_null(row) ? nb::handle(Py_None) : texts(self.text(row));
    rows.set(at + row, nb::borrow(object));
  }
}

void fill_texts(const Array& self, nb::handle objects) {
  const Objects rows(objects, PyBUF_WRITABLE);
  Texts texts;
  put_texts(self, texts, rows, 0);
}

/// The same of a column in pieces, which need not be joined for it.
void fill_column_texts(const Data& self, std::size_t index, nb::handle objects) {
  const Objects rows(objects, PyBUF_WRITABLE);
  Texts texts;
  std::uint64_t at = 0;
  for (const Batch& batch : self.batches()) {
    put_texts(batch.columns.at(index), texts, rows, at);
    at += batch.rows;
  }
}

/// Writes a bytes per row, or None.
void fill_bytes(const Array& self, nb::handle objects) {
  const Objects rows(objects, PyBUF_WRITABLE);
  for (std::uint64_t row = 0; row < self.length; ++row) {
    if (self.is_null(row)) {
      rows.set(row, nb::none());
    } else {
      const std::string_view bytes = self.text(row);
      rows.set(row, nb::bytes(bytes.data(), bytes.size()));
    }
  }
}

/// Writes what `make` makes of each row's digits, or None.
void fill_decimals(const Array& self, nb::handle objects, const nb::object& make) {
  const Objects rows(objects, PyBUF_WRITABLE);
  for (std::uint64_t row = 0; row < self.length; ++row) {
    if (self.is_null(row)) {
      rows.set(row, nb::none());
    } else {
      const std::string digits = decimal_format(self.value<Decimal>(row), self.type.scale);
      rows.set(row, make(nb::str(digits.data(), digits.size())));
    }
  }
}

}  // namespace

void bind_array_views(nb::class_<Array>& array) {
  array.def("values", &values_of, "Values of fixed width, read-only; times as int64 ns.")
      .def("validity", &validity_of, "Validity bits, read-only; only where null_count is not 0.")
      .def("fill_texts", &fill_texts, nb::arg("objects"),
           "Writes a str or None per row into a NumPy array of objects of that length.")
      .def("fill_bytes", &fill_bytes, nb::arg("objects"), "The same of binary: bytes or None.")
      .def("fill_decimals", &fill_decimals, nb::arg("objects"), nb::arg("make"),
           "The same of decimals: what `make`, such as decimal.Decimal, makes of a str, or None.");
}

void bind_data_texts(nb::class_<Data>& data) {
  data.def("fill_texts", &fill_column_texts, nb::arg("index"), nb::arg("objects"),
           "Writes a str or None per row of a string column into a NumPy array of objects.");
}

}  // namespace otolith::bindings
