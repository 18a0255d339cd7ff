// Times as text to int64 ns UTC and back, one or many.
#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "model/wide_time.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

constexpr std::size_t kDateBytes = 10;  // of 2026-01-05; an offset can only follow it

/// True if a valid time says its offset from UTC.
bool has_zone(std::string_view text) noexcept {
  return text.size() > kDateBytes &&
         text.find_first_of("Zz+-", kDateBytes) != std::string_view::npos;
}

/// What parse_times found in a row; its numbers stand in otolith/times.py too.
enum class Found : std::uint8_t { no_text = 0, utc = 1, naive = 2, bad = 3 };

Found parse_into(PyObject* object, std::int64_t& ns) {
  const auto text = utf8_of(object);
  if (!text) return PyUnicode_Check(object) ? Found::bad : Found::no_text;
  try {
    ns = timestamp_parse(*text).ns;
  } catch (const Error&) {
    return Found::bad;
  }
  return has_zone(*text) ? Found::utc : Found::naive;
}

void parse_times(nb::handle objects, const nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig>& ns,
                 const nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig>& found) {
  const Objects rows(objects);
  if (ns.shape(0) < rows.size() || found.shape(0) < rows.size()) throw nb::value_error("too short");
  bool bad = false;  // the first bad row ends it: the caller raises on it
  for (std::size_t row = 0; row < rows.size() && !bad; ++row) {
    const Found what = parse_into(rows[row], ns.data()[row]);
    found.data()[row] = static_cast<std::uint8_t>(what);
    bad = what == Found::bad;
  }
}

}  // namespace

void bind_times(nb::module_& module) {
  module.def(
      "timestamp_parse",
      [](std::string_view text) { return std::pair(timestamp_parse(text).ns, has_zone(text)); },
      nb::arg("text"), "(ns since 1970, whether the text says its offset) of ISO 8601 text.");
  module.def(
      "timestamp_parse_wide",
      [](std::string_view text) {
        const auto ns = model::wide_time_parse(text);
        const bool negative = ns < 0;
        const auto digits = fmt::format("{}{}", negative ? "-" : "", negative ? -ns : ns);
        return std::pair(digits, has_zone(text));
      },
      nb::arg("text"), "The same of any year, the ns as digits: they may be no int64.");
  module.def(
      "timestamp_format", [](std::int64_t ns) { return timestamp_format(Timestamp{ns}); },
      nb::arg("ns"), "ISO 8601 text, in UTC, of ns since 1970.");
  module.def(
      "parse_times", &parse_times, nb::arg("objects"), nb::arg("ns"), nb::arg("found"),
      "Parses each str; found: 0 no str, 1 with an offset, 2 without, 3 no time (and stops).");
}

}  // namespace otolith::bindings
