// Expression: conditions, built bottom-up from what the Python layer has made of its values.
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace otolith::bindings {

namespace {

using Given = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, nb::bytes>;

Constant constant_of(const Given& value, bool times) {
  if (const auto* bytes = std::get_if<nb::bytes>(&value))
    return std::string_view(bytes->c_str(), bytes->size());
  if (const auto* ns = std::get_if<std::int64_t>(&value); ns != nullptr && times)
    return Timestamp{*ns};
  if (const auto* given = std::get_if<bool>(&value)) return *given;
  if (const auto* given = std::get_if<std::int64_t>(&value)) return *given;
  if (const auto* given = std::get_if<std::uint64_t>(&value)) return *given;
  if (const auto* given = std::get_if<double>(&value)) return *given;
  return std::get<std::string>(value);
}

Expression compare(ExpressionKind kind, const std::string& column, const std::vector<Given>& values,
                   bool times) {
  ExpressionNode node{.kind = kind, .operands = {col(column)}};
  for (const Given& value : values) node.constants.push_back(constant_of(value, times));
  return Expression(std::move(node));
}

Expression join(ExpressionKind kind, std::vector<Expression> operands) {
  return Expression({.kind = kind, .operands = std::move(operands)});
}

}  // namespace

void bind_expression(nb::module_& module) {
  nb::enum_<ExpressionKind>(module, "ExpressionKind")
      .value("equal", ExpressionKind::equal)
      .value("not_equal", ExpressionKind::not_equal)
      .value("less", ExpressionKind::less)
      .value("less_equal", ExpressionKind::less_equal)
      .value("greater", ExpressionKind::greater)
      .value("greater_equal", ExpressionKind::greater_equal)
      .value("isin", ExpressionKind::isin)
      .value("between", ExpressionKind::between)
      .value("is_null", ExpressionKind::is_null)
      .value("not_null", ExpressionKind::not_null)
      .value("all_of", ExpressionKind::all_of)
      .value("any_of", ExpressionKind::any_of)
      .value("inverse", ExpressionKind::inverse);
  nb::class_<Expression>(module, "Expression", "A condition on rows.")
      .def_static("column", &col, nb::arg("name"))
      .def_static("compare", &compare, nb::arg("kind"), nb::arg("column"), nb::arg("values"),
                  nb::arg("times"), "A column with constants; with `times`, ints are ns UTC.")
      .def_static("join", &join, nb::arg("kind"), nb::arg("operands"), "all_of, any_of, inverse.");
}

}  // namespace otolith::bindings
