// How a difference of two states is written: for people, and an object a line for programs.
//
// Role:    diff, show, and the dry runs of rollback and revert.
// Shapes:  text: a line for each dataset, then tables of its rows; JSON: one object that sums up a
//          dataset, then one for each row, {"dataset", "change", "row"}.
// Errors:  those of reading tables.
// Threads: thread-safe.
// Why:     a row of JSON is what the verbs that read write, within an object that says what became
//          of it.
#pragma once

#include <string>

#include "cli/verb.h"
#include "otolith/diff.h"

namespace otolith::cli {

/// --limit, --json, --ndjson, --csv is not among them
std::vector<Option> changes_options();
/// "quotes: 3 rows added, 1 removed", a line a dataset.
std::string changes_text(const Diff& diff);
/// The same as the members of a JSON array, without brackets.
std::string changes_json(const Diff& diff);
/// All of it, in the format that is asked for.
void put_changes(const Diff& diff, const Words& words, const Sinks& sinks);

}  // namespace otolith::cli
