// Times of ISO text, also those that no Timestamp holds.
//
// Role:    constants of conditions: a time of the year 3000 is later than every row, not an error.
// Shapes:  ns since 1970 UTC; years 0 to 9999.
// Errors:  invalid_argument for what is no time.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "base/int128.h"

namespace otolith::model {

using WideNanoseconds = Int128;

WideNanoseconds wide_time_parse(std::string_view text);

}  // namespace otolith::model
