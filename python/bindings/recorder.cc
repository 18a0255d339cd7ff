// Recorder: staged writes for any tables; visible all at once or not at all. Rows that come singly
// are set in the core's own columns, as far as their values need no rule of the Python layer.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <utility>
#include <variant>

#include "base/error.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

/// The right to use a recorder.
class Use {
 public:
  explicit Use(SharedRecorder& recorder) : recorder_(recorder) {
    // In a child nothing of the parent's threads counts; the core refuses what comes.
    if (recorder_.process == ::getpid() && recorder_.busy.exchange(true)) {
      throw_error(ErrorCode::invalid_argument,
                  "this recorder is in use by another thread; give each thread its own, or take "
                  "turns");
    }
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { recorder_.busy = false; }

 private:
  SharedRecorder& recorder_;
};

/// A call of the core's while nobody else is in one, without the GIL.
template <typename Call>
auto alone(SharedRecorder& recorder, Call call) {
  const Use use(recorder);
  const WithoutGil released;
  return call(recorder.core);
}

template <typename T>
bool set_integer(RowColumn<T>& column, PyObject* value) {
  if (!PyLong_CheckExact(value)) return false;
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    const unsigned long long number = PyLong_AsUnsignedLongLong(value);
    if (number == ~0ull && PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      return false;
    }
    column = number;
  } else {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0 || !std::in_range<T>(number)) return false;
    column = static_cast<T>(number);
  }
  return true;
}

bool set_value(RowColumn<double>& column, PyObject* value) {
  if (PyFloat_Check(value)) {
    column = PyFloat_AS_DOUBLE(value);
    return true;
  }
  if (!PyLong_CheckExact(value)) return false;
  constexpr long long whole = 1ll << 53;  // integers up to here are doubles
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow != 0 || number < -whole || number > whole) return false;
  column = static_cast<double>(number);
  return true;
}

bool set_value(RowColumn<float>& column, PyObject* value) {
  if (!PyFloat_Check(value)) return false;
  const double wide = PyFloat_AS_DOUBLE(value);
  const auto narrow = static_cast<float>(wide);
  if (static_cast<double>(narrow) != wide) return false;  // also NaN
  column = narrow;
  return true;
}

bool set_value(RowColumn<bool>& column, PyObject* value) {
  if (!PyBool_Check(value)) return false;
  column = value == Py_True;
  return true;
}

bool set_value(RowColumn<Timestamp>& column, PyObject* value) {
  if (!PyLong_CheckExact(value)) return false;
  int overflow = 0;
  const long long ns = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow != 0 || ns == kNotATime) return false;
  column = Timestamp{ns};
  return true;
}

bool set_value(RowColumn<Decimal>&, PyObject*) { return false; }

bool set_value(RowColumn<std::string_view>& column, PyObject* value) {
  if (const auto text = utf8_of(value)) {
    column = *text;
    return true;
  }
  return false;
}

template <typename T>
bool set_value(RowColumn<T>& column, PyObject* value)
  requires std::is_integral_v<T>
{
  return set_integer(column, value);
}

/// Bytes of a binary column.
struct BinaryColumn {
  RowColumn<std::string_view> column;
  void set_null() noexcept { column.set_null(); }
};

bool set_value(BinaryColumn& binary, PyObject* value) {
  if (!PyBytes_CheckExact(value)) return false;
  binary.column =
      std::string_view(PyBytes_AS_STRING(value), static_cast<std::size_t>(PyBytes_GET_SIZE(value)));
  return true;
}

using AnyColumn =
    std::variant<RowColumn<bool>, RowColumn<std::int8_t>, RowColumn<std::int16_t>,
                 RowColumn<std::int32_t>, RowColumn<std::int64_t>, RowColumn<std::uint8_t>,
                 RowColumn<std::uint16_t>, RowColumn<std::uint32_t>, RowColumn<std::uint64_t>,
                 RowColumn<float>, RowColumn<double>, RowColumn<Decimal>, RowColumn<Timestamp>,
                 RowColumn<std::string_view>, BinaryColumn>;

