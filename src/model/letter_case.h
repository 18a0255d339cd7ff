// Upper and lower case of letters, character by character.
//
// Role:    lower and upper in conditions.
// Shapes:  UTF-8; characters that become one other, so that ß stays. Bytes that are no UTF-8 stay.
// Errors:  none.
// Threads: thread-safe.
// Why:     a table of our own: what the C library does depends on the locale of the process.
// Source:  simple case mappings of Unicode 14.0.0.
#pragma once

#include <string>
#include <string_view>

namespace otolith::model {

/// Appends the text, its letters in upper or lower case.
void append_in_case(std::string_view text, bool upper, std::string& out);

}  // namespace otolith::model
