// Rows of a commit that must meet no other: what a table with duplicates="error" asks of them.
//
// Role:    encode -> commit: among themselves now, against what is shown when the commit is decided
//          (history/row_questions.h).
// Errors:  conflict that names dataset, key and time (scan/unique.h); those of reading.
// Threads: thread-compatible.
// Why:     the rows are asked as they will be stored, wherever they are, so that runs, files and
//          the frame are one case.
#pragma once

#include "ingest/encode.h"

namespace otolith::ingest {

/// Makes the question part of what is encoded; conflict where two of the rows share keys and time.
void ask_unique(const IngestContext& context, const history::DatasetEntry& dataset,
                Encoded& encoded);

}  // namespace otolith::ingest
