// What differs between two states of a document, path by path.
//
// Role:    diff and blame of collections.
// Shapes:  in the order of the fields, those of `before` first; maps are gone into, arrays too: by
//          their places, which is what a path can name. Values are views of the caller's bytes.
// Errors:  limit where there are more than a million: nobody reads so many. corrupt as Value.
// Threads: immutable.
// Why:     the deepest paths, not whole subtrees: "user.city" says more than "user". A map
//          beside something else than a map is one change. A move within an array shows as changes
//          of the places it passed: what a shortest edit would cost nobody has asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "document/value.h"

namespace otolith::document {

struct Difference {
  enum class Kind : std::uint8_t { added, removed, changed };

  Kind kind = Kind::changed;
  std::string path{};  // as document/path.h writes it; empty: the whole
  Value before{};      // null where it was added
  Value after{};       // null where it was removed
};

std::vector<Difference> differences(Value before, Value after);

}  // namespace otolith::document
