// The type that a column of texts has.
//
// Role:    import, where the table is not there yet.
// Shapes:  boolean, int64, uint64, float64, timestamp with its form, or string; the first of these
//          that takes every text that was added.
// Errors:  none.
// Threads: thread-compatible.
// Why:     codes are no numbers: what begins with a zero and goes on (007) is text, for a number
//          would lose the zeros. 31/12/2026 says that the day is first; 1/2/2026 does not, and is
//          not guessed.
#pragma once

#include <cstdint>
#include <string_view>

#include "files/time_text.h"
#include "otolith/schema.h"

namespace otolith::files {

class TypeGuess {
 public:
  /// One text that is no null; `quoted`: one that JSON has in quotes, which is no number.
  void add(std::string_view text, bool quoted = false);

  /// Whether any was added.
  bool any() const noexcept { return any_; }
  Type type() const noexcept;
  /// Of a timestamp.
  TimeForm form() const noexcept;
  /// Dates of which nobody can say whether day or month is first; type() is string.
  bool ambiguous() const noexcept { return any_ && day_first_ && month_first_; }

 private:
  bool any_ = false;
  bool boolean_ = true;
  bool int_ = true;
  bool uint_ = true;
  bool float_ = true;
  bool exact_ = true;  // integers so far are floats too
  bool iso_ = true;
  bool day_first_ = true;
  bool month_first_ = true;
};

}  // namespace otolith::files
