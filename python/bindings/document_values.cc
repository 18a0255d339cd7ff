#include "document_values.h"

#include <datetime.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "document/builder.h"
#include "document/canonical.h"
#include "document/condition.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "document/msgpack.h"
#include "document/path.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

using document::Builder;
using document::Head;
using document::Kind;
using document::Value;

// Where a value stands: within what, and under which key or at which place.
struct Frame {
  const Frame* within = nullptr;
  PyObject* key = nullptr;
  Py_ssize_t place = 0;
};

std::string path_of(const Frame* frame) {
  if (frame == nullptr || frame->within == nullptr) return {};
  const std::string within = path_of(frame->within);
  if (frame->key == nullptr)
    return document::path_with(within, static_cast<std::size_t>(frame->place));
  return document::path_with(within, utf8_of(frame->key).value_or("?"));
}

std::string shown(const Frame& frame) {
  const std::string path = path_of(&frame);
  return path.empty() ? "a document" : "a document's " + quoted(path);
}

template <typename... Args>
[[noreturn]] void refuse(const Frame& at, fmt::format_string<const Args&...> format,
                         const Args&... args) {
  throw_error(ErrorCode::invalid_argument, "{}: {}", shown(at), fmt::format(format, args...));
}

const char* type_of(PyObject* object) noexcept { return Py_TYPE(object)->tp_name; }

class Packing {
 public:
  explicit Packing(const DocumentRules& rules) : rules_(rules) {}

  Bytes all(PyObject* value) {
    put(value, Frame{});
    return out_.take();
  }

 private:
  // Nearly all values are of these very types; the rest is asked what it derives from.
  void put(PyObject* value, const Frame& at) {
    if (PyUnicode_CheckExact(value))
      text(value, at);
    else if (PyLong_CheckExact(value))
      integer(value, at);
    else if (PyFloat_CheckExact(value))
      out_.float64(PyFloat_AS_DOUBLE(value));
    else if (value == Py_None)
      out_.null();
    else if (PyBool_Check(value))
      out_.boolean(value == Py_True);
    else if (PyDict_CheckExact(value))
      dict(value, at);
    else if (PyList_Check(value))
      list(value, at);
    else if (PyTuple_Check(value))
      tuple(value, at);
    else
      derived(value, at);
  }

