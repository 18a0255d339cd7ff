// Whether values are what their type says: text is UTF-8, a time is one, a boolean is 0 or 1, a
// decimal has no more digits than its precision.
//
// Role:    judged on the way in, on the bytes that are written, and on pages that a reader takes
//          out of a file: writers can be hostile, and arrays can change under the writer's hands.
// Shapes:  arrays whose offsets and sizes are known to be right.
// Errors:  none; the caller knows the column, the file and what to do.
// Threads: thread-safe.
// Why:     one rule in one place, so that what is let in and what is let out are the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "otolith/batch.h"

namespace otolith::model {

/// The first row whose value its type does not have; nulls are passed over.
std::optional<std::uint64_t> unsound_row(const Array& array) noexcept;

/// What is wrong with a column that has one, "it holds …", ended by a zero; empty for types that
/// have every value.
std::string_view unsound_words(Type type) noexcept;

}  // namespace otolith::model
