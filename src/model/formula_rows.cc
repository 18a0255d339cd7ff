// Formulas over rows: columns as they are stored, conditions in three values.
#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/formula_loops.h"

namespace otolith::model {

namespace {

// ---------------------------------------------------------------------------------------- columns

template <typename T, typename Out>
void gather(const Array& array, std::span<const std::uint32_t> rows, std::vector<Out>& out) {
  const T* values = array.values.as<T>();
  out.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<Out>(values[rows[i]]);
}

void gather_exact(const Array& array, std::span<const std::uint32_t> rows, Values& out) {
  switch (array.type.kind) {
    case TypeKind::int8:
      return gather<std::int8_t>(array, rows, out.exact);
    case TypeKind::int16:
      return gather<std::int16_t>(array, rows, out.exact);
    case TypeKind::int32:
      return gather<std::int32_t>(array, rows, out.exact);
    case TypeKind::uint8:
      return gather<std::uint8_t>(array, rows, out.exact);
    case TypeKind::uint16:
      return gather<std::uint16_t>(array, rows, out.exact);
    case TypeKind::uint32:
      return gather<std::uint32_t>(array, rows, out.exact);
    case TypeKind::uint64:
      return gather<std::uint64_t>(array, rows, out.exact);
    case TypeKind::decimal:
      out.exact.resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(&out.exact[i], array.values.bytes.data() + rows[i] * sizeof(Int128),
                    sizeof(Int128));
      }
      return;
    default:
      return gather<std::int64_t>(array, rows, out.exact);
  }
}

void gather_texts(const Array& array, std::span<const std::uint32_t> rows, Values& out) {
  out.text.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!array.is_null(rows[i])) out.text[i] = array.text(rows[i]);
  }
}

// What every kind has, for rows that are null.
void fill(Values& values, std::size_t rows) {
  values.truth.resize(rows);
  values.exact.resize(rows);
  values.real.resize(rows);
  values.text.resize(rows);
}

Values as_stored(const Array& array, std::span<const std::uint32_t> rows) {
  Values out{.type = array.type};
  switch (kind_of(array.type)) {
    case ValueKind::truth:
      gather<std::uint8_t>(array, rows, out.truth);
      break;
    case ValueKind::exact:
      gather_exact(array, rows, out);
      break;
    case ValueKind::real:
      if (array.type.kind == TypeKind::float32)
        gather<float>(array, rows, out.real);
      else
        gather<double>(array, rows, out.real);
      break;
    case ValueKind::text:
      gather_texts(array, rows, out);
      break;
  }
  if (array.null_count == 0) return out;
  out.null.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out.null[i] = array.is_null(rows[i]) ? 1 : 0;
  return out;
}

// Columns are widened and never narrowed: older rows are stored under what the type was.
Values widened(const Formula& formula, Values values) {
  if (kind_of(formula.type) == ValueKind::real && kind_of(values.type) == ValueKind::exact) {
    reals_in(values, values.real);
  } else if (scale_of(formula.type) > scale_of(values.type)) {
    std::vector<Int128> units;
    units_in(values, scale_of(formula.type), formula, units);
    values.exact = std::move(units);
  }
  values.type = formula.type;
  return values;
}

Values load(const Formula& formula, const Inputs& inputs) {
  const Array* array = inputs.column(formula.column);
  if (array != nullptr) return widened(formula, as_stored(*array, inputs.rows));
  Values out{.type = formula.type, .single = true, .null = {1}};
  fill(out, 1);
  return out;
}

// ------------------------------------------------------------------------------------- conditions

