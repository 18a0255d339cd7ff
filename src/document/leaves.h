// The values of a document that hold no others, by their paths.
//
// Role:    blame, which asks of each of them who set it.
// Shapes:  in the order of the fields: scalars, and maps and arrays without anything in them.
//          Values are views of the caller's bytes.
// Errors:  limit where there are more than a million: nobody reads so many. corrupt as Value.
// Threads: immutable.
// Why:     the deepest paths, as difference.h: "user.city" was set by somebody, "user" by many.
//          "x.0" is in a map or in an array, which are not the same value "x".
#pragma once

#include <string>
#include <vector>

#include "document/value.h"

namespace otolith::document {

struct Leaf {
  std::string path{};     // as document/path.h writes it; empty: the whole
  std::string holders{};  // of what it is in, from the whole on: 'm' a map, 'a' an array
  Value value{};
};

std::vector<Leaf> leaves(Value document);

}  // namespace otolith::document
