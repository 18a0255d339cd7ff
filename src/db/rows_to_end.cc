#include "db/rows_to_end.h"

#include "base/error.h"
#include "base/mutant.h"
#include "model/align.h"
#include "scan/matches.h"

namespace otolith::db {

namespace {

std::string bound_text(const std::optional<Timestamp>& bound) {
  return bound ? timestamp_format(*bound) : "…";
}

// The first row that the request does not match; nullopt if there is none.
std::optional<std::uint64_t> first_outside(const Batch& batch, const ReadRequest& request) {
  const RowSet inside = scan::matching_rows(batch, request);
  if (inside.rows() == batch.rows) return std::nullopt;
  const bool first = inside.empty() || inside.first_row() != 0;
  return first ? 0 : inside.begin()->end();
}

}  // namespace

ReadRequest rows_to_delete(const DeleteRequest& rows) {
  const bool named = rows.start || rows.stop || !rows.keys.empty() || rows.where;
  if (!named && !rows.all) {
    throw_error(ErrorCode::invalid_argument,
                "a delete without a range, keys or a condition would end every row: name some, or "
                "say all=True");
  }
  if (named && rows.all) {
    throw_error(ErrorCode::invalid_argument,
                "all=True ends every row: give it alone, or a range, keys or a condition");
  }
  ReadRequest out;
  out.start = rows.start;
  out.stop = rows.stop;
  out.keys = rows.keys;
  out.where = rows.where;
  return out;
}

ReadRequest rows_to_replace(const ReplaceRequest& range, const Batch& batch,
                            const std::shared_ptr<const Schema>& schema) {
  ReadRequest out;
  out.start = range.start;
  out.stop = range.stop;
  const Batch aligned = model::align(batch, schema);
  batch_check(aligned);
  if (const auto row = first_outside(aligned, out)) {
    const Array& times = aligned.columns[schema->time_index()];
    throw_error(
        ErrorCode::invalid_argument,
        "row {} is of {}, outside of [{}, {}) that is replaced; give rows of that range, or "
        "a wider one",
        *row, timestamp_format({times.value<std::int64_t>(*row)}), bound_text(out.start),
        bound_text(out.stop));
  }
  for (const KeyFilter& filter : range.keys) {
    ReadRequest of_key;
    of_key.keys = {filter};
    if (const auto row = first_outside(aligned, of_key)) {
      throw_error(ErrorCode::invalid_argument,
                  "row {} has another {} than the keys that are replaced; give rows of those keys, "
                  "or name its key too",
                  *row, quoted(filter.column));
    }
  }
  if (!mutant("replace-of-all-keys")) out.keys = range.keys;
  return out;
}

}  // namespace otolith::db
