// References to commits as users write them: "42", "HEAD", "HEAD~3", "#abcdef", a tag.
//
// Role:    History::resolve; the messages that tell what a reference may be.
// Shapes:  hash prefixes of kHashDigitsMin or more hex digits; anything that begins with a letter
//          and is not HEAD is a tag.
// Errors:  invalid_argument for text that is no reference.
// Threads: thread-safe.
// Why:     parsed apart from looked up, so that every form is tested without a history.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "otolith/commit.h"

namespace otolith::history {

struct HeadReference {
  std::uint64_t back = 0;  // HEAD~back
};
struct HashReference {
  std::string prefix;  // lower-case hex digits
};
struct TagReference {
  std::string name;
};
using Reference = std::variant<CommitNumber, HeadReference, HashReference, TagReference>;

Reference reference_parse(std::string_view text);

/// Throws invalid_argument unless a tag may have this name.
void tag_name_check(std::string_view name);

}  // namespace otolith::history
