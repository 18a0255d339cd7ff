// A condition on documents as a tree whose operations are bound for each type they take.
//
// Role:    condition_bind.cc makes it, condition.cc asks it, scan/document_filter.h tells from it
//          what columns must hold.
// Shapes:  one document at a time.
// Errors:  as Condition.
// Threads: immutable.
// Why:     types are known when a document is looked at, formulas when the condition is made: a
//          step for each pair of types, few of which go together. No lock, no cache behind a const.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "document/path.h"
#include "document/value.h"
#include "model/formula.h"
#include "otolith/expression.h"

namespace otolith::document {

/// What a condition is asked of.
struct DocumentRow {
  std::string_view id{};
  Timestamp time{};
  Value body{};
};

enum class Truth : std::uint8_t { no, yes, null };

struct ConditionNode {
  enum class Source : std::uint8_t { computed, constant, id, time, path };

  /// One operation on operands of these types; types of constants do not count.
  struct Step {
    std::array<Type, 2> types{};
    model::Formula formula{};
  };

  ExpressionKind kind = ExpressionKind::constant;
  Source source = Source::computed;
  std::optional<Path> path{};
  model::Values constant{};
  std::vector<Type> types{};  // that its value may have
  std::vector<ConditionNode> operands{};
  std::vector<Step> steps{};

  Truth truth(const DocumentRow& row) const;
  /// nullopt: null, a missing path, or another type than the operation takes.
  std::optional<model::Values> value(const DocumentRow& row) const;
  /// The operation on operands of these types; nullptr: it is null.
  const Step* step_for(std::span<const Type> of) const noexcept;

 private:
  Truth joined(const DocumentRow& row) const;
  bool missing(const DocumentRow& row) const;
  Truth tested(const Value& value) const;
  std::optional<model::Values> computed(const DocumentRow& row) const;
};

/// The tree of a condition; `paths`: of all its columns, each once. Throws for what is none.
ConditionNode truth_node(const Expression& expression, std::vector<std::string>& paths);

/// The type that a value is computed with; nullopt: none, as of arrays and maps.
std::optional<Type> type_of(Kind kind) noexcept;

}  // namespace otolith::document