  void derived(PyObject* value, const Frame& at) {
    if (PyUnicode_Check(value))
      text(value, at);
    else if (PyLong_Check(value))
      integer(value, at);
    else if (PyFloat_Check(value))
      out_.float64(PyFloat_AS_DOUBLE(value));
    else if (PyDict_Check(value))
      items(value, at);
    else if (PyBytes_Check(value))
      out_.binary({reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(value)),
                   static_cast<std::size_t>(PyBytes_GET_SIZE(value))});
    else if (PyByteArray_Check(value))
      out_.binary({reinterpret_cast<const std::byte*>(PyByteArray_AS_STRING(value)),
                   static_cast<std::size_t>(PyByteArray_GET_SIZE(value))});
    else if (!datetime(value))
      other(value, at);
  }

  void text(PyObject* value, const Frame& at) {
    const auto utf8 = utf8_of(value);
    if (!utf8) refuse(at, "a str holds half of a surrogate pair, which is no UTF-8");
    out_.string(*utf8);
  }

  void integer(PyObject* value, const Frame& at) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) return out_.integer(number);
    const unsigned long long large = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      refuse(at, "an int has more than 64 bits; store it as a str");
    }
    out_.unsigned_integer(large);
  }

  // Where conversions run code of others, what is gone through may change: its size is asked each
  // time, and what is looked at is kept.
  void dict(PyObject* value, const Frame& at) {
    begin_map(static_cast<std::size_t>(PyDict_GET_SIZE(value)), at);
    Py_ssize_t place = 0;
    PyObject* key = nullptr;
    PyObject* field = nullptr;
    while (PyDict_Next(value, &place, &key, &field) != 0) {
      const nb::object kept_key = nb::borrow(key);
      const nb::object kept = nb::borrow(field);
      put_field(key, field, at);
    }
    out_.end();
  }

  // A dict that may have an order of its own.
  void items(PyObject* value, const Frame& at) {
    const nb::object all = nb::steal(PyMapping_Items(value));
    if (!all.is_valid()) throw nb::python_error();
    begin_map(nb::len(all), at);
    for (const nb::handle item : all) {
      const nb::object key = item[0];
      const nb::object field = item[1];
      put_field(key.ptr(), field.ptr(), at);
    }
    out_.end();
  }

  void put_field(PyObject* key, PyObject* value, const Frame& at) {
    const auto name = utf8_of(key);
    if (!name && PyUnicode_Check(key)) refuse(at, "a key holds half of a surrogate pair");
    if (!name) refuse(at, "a key is of type {}; keys are str", type_of(key));
    out_.key(*name);
    put(value, Frame{.within = &at, .key = key});
  }

  void list(PyObject* value, const Frame& at) {
    begin_array(static_cast<std::size_t>(PyList_GET_SIZE(value)), at);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); ++i) {
      const nb::object kept = nb::borrow(PyList_GET_ITEM(value, i));
      put(kept.ptr(), Frame{.within = &at, .place = i});
    }
    out_.end();
  }

  void tuple(PyObject* value, const Frame& at) {
    begin_array(static_cast<std::size_t>(PyTuple_GET_SIZE(value)), at);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i)
      put(PyTuple_GET_ITEM(value, i), Frame{.within = &at, .place = i});
    out_.end();
  }

  void begin_map(std::size_t count, const Frame& at) {
    check_depth(at);
    out_.begin_map(count);
  }
  void begin_array(std::size_t count, const Frame& at) {
    check_depth(at);
    out_.begin_array(count);
  }
  void check_depth(const Frame& at) const {
    if (out_.depth() < kDocumentDepthMax) return;
    throw_error(ErrorCode::limit, "{}: more than {} levels of dicts and lists; flatten it",
                shown(at), kDocumentDepthMax);
  }

  // A datetime of the standard library that is in UTC, or naive where that means UTC. All others
  // the Python layer knows better.
  bool datetime(PyObject* value) {
    if (!PyDateTime_CheckExact(value)) return false;
    PyObject* const zone = PyDateTime_DATE_GET_TZINFO(value);
    if (zone != PyDateTime_TimeZone_UTC && !(zone == Py_None && rules_.naive_is_utc)) return false;
    using namespace std::chrono;
    const sys_days date = year_month_day(year(PyDateTime_GET_YEAR(value)),
                                         month(static_cast<unsigned>(PyDateTime_GET_MONTH(value))),
                                         day(static_cast<unsigned>(PyDateTime_GET_DAY(value))));
    const seconds within(PyDateTime_DATE_GET_HOUR(value) * 3600 +
                         PyDateTime_DATE_GET_MINUTE(value) * 60 +
                         PyDateTime_DATE_GET_SECOND(value));
    const std::int64_t us = duration_cast<microseconds>(date.time_since_epoch() + within).count() +
                            PyDateTime_DATE_GET_MICROSECOND(value);
    std::int64_t ns = 0;
    if (__builtin_mul_overflow(us, 1000, &ns)) return false;
    out_.timestamp({ns});
    return true;
  }

  // What the Python layer makes of it: ("time", ns) or ("value", one of the kinds above).
  void other(PyObject* value, const Frame& at) {
    const nb::object made = asked(value, at);
    if (!PyTuple_Check(made.ptr()) || PyTuple_GET_SIZE(made.ptr()) != 2)
      throw nb::type_error("plain gives a pair");
    PyObject* const plain = PyTuple_GET_ITEM(made.ptr(), 1);
    if (nb::cast<std::string_view>(made[0]) == "time")
      return out_.timestamp({nb::cast<std::int64_t>(nb::handle(plain))});
    const bool again = Py_TYPE(plain) == Py_TYPE(value);
    if (again) refuse(at, "a {} is nothing that a document holds", type_of(value));
    put(plain, at);
  }

  nb::object asked(PyObject* value, const Frame& at) const {
    PyObject* const made = PyObject_CallOneArg(rules_.plain.ptr(), value);
    if (made != nullptr) return nb::steal(made);
    nb::python_error raised;
    const nb::object invalid = nb::module_::import_("otolith.errors").attr("InvalidArgument");
    if (!raised.matches(invalid)) throw raised;
    refuse(at, "{}", nb::cast<std::string>(nb::str(raised.value())));
  }

  const DocumentRules& rules_;
  Builder out_;
};

// ------------------------------------------------------------------------------------------ back

