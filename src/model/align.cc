#include "model/align.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "model/cast.h"

namespace otolith::model {

namespace {

bool same_columns(const Schema& a, const Schema& b) noexcept {
  return std::ranges::equal(a.columns, b.columns, [](const Column& left, const Column& right) {
    return left.name == right.name && left.type == right.type;
  });
}

void refuse_extra(const Schema& given, const Schema& wanted) {
  for (const Column& column : given.columns) {
    if (wanted.find(column.name)) continue;
    const std::vector<std::string> names = wanted.names();
    const std::string list = fmt::format("{}", fmt::join(names, ", "));
    throw_error(ErrorCode::invalid_argument, "no column {} in this table{}; it has {}",
                quoted(column.name), nearest_hint(column.name, names),
                names.size() <= kNamesShownMax ? list : fmt::format("{} others", names.size()));
  }
}

const Array& column_of(const Batch& batch, const Column& wanted) {
  const auto at = batch.schema->find(wanted.name);
  if (!at) {
    throw_error(ErrorCode::invalid_argument, "column {} is missing; {}", quoted(wanted.name),
                wanted.nullable ? "give it, with nulls where there is no value"
                                : "it is never null: every row needs it");
  }
  return batch.columns[*at];
}

}  // namespace

Batch align(const Batch& batch, std::shared_ptr<const Schema> schema) {
  if (batch.schema == nullptr || batch.schema->columns.size() != batch.columns.size()) {
    throw_error(ErrorCode::invalid_argument, "the batch's columns do not fit its own schema");
  }
  Batch out{.schema = std::move(schema), .rows = batch.rows};
  if (same_columns(*batch.schema, *out.schema)) {
    out.columns = batch.columns;
    return out;
  }
  refuse_extra(*batch.schema, *out.schema);
  for (const Column& column : out.schema->columns) {
    out.columns.push_back(cast(column_of(batch, column), column.type, {.column = column.name}));
  }
  if (batch.columns.size() != out.columns.size()) {
    throw_error(ErrorCode::invalid_argument, "a column is given twice");
  }
  return out;
}

}  // namespace otolith::model
