// Segments of rows of many commits, which seals and joins make.
//
// Role:    one schema for all of the rows, their ids as two more columns, and what the log is told.
// Shapes:  any columns by id with the type they were stored in; a column of the segment has the
//          widest of its types, also one that was dropped: rows of older commits are read under
//          older schemas.
// Errors:  corrupt where one column was stored as two types of which neither holds the other.
// Threads: thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/row_set.h"
#include "history/history.h"
#include "ingest/recorder.h"
#include "segment/writer.h"

namespace otolith::ingest {

/// A column as some rows are stored.
struct StoredType {
  ColumnId id{};
  Type type;
};

/// The dataset's newest schema, with every column that any of the rows has.
std::shared_ptr<const Schema> schema_of_all(const Schema& newest,
                                            std::span<const StoredType> stored);

/// Adds columns begin and ordinal to rows of one commit, the first of which has that ordinal.
void add_row_ids(Batch& batch, CommitNumber begin, std::uint64_t first_ordinal);
/// The same where they have these ordinals.
void add_row_ids(Batch& batch, CommitNumber begin, const RowSet& ordinals);

/// Of a dataset that may be dropped, for messages.
std::string name_of(const history::Snapshot& snapshot, DatasetId dataset);

/// Of a segment with columns begin and ordinal.
segment::SegmentSpec many_spec(const IngestContext& context, const Id128& owner,
                               const Id128& segment, DatasetId dataset, const std::string& name,
                               std::shared_ptr<const Schema> schema);

/// What the log says of it.
history::SegmentEntry many_entry(const Id128& segment, const segment::SegmentInfo& info,
                                 CommitNumber first, CommitNumber last);

}  // namespace otolith::ingest
