#include "files/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/limits.h"

namespace otolith::files {

std::string retype_remedy(const ReadPlan& plan, const Column& column, std::string_view text) {
  if (!plan.may_retype) return {};
  TypeGuess guess;
  guess.add(text);
  const bool integers = column.type.kind == TypeKind::int64;
  const bool number = integers && (guess.type().kind == TypeKind::float64);
  return fmt::format("; --type {}={} takes it", column.name, number ? "float64" : "string");
}

std::vector<std::size_t> match_columns(const std::string& file,
                                       const std::vector<std::string>& names,
                                       const ReadPlan& plan) {
  std::vector<std::size_t> out;
  const Schema& schema = *plan.schema;
  for (const Column& column : schema.columns) {
    const auto found = std::ranges::find(names, column.name);
    out.push_back(found == names.end() ? SIZE_MAX : std::size_t(found - names.begin()));
    if (found == names.end() && !column.nullable) {
      throw_error(ErrorCode::invalid_argument, "{} has no column {}{}, which is never null", file,
                  quoted(column.name), nearest_hint(column.name, names));
    }
  }
  for (const std::string& name : names) {
    if (schema.find(name) || plan.pick) continue;
    throw_error(ErrorCode::invalid_argument,
                "{} has a column {} that the table lacks{}; --columns picks those to import", file,
                quoted(name), nearest_hint(name, schema.names()));
  }
  return out;
}

}  // namespace otolith::files