AnyColumn column_of(RowAppender& rows, const Column& column) {
  switch (column.type.kind) {
    case TypeKind::boolean:
      return rows.column<bool>(column.name);
    case TypeKind::int8:
      return rows.column<std::int8_t>(column.name);
    case TypeKind::int16:
      return rows.column<std::int16_t>(column.name);
    case TypeKind::int32:
      return rows.column<std::int32_t>(column.name);
    case TypeKind::int64:
      return rows.column<std::int64_t>(column.name);
    case TypeKind::uint8:
      return rows.column<std::uint8_t>(column.name);
    case TypeKind::uint16:
      return rows.column<std::uint16_t>(column.name);
    case TypeKind::uint32:
      return rows.column<std::uint32_t>(column.name);
    case TypeKind::uint64:
      return rows.column<std::uint64_t>(column.name);
    case TypeKind::float32:
      return rows.column<float>(column.name);
    case TypeKind::float64:
      return rows.column<double>(column.name);
    case TypeKind::decimal:
      return rows.column<Decimal>(column.name);
    case TypeKind::timestamp:
      return rows.column<Timestamp>(column.name);
    case TypeKind::string:
      return rows.column<std::string_view>(column.name);
    default:
      return BinaryColumn{rows.column<std::string_view>(column.name)};
  }
}

/// One table's rows, from dicts.
class RowWriter {
 public:
  RowWriter(std::shared_ptr<SharedRecorder> recorder, RowAppender rows, const Schema& schema)
      : recorder_(std::move(recorder)), rows_(std::move(rows)) {
    for (const Column& column : schema.columns) {
      PyObject* name = PyUnicode_FromStringAndSize(column.name.data(),
                                                   static_cast<Py_ssize_t>(column.name.size()));
      if (name == nullptr) throw nb::python_error();
      PyUnicode_InternInPlace(&name);  // as keys of dicts in source text are
      const bool required = !column.nullable;
      columns_.push_back({nb::steal(name), column_of(rows_, column), required});
    }
  }

  /// False where it needs a rule, or breaks one: then nothing is appended.
  bool append(const nb::dict& row) {
    if (recorder_->process != ::getpid()) return false;
    const Use use(*recorder_);
    std::size_t known = 0;
    for (Lane& lane : columns_) {
      PyObject* value = PyDict_GetItemWithError(row.ptr(), lane.name.ptr());
      if (value == nullptr && PyErr_Occurred() != nullptr) throw nb::python_error();
      if (value != nullptr) ++known;
      if (!lane.set(value)) return false;
    }
    if (known != row.size()) return false;
    if (rows_.room() != 0) {
      rows_.append();
    } else {
      const WithoutGil released;
      rows_.append();
    }
    return true;
  }

 private:
  struct Lane {
    nb::object name;
    AnyColumn column;
    bool required;

    // Every column is set at every row, to null too: nothing is left of a row that was given up.
    bool set(PyObject* value) {
      if (value != nullptr && value != Py_None)
        return std::visit([&](auto& typed) { return set_value(typed, value); }, column);
      std::visit([](auto& typed) { typed.set_null(); }, column);
      return !required;
    }
  };

  std::shared_ptr<SharedRecorder> recorder_;
  RowAppender rows_;
  std::vector<Lane> columns_;
};

}  // namespace

