// Whether bytes are UTF-8, and whether a name is one that Otolith takes.
//
// Role:    names of datasets, columns and tags; every string value on its way in.
// Shapes:  well-formed UTF-8: shortest forms, no surrogates, up to U+10FFFF.
// Errors:  name_check throws invalid_argument naming the thing and the remedy.
// Threads: thread-safe.
// Why:     plain ASCII is decided 32 bytes at a time; the rest by one table-free pass.
#pragma once

#include <string_view>

namespace otolith::model {

/// True if all bytes are below 0x80.
bool ascii_only(std::string_view text) noexcept;

/// True if all bytes are U+0020 to U+007E: UTF-8 without control characters, told at a glance.
bool printable_ascii(std::string_view text) noexcept;

/// True if the text is well-formed UTF-8.
bool utf8_valid(std::string_view text) noexcept;

/// True if the text, which is UTF-8, holds one of U+0000 to U+001F or U+007F to U+009F.
bool has_control(std::string_view text) noexcept;

/// Throws unless the name is 1 to kNameBytesMax bytes of UTF-8 without control characters. `what`
/// says whose name it is ("column", "dataset", "tag"). Names are data: "..", "a/b" are as good as
/// any.
void name_check(std::string_view what, std::string_view name);

}  // namespace otolith::model