nb::object taken(PyObject* made) {
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

nb::object text_of(std::string_view utf8) {
  return taken(PyUnicode_FromStringAndSize(utf8.data(), static_cast<Py_ssize_t>(utf8.size())));
}

// Keys of documents come again and again: the str of one is kept, with its hash. Under the GIL.
class Keys {
 public:
  nb::object of(std::string_view key) {
    if (key.size() > kKeyBytesMax) return text_of(key);
    PyObject*& kept = kept_[place_of(key)];
    if (kept != nullptr && utf8_of(kept) == key) return nb::borrow(kept);
    nb::object made = text_of(key);
    Py_XDECREF(kept);
    kept = nb::object(made).release().ptr();
    return made;
  }

 private:
  static constexpr std::size_t kKept = 1024;
  static constexpr std::size_t kKeyBytesMax = 64;

  // By both ends and the length: of the keys of one document these mostly differ.
  static std::size_t place_of(std::string_view key) noexcept {
    constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
    constexpr unsigned kTop = 64 - 10;
    static_assert(kKept == std::size_t{1} << (64 - kTop));
    const std::size_t end = std::min(key.size(), sizeof(std::uint64_t));
    std::uint64_t ends[2] = {key.size(), 0};
    std::memcpy(&ends[1], key.data() + key.size() - end, end);
    std::uint32_t begin = 0;
    std::memcpy(&begin, key.data(), std::min(end, sizeof begin));
    return ((ends[1] ^ ends[0] << 56 ^ std::uint64_t{begin} << 13) * kSpread) >> kTop;
  }

  std::array<PyObject*, kKept> kept_{};
};

// In one pass over the bytes: heads are read once, and nothing is stepped over.
class Unpacking {
 public:
  Unpacking(BytesView bytes, const nb::callable& fine) : rest_(bytes), fine_(fine) {}

  /// The next value.
  nb::object object() {
    const Head head = next();
    const BytesView payload = rest_.subspan(head.bytes, head.size() - head.bytes);
    switch (head.form) {
      case Head::Form::string:
        pass(head);
        return text_of(as_text(payload));
      case Head::Form::binary:
        pass(head);
        return nb::bytes(payload.data(), payload.size());
      case Head::Form::array:
        return list(head);
      case Head::Form::map: {
        nb::object out = taken(PyDict_New());
        fill(out, head);
        return out;
      }
      default:
        break;
    }
    nb::object out = scalar(Value(rest_));
    pass(head);
    return out;
  }

  nb::object document(std::string_view id) {
    const Head head = next();
    if (head.form != Head::Form::map)
      throw_error(ErrorCode::corrupt, "a document is no map of fields; run verify");
    nb::object out = taken(PyDict_New());
    if (PyDict_SetItem(out.ptr(), keys().of("_id").ptr(), text_of(id).ptr()) != 0)
      throw nb::python_error();
    fill(out, head);
    return out;
  }

 private:
  static Keys& keys() {
    static Keys all;
    return all;
  }

  // Most are keys and short texts, which the first byte tells.
  Head next() const {
    constexpr std::uint8_t kShortText = 0xa0;
    constexpr std::uint8_t kBytes = 0x1f;
    if (!rest_.empty()) {
      const auto first = std::to_integer<std::uint8_t>(rest_[0]);
      const std::size_t bytes = first & kBytes;
      if ((first & ~kBytes) == kShortText && bytes < rest_.size())
        return {.form = Head::Form::string, .number = bytes};
    }
    const auto head = document::head_of(rest_);
    if (!head) (void)Value(rest_);  // says what is wrong
    return *head;
  }

  void pass(const Head& head) { rest_ = rest_.subspan(static_cast<std::size_t>(head.size())); }

  nb::object scalar(const Value& value) const {
    switch (value.kind()) {
      case Kind::boolean:
        return nb::bool_(value.boolean());
      case Kind::integer:
        return taken(PyLong_FromLongLong(value.integer()));
      case Kind::unsigned_integer:
        return taken(PyLong_FromUnsignedLongLong(value.unsigned_integer()));
      case Kind::float64:
        return taken(PyFloat_FromDouble(value.float64()));
      case Kind::timestamp:
        return time(value.timestamp());
      default:
        return nb::none();
    }
  }

  nb::object list(const Head& head) {
    const Level level(*this);
    pass(head);
    nb::object out = taken(PyList_New(static_cast<Py_ssize_t>(head.number)));
    for (std::uint64_t place = 0; place < head.number; ++place)
      PyList_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(place), object().release().ptr());
    return out;
  }

  void fill(const nb::object& out, const Head& head) {
    const Level level(*this);
    pass(head);
    for (std::uint64_t field = 0; field < head.number; ++field) {
      const Head key_head = next();
      if (key_head.form != Head::Form::string)
        throw_error(ErrorCode::corrupt, "a document has a key that is no text; run verify");
      const BytesView utf8 = rest_.subspan(key_head.bytes, key_head.number);
      const nb::object key = keys().of(as_text(utf8));
      pass(key_head);
      if (PyDict_SetItem(out.ptr(), key.ptr(), object().ptr()) != 0) throw nb::python_error();
    }
  }

  // Exact, or not a datetime.
  nb::object time(Timestamp at) const {
    using namespace std::chrono;
    constexpr std::int64_t kMicrosecondNs = 1000;
    if (at.ns % kMicrosecondNs != 0) return fine_(at.ns);
    const sys_time<microseconds> us{microseconds(at.ns / kMicrosecondNs)};
    const sys_days days = floor<std::chrono::days>(us);
    const year_month_day date(days);
    const hh_mm_ss within(us - days);
    return taken(PyDateTimeAPI->DateTime_FromDateAndTime(
        static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
        static_cast<int>(static_cast<unsigned>(date.day())),
        static_cast<int>(within.hours().count()), static_cast<int>(within.minutes().count()),
        static_cast<int>(within.seconds().count()), static_cast<int>(within.subseconds().count()),
        PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType));
  }

  // Bytes that were not checked may be deeper than the stack is.
  class Level {
   public:
    explicit Level(Unpacking& of) : depth_(of.depth_) {
      if (++depth_ > kDocumentDepthMax)
        throw_error(ErrorCode::corrupt, "a document is deeper than any that is stored; run verify");
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --depth_; }

   private:
    std::size_t& depth_;
  };

  BytesView rest_;  // what is still to come
  const nb::callable& fine_;
  std::size_t depth_ = 0;
};

