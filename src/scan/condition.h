// A condition bound to a schema: names and constants have become columns and tests.
//
// Role:    between the request and the filter; made once for a read.
// Shapes:  without `not`: it is pushed down to the comparisons, where it means "false", not "null".
//          Columns beside constants are tests of what is stored; all else is computed.
// Errors:  invalid_argument for unknown columns (nearest name given) and for types that do not go
//          together.
// Threads: immutable.
// Why:     three-valued logic without a third value: under De Morgan's rules each comparison keeps
//          one bit, "it is true", and a null is never that, whether it was asked for or its
//          inverse.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "model/criterion.h"
#include "model/formula.h"
#include "otolith/expression.h"
#include "otolith/schema.h"

namespace otolith::scan {

struct Condition {
  enum class Kind : std::uint8_t { compare, is_null, all_of, any_of, computed };

  Kind kind = Kind::all_of;
  bool inverse = false;               // compare, is_null, computed
  std::size_t column = 0;             // in the schema: compare, is_null
  ColumnId id{};                      // of that column
  std::optional<Expression> asked{};  // compare: the comparison, for columns stored otherwise
  model::Criterion test{};            // compare: of the schema's type
  std::vector<Condition> operands{};  // all_of, any_of
  std::shared_ptr<const model::Formula> formula{};  // computed: true, false or null
  std::vector<std::size_t> columns{};               // computed: in the schema
};

Condition condition_of(const Expression& where, const Schema& schema);

/// The columns it asks about, in the schema; ascending, each once.
std::vector<std::size_t> columns_of(const Condition& condition);

}  // namespace otolith::scan
