#include "scan/document_pairs.h"

#include <utility>

namespace otolith::scan {

DocumentCursor::DocumentCursor(ScanContext context,
                               std::shared_ptr<const history::Snapshot> snapshot,
                               const history::DatasetEntry& dataset, bool bodies)
    : scan_(std::move(context), std::move(snapshot), dataset, {.bodies = bodies}), bodies_(bodies) {
  fill();
}

DocumentSide DocumentCursor::side() const {
  return {rows_->row_ids[at_],
          {rows_->times.value<std::int64_t>(at_)},
          bodies_ ? rows_->bodies.text(at_) : std::string_view()};
}

void DocumentCursor::next() {
  if (++at_ == rows_->rows) fill();
}

void DocumentCursor::fill() {
  do {
    rows_ = scan_.next();
  } while (rows_ && rows_->rows == 0);
  at_ = 0;
}

// What it gave is views of what the cursors hold, so they go on only when they are asked again.
void DocumentPairs::leave_last() {
  if (std::exchange(of_before_, false)) before_.next();
  if (std::exchange(of_after_, false)) after_.next();
}

std::optional<DocumentPair> DocumentPairs::next() {
  leave_last();
  if (!before_.there() && !after_.there()) return std::nullopt;
  of_before_ = before_.there() && (!after_.there() || before_.id() <= after_.id());
  of_after_ = after_.there() && (!before_.there() || after_.id() <= before_.id());
  DocumentPair out{of_before_ ? before_.id() : after_.id(), {}, {}};
  if (of_before_) out.before = before_.side();
  if (of_after_) out.after = after_.side();
  return out;
}

}  // namespace otolith::scan
