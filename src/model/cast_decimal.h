// Casts of columns to and from decimals, value by value, never rounded.
//
// Role:    one part of model/cast.h, which is the door.
// Shapes:  integers, floats, text and decimals of any scale -> decimal; decimal -> integers,
//          floats, text. Null stays null.
// Errors:  invalid_argument naming column, row, value and target type.
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "model/cast.h"

namespace otolith::model {

/// What a column becomes, and whose it is.
struct Target {
  Type type;
  CastPlace place;
};

[[noreturn]] void refuse_lossy(const Target& target, std::uint64_t row, std::string_view value);

/// The cast where one of both types is a decimal; nullopt if there is none between these types.
std::optional<Array> cast_decimal(const Array& from, const Target& target);

/// Whether a decimal type holds every value of another type.
bool decimal_holds(Type type, Type other) noexcept;

}  // namespace otolith::model