BytesView view_of(const nb::bytes& bytes) {
  return {static_cast<const std::byte*>(bytes.data()), bytes.size()};
}

nb::bytes bytes_of(const Bytes& bytes) { return nb::bytes(bytes.data(), bytes.size()); }

document::JsonStyle::NotFinite not_finite_of(std::string_view name) {
  using NotFinite = document::JsonStyle::NotFinite;
  if (name == "null") return NotFinite::null;
  return name == "words" ? NotFinite::words : NotFinite::refuse;
}

nb::str to_json(const nb::bytes& body, unsigned indent, std::string_view not_finite) {
  std::string out;
  document::to_json(view_of(body), out,
                    {.indent = indent, .not_finite = not_finite_of(not_finite)});
  return nb::str(out.data(), out.size());
}

}  // namespace

Bytes document_of(nb::handle value, const DocumentRules& rules) {
  return Packing(rules).all(value.ptr());
}

nb::object object_of(BytesView value, const nb::callable& fine) {
  return Unpacking(value, fine).object();
}

nb::object document_dict(const Document& document, const nb::callable& fine) {
  return Unpacking(as_bytes_view(document.body()), fine).document(document.id());
}

void bind_documents(nb::module_& module) {
  PyDateTime_IMPORT;
  module.def(
      "document_pack",
      [](nb::handle value, nb::callable plain, bool naive_is_utc) {
        return bytes_of(document_of(value, {std::move(plain), naive_is_utc}));
      },
      nb::arg("value"), nb::arg("plain"), nb::arg("naive_is_utc") = true,
      "A value as canonical msgpack; `plain` says what other objects are.");
  module.def(
      "document_unpack",
      [](const nb::bytes& body, const nb::callable& fine) {
        return object_of(view_of(body), fine);
      },
      nb::arg("body"), nb::arg("fine"),
      "The value; `fine` makes times of ns that are no whole us.");
  module.def(
      "document_canonical",
      [](const nb::bytes& msgpack) { return bytes_of(document::canonical(view_of(msgpack))); },
      nb::arg("msgpack"), "Msgpack of others in the one form that is kept.");
  module.def(
      "document_from_json",
      [](std::string_view text) { return bytes_of(document::from_json(text)); }, nb::arg("text"),
      "A JSON object as canonical msgpack.");
  module.def("document_to_json", &to_json, nb::arg("body"), nb::arg("indent") = 0,
             nb::arg("not_finite") = "refuse",
             "As JSON; NaN and infinities: refuse, null, or words.");
  nb::class_<document::Condition>(module, "DocumentCondition", "A condition on documents.")
      .def(nb::init<const Expression&>(), nb::arg("where"))
      .def_prop_ro("paths", &document::Condition::needed_paths)
      .def(
          "holds",
          [](const document::Condition& self, std::string_view id, std::int64_t ns,
             const nb::bytes& body) { return self.holds(id, Timestamp{ns}, Value(view_of(body))); },
          nb::arg("id"), nb::arg("ns"), nb::arg("body"), "Whether it is true of a document.");
}

}  // namespace otolith::bindings