namespace {

void bind_document_writes(nb::class_<SharedRecorder>& recorder) {
  recorder
      .def(
          "put",
          [](SharedRecorder& self, std::string_view collection,
             const std::vector<Document>& documents, ExpectedRevision revision, bool given) {
            const auto expected = expected_of(std::move(revision), given);
            return alone(self,
                         [&](Recorder& core) { return core.put(collection, documents, expected); });
          },
          nb::arg("collection"), nb::arg("documents"), nb::arg("revision").none(), nb::arg("given"))
      .def(
          "insert",
          [](SharedRecorder& self, std::string_view collection,
             const std::vector<Document>& documents) {
            return alone(self, [&](Recorder& core) { return core.insert(collection, documents); });
          },
          nb::arg("collection"), nb::arg("documents"))
      .def(
          "patch",
          [](SharedRecorder& self, std::string_view collection, std::string_view id,
             const Document& patch, ExpectedRevision revision, bool given) {
            const auto expected = expected_of(std::move(revision), given);
            alone(self, [&](Recorder& core) { core.patch(collection, id, patch, expected); });
          },
          nb::arg("collection"), nb::arg("id"), nb::arg("patch"), nb::arg("revision").none(),
          nb::arg("given"))
      .def(
          "remove_ids",
          [](SharedRecorder& self, std::string_view collection, const std::vector<std::string>& ids,
             ExpectedRevision revision, bool given) {
            const auto expected = expected_of(std::move(revision), given);
            alone(self, [&](Recorder& core) { core.remove(collection, ids, expected); });
          },
          nb::arg("collection"), nb::arg("ids"), nb::arg("revision").none(), nb::arg("given"))
      .def(
          "remove_where",
          [](SharedRecorder& self, std::string_view collection, const Expression& where) {
            alone(self, [&](Recorder& core) { core.remove(collection, where); });
          },
          nb::arg("collection"), nb::arg("where"))
      .def(
          "collection",
          [](SharedRecorder& self, std::string_view name) {
            return alone(self, [&](Recorder& core) { return core.collection(name); });
          },
          nb::arg("name"))
      .def(
          "holds_documents",
          [](SharedRecorder& self, std::string_view name) {
            return alone(self, [&](Recorder& core) { return core.holds_documents(name); });
          },
          nb::arg("name"));
}

}  // namespace

void bind_recorder(nb::module_& module) {
  nb::class_<RowWriter>(module, "RowWriter", "Rows of one table, from dicts.")
      .def("append", &RowWriter::append, nb::arg("row"),
           "False, and nothing appended, where a value needs a rule of Python's.");
  nb::class_<SharedRecorder> recorder(module, "Recorder", "Staged writes; one thread at a time.");
  bind_document_writes(recorder);
  recorder
      .def(
          "rows",
          [](const std::shared_ptr<SharedRecorder>& self, std::string_view table) {
            auto [rows, schema] = alone(*self, [&](Recorder& core) {
              return std::pair(core.rows(table), core.schema(table));
            });
            return RowWriter(self, std::move(rows), *schema);
          },
          nb::arg("table"))
      .def(
          "append",
          [](SharedRecorder& self, std::string_view table, const Batch& batch) {
            alone(self, [&](Recorder& core) { core.append(table, batch); });
          },
          nb::arg("table"), nb::arg("batch"))
      .def(
          "remove",
          [](SharedRecorder& self, std::string_view table, const DeleteRequest& rows) {
            alone(self, [&](Recorder& core) { core.remove(table, rows); });
          },
          nb::arg("table"), nb::arg("rows"))
      .def(
          "replace",
          [](SharedRecorder& self, std::string_view table, const ReplaceRequest& range,
             const Batch& batch) {
            alone(self, [&](Recorder& core) { core.replace(table, range, batch); });
          },
          nb::arg("table"), nb::arg("range"), nb::arg("batch"))
      .def(
          "table",
          [](SharedRecorder& self, std::string_view name) {
            return alone(self, [&](Recorder& core) { return core.table(name); });
          },
          nb::arg("name"))
      .def(
          "schema",
          [](SharedRecorder& self, std::string_view table) {
            return SchemaHandle{alone(self, [&](Recorder& core) { return core.schema(table); })};
          },
          nb::arg("table"))
      .def("commit",
           [](SharedRecorder& self) {
             return alone(self, [](Recorder& core) { return core.commit(); });
           })
      .def("discard",
           [](SharedRecorder& self) { alone(self, [](Recorder& core) { core.discard(); }); })
      .def("open", [](const SharedRecorder& self) { return self.core.open(); });
}

}  // namespace otolith::bindings
