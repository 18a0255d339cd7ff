// The functions of conditions: their names, and what they take and give.
//
// Role:    expression.cc checks calls, the parser knows names, formula.cc types and evaluates them.
// Shapes:  each of one value, and of at most one constant text.
// Errors:  invalid_argument for an unknown name, with the nearest; for arguments that it does not
//          take.
// Threads: immutable.
// Why:     one table; a new function is a line here and its loop in a formula_*.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "otolith/expression.h"

namespace otolith::model {

enum class FunctionId : std::uint8_t {
  abs,
  lower,
  upper,
  len,
  contains,
  starts_with,
  ends_with,
  like,
  matches,
  year,
  month,
  day,
  hour,
  minute,
  second,
  weekday,
  floor,
};

struct Function {
  enum class Of : std::uint8_t { number, text, time };
  enum class Argument : std::uint8_t { none, text, duration };

  FunctionId id{};
  std::string_view name{};
  Of of{};
  Argument argument = Argument::none;
};

/// All of them.
std::span<const Function> functions() noexcept;
/// nullptr where there is none.
const Function* function_find(std::string_view name) noexcept;
/// Throws where there is none.
const Function& function_of(std::string_view name);

/// Throws unless the function exists and takes the arguments.
void function_check(std::string_view name, const std::vector<Constant>& arguments);

/// ns of "90s", "15m", "1h": a positive integer and one of ns us ms s m h d w.
std::int64_t duration_parse(std::string_view text);

}  // namespace otolith::model