// `and`: false where one is, else null where one is. `or`: the same with true and false changed.
Values joined(const Formula& formula, const Inputs& inputs) {
  const bool every = formula.kind == ExpressionKind::all_of;
  const std::size_t rows = inputs.rows.size();
  Values out{.type = formula.type};
  out.truth.assign(rows, every ? 1 : 0);
  out.null.assign(rows, 0);
  const std::uint8_t deciding = every ? 0 : 1;
  for (const Formula& operand : formula.operands) {
    const Values part = evaluate(operand, inputs);
    const std::size_t step = part.single ? 0 : 1;
    for (std::size_t row = 0; row < rows; ++row) {
      const bool decided = out.null[row] == 0 && out.truth[row] == deciding;
      if (decided) continue;
      if (part.is_null(row)) {
        out.null[row] = 1;
      } else if (part.truth[row * step] == deciding) {
        out.truth[row] = deciding;
        out.null[row] = 0;
      }
    }
  }
  return out;
}

Values inverse(Values values) {
  for (std::uint8_t& truth : values.truth) truth ^= 1;
  return values;
}

Values null_test(const Formula& formula, const Inputs& inputs) {
  const Values of = evaluate(formula.operands.front(), inputs);
  const std::size_t rows = of.single ? 1 : inputs.rows.size();
  const bool wanted = formula.kind == ExpressionKind::is_null;
  Values out{.type = formula.type, .single = of.single};
  out.truth.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) out.truth[row] = of.is_null(row) == wanted ? 1 : 0;
  return out;
}

std::vector<Values> operands_of(const Formula& formula, const Inputs& inputs) {
  std::vector<Values> out;
  for (const Formula& operand : formula.operands) out.push_back(evaluate(operand, inputs));
  return out;
}

}  // namespace

Values results_of(const Formula& formula, std::span<const Values* const> operands,
                  std::size_t rows) {
  const bool single = std::ranges::all_of(operands, &Values::single);
  const std::size_t count = single ? 1 : rows;
  Values out{.type = formula.type, .single = single};
  switch (kind_of(formula.type)) {
    case ValueKind::truth:
      out.truth.resize(count);
      break;
    case ValueKind::exact:
      out.exact.resize(count);
      break;
    case ValueKind::real:
      out.real.resize(count);
      break;
    case ValueKind::text:
      out.text.resize(count);
      break;
  }
  for (const Values* operand : operands) {
    if (operand->null.empty() || mutant("formula-null-counts")) continue;
    out.null.resize(count);
    for (std::size_t row = 0; row < count; ++row) out.null[row] |= operand->is_null(row) ? 1 : 0;
  }
  return out;
}

void set_null(Values& values, std::size_t row, std::size_t rows) {
  if (values.null.empty()) values.null.resize(count_of(values, rows));
  values.null[row] = 1;
}

Values compute(const Formula& formula, const std::vector<Values>& operands, std::size_t rows) {
  switch (formula.kind) {
    case ExpressionKind::cast:
    case ExpressionKind::try_cast:
      return cast_values(formula, operands.front(), rows);
    case ExpressionKind::call:
      return call_function(formula, operands.front(), rows);
    case ExpressionKind::add:
    case ExpressionKind::subtract:
    case ExpressionKind::multiply:
    case ExpressionKind::divide:
    case ExpressionKind::floor_divide:
    case ExpressionKind::modulo:
    case ExpressionKind::negate:
      return compute_numbers(formula, operands, rows);
    default:
      return operands.size() > 1 ? compare_values(formula, operands, rows)
                                 : test_constants(formula, operands.front(), rows);
  }
}

Values evaluate(const Formula& formula, const Inputs& inputs) {
  const std::size_t rows = inputs.rows.size();
  switch (formula.kind) {
    case ExpressionKind::column:
      return load(formula, inputs);
    case ExpressionKind::constant:
      return formula.constant;
    case ExpressionKind::all_of:
    case ExpressionKind::any_of:
      return joined(formula, inputs);
    case ExpressionKind::inverse:
      return inverse(evaluate(formula.operands.front(), inputs));
    case ExpressionKind::is_null:
    case ExpressionKind::not_null:
      return null_test(formula, inputs);
    default:
      return compute(formula, operands_of(formula, inputs), rows);
  }
}

}  // namespace otolith::model
