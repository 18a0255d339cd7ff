// Expression: conditions, built bottom-up from what the Python layer has made of its values.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "model/formula.h"
#include "model/text_place.h"

namespace otolith::bindings {

namespace {

// An Expression is a constant of many digits (Expression.number).
using Given =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string, nb::bytes, Expression>;

Constant constant_of(const Given& value, bool times) {
  if (const auto* bytes = std::get_if<nb::bytes>(&value))
    return std::string_view(bytes->c_str(), bytes->size());
  if (const auto* number = std::get_if<Expression>(&value)) return number->node().constants.front();
  if (const auto* ns = std::get_if<std::int64_t>(&value); ns != nullptr && times)
    return Timestamp{*ns};
  if (const auto* given = std::get_if<bool>(&value)) return *given;
  if (const auto* given = std::get_if<std::int64_t>(&value)) return *given;
  if (const auto* given = std::get_if<std::uint64_t>(&value)) return *given;
  if (const auto* given = std::get_if<double>(&value)) return *given;
  return std::get<std::string>(value);
}

// A constant as Python has it, and the digits of a number that was written with a point.
using Shown = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

std::vector<std::pair<Shown, std::string>> constants_of(const Expression& expression) {
  std::vector<std::pair<Shown, std::string>> out;
  for (const Constant& constant : expression.node().constants) {
    std::visit(
        [&]<typename T>(const T& value) {
          if constexpr (std::is_same_v<T, Timestamp>)
            out.emplace_back(timestamp_format(value), "");
          else
            out.emplace_back(value, constant.digits());
        },
        constant.value());
  }
  return out;
}

Expression make(ExpressionKind kind, std::string name, const std::vector<Given>& values,
                std::vector<Expression> operands, bool times, const Expression* source) {
  ExpressionNode node{.kind = kind, .column = std::move(name), .operands = std::move(operands)};
  for (const Given& value : values) node.constants.push_back(constant_of(value, times));
  if (source != nullptr) node.place = source->node().place;
  return Expression(std::move(node));
}

Expression number(const std::string& digits) { return Expression(Constant::number(digits)); }

std::string value_type(const Expression& expression, const SchemaHandle& schema) {
  return type_name(model::formula_of(expression, *schema.schema).type);
}

}  // namespace

void bind_expression(nb::module_& module) {
  nb::enum_<ExpressionKind>(module, "ExpressionKind")
      .value("column", ExpressionKind::column)
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
      .value("inverse", ExpressionKind::inverse)
      .value("constant", ExpressionKind::constant)
      .value("add", ExpressionKind::add)
      .value("subtract", ExpressionKind::subtract)
      .value("multiply", ExpressionKind::multiply)
      .value("divide", ExpressionKind::divide)
      .value("floor_divide", ExpressionKind::floor_divide)
      .value("modulo", ExpressionKind::modulo)
      .value("negate", ExpressionKind::negate)
      .value("cast", ExpressionKind::cast)
      .value("try_cast", ExpressionKind::try_cast)
      .value("call", ExpressionKind::call);
  nb::class_<Expression>(module, "Expression", "A condition on rows, or a value.")
      .def_static("make", &make, nb::arg("kind"), nb::arg("name"), nb::arg("values"),
                  nb::arg("operands"), nb::arg("times") = false, nb::arg("source") = nb::none(),
                  "One node; with `times`, ints are ns UTC. `source` is what was parsed, for "
                  "messages.")
      .def_static("number", &number, nb::arg("digits"), "A constant in decimal digits.")
      .def_prop_ro("kind", [](const Expression& self) { return self.node().kind; })
      .def_prop_ro("name", [](const Expression& self) { return self.node().column; })
      .def_prop_ro("values", &constants_of, "(value, digits) of each constant.")
      .def_prop_ro("operands", &Expression::parts)
      .def_prop_ro("shown", &model::expression_shown, "As text for messages, cut where it is long.")
      .def(
          "place", [](const Expression& self) { return model::place_shown(self.node().place); },
          "Where it stands in the text it was parsed from, for messages.");
  module.def("parse_condition", &parse_condition, nb::arg("text"));
  module.def("value_type", &value_type, nb::arg("expression"), nb::arg("schema"),
             "The type of the value; InvalidArgument where it has none.");
}

}  // namespace otolith::bindings
