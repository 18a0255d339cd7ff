// How documents that differ are written: a line for each, and for a changed one its paths.
//
// Role:    what changes.h writes of a collection.
// Shapes:  text: "+" and "-" before whole documents, "~" before an id, its paths below it; JSON:
//          an object for each, {"dataset", "change", "document"}, or "id" and "paths" of a change.
// Errors:  those of reading; invalid_argument where JSON has no such number.
// Threads: thread-safe.
// Why:     by id, as they are read: what differs may be more than memory holds.
#pragma once

#include <functional>
#include <string_view>

#include "cli/verb.h"
#include "otolith/diff.h"

namespace otolith::cli {

/// At most `limit` of each kind; none: all.
void put_documents_text(const DatasetDiff& diff, std::uint64_t limit, const Sinks& sinks);
/// Each object by itself.
void put_documents_json(const DatasetDiff& diff, std::uint64_t limit,
                        const std::function<void(std::string_view)>& put);

/// A value for people: as JSON, with NaN and what a terminal would obey shown.
std::string shown_value(const DocumentValue& value);

}  // namespace otolith::cli
