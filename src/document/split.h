// A document as people write it, and as it is kept: its id beside its body.
//
// Role:    on the way in `_id` is taken out, on the way out it is put in front again.
// Shapes:  canonical maps.
// Errors:  invalid_argument where a document is no map, where its `_id` is no text or no id, and
//          where it has a field `_time`: that is the row's own, and is told beside the document.
// Threads: immutable.
// Why:     the id is a column, so it is found without looking into bodies, and is stored once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace otolith::document {

inline constexpr std::string_view kIdField = "_id";
inline constexpr std::string_view kTimeField = "_time";

struct Parts {
  std::optional<std::string> id{};  // nullopt: it has none yet
  Bytes body{};                     // without it, all other fields in their order
};

Parts split_id(BytesView document);

/// The document, `_id` first.
Bytes joined(std::string_view id, BytesView body);

}  // namespace otolith::document
