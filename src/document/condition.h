// A condition on documents: the same expressions as on tables, bound to no schema.
//
// Role:    find, delete, replace of collections; scan asks it of each document that is visible.
// Shapes:  columns are paths (document/path.h); `_id` and `_time` are the row's own. What a value
//          is, its document says: a path has another type in each.
// Errors:  invalid_argument, when it is made, for what no document can make true or false: a path
//          that is none, a pattern that is none, a text plus a number; from holds(), where a cast
//          meets a value that its type cannot hold; limit as model/formula.h; corrupt as Value.
// Threads: immutable; copies share.
// Why:     three-valued, as tables are, with a third reason for null: a missing path, a null, and a
//          value of another type than the comparison, the function or the sum takes. `!=` and `not`
//          leave null null. Each operation is bound once for each pair of types that it takes, by
//          model/formula.h, which then computes it: no second meaning of text, time or number.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "otolith/expression.h"
#include "otolith/timestamp.h"

namespace otolith::document {

struct ConditionNode;

class Condition {
 public:
  explicit Condition(const Expression& where);

  /// Whether it is true of a document: neither false nor null. `body` is the map without its id.
  bool holds(std::string_view id, Timestamp time, Value body) const;

  /// The paths it asks for, `_id` and `_time` among them; in the order of their first use, each
  /// once, as they were written.
  const std::vector<std::string>& needed_paths() const noexcept { return paths_; }
  /// What it is bound to, condition_node.h.
  const ConditionNode& root() const noexcept { return *root_; }

 private:
  std::vector<std::string> paths_;
  std::shared_ptr<const ConditionNode> root_;
};

}  // namespace otolith::document
