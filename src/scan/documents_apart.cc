#include "scan/documents_apart.h"

#include "base/mutant.h"
#include "base/stopping.h"
#include "history/rows_view.h"
#include "scan/collected.h"
#include "scan/document_pairs.h"
#include "scan/lookup.h"
#include "scan/together.h"

namespace otolith::scan {

namespace {

using TimeOf = std::function<Timestamp(CommitNumber)>;

DocumentCursor cursor(const ScanContext& context, const history::StatesApart& states,
                      const history::DatasetEntry& dataset,
                      const std::vector<history::RowsOfBegin>& rows) {
  return {context, std::make_shared<history::RowsView>(states.later, dataset, rows), dataset, true};
}

bool same(const DocumentSide& a, const DocumentSide& b, const TimeOf& time_of) {
  const auto time = [&](const DocumentSide& side) {
    return side.time == kTimeOfCommit ? time_of(side.row.begin) : side.time;
  };
  return a.body == b.body && time(a) == time(b) && !mutant("diff-of-revisions");
}

}  // namespace

ShownApart documents_apart(const ScanContext& context, const history::StatesApart& states,
                           const history::DatasetApart& dataset, const TimeOf& time_of) {
  const history::RowsApart& rows = dataset.rows;
  if (rows.added.empty() || rows.removed.empty()) return {rows.added, rows.removed, {}, {}};
  CollectedRows added;
  CollectedRows removed;
  CollectedRows before;
  CollectedRows after;
  DocumentPairs pairs(cursor(context, states, *dataset.before, rows.removed),
                      cursor(context, states, *dataset.after, rows.added));
  while (const auto pair = pairs.next()) {
    stop_point();
    const bool both = pair->before && pair->after;
    if (both && same(*pair->before, *pair->after, time_of)) continue;
    if (pair->before) (both ? before : removed).add(pair->before->row);
    if (pair->after) (both ? after : added).add(pair->after->row);
  }
  return {added.take(), removed.take(), before.take(), after.take()};
}

namespace {

// Of few documents that come back, those whose ids the state shows among the rows since: each id is
// shown once, and looked up, whatever the number of rows since. nullopt where many come back.
std::optional<std::vector<history::Meeting>> few_meetings(
    const ScanContext& context, const history::DatasetEntry& dataset,
    const std::shared_ptr<const history::Snapshot>& back, const history::RowsView& since,
    std::size_t most) {
  std::vector<std::string> ids;
  std::vector<RowId> rows;
  for (DocumentCursor at(context, back, dataset, false); at.there(); at.next()) {
    if (ids.size() == kLookedUpRowsMax) return std::nullopt;
    ids.emplace_back(at.id());
    rows.push_back(at.side().row);
  }
  std::vector<history::Meeting> out;
  const auto found = IdLookup(context, since.base(), dataset).find(ids);
  for (std::size_t i = 0; i < ids.size() && out.size() < most; ++i) {
    const bool met =
        found[i] && since.shows(dataset.id, found[i]->id()) && !mutant("revert-meets-no-document");
    if (met) out.push_back({rows[i].begin, rows[i].ordinal, found[i]->begin});
  }
  return out;
}

}  // namespace

std::vector<history::Meeting> document_meetings(
    const ScanContext& context, const history::DatasetEntry& dataset,
    const std::shared_ptr<const history::Snapshot>& back,
    const std::shared_ptr<const history::Snapshot>& since, std::size_t most) {
  const auto* const chosen = dynamic_cast<const history::RowsView*>(since.get());
  if (chosen != nullptr && !mutant("revert-scans-documents")) {
    if (auto few = few_meetings(context, dataset, back, *chosen, most)) return *std::move(few);
  }
  std::vector<history::Meeting> out;
  DocumentPairs pairs({context, back, dataset, false}, {context, since, dataset, false});
  while (out.size() < most) {
    const auto pair = pairs.next();
    if (!pair) break;
    const bool met = pair->before && pair->after && !mutant("revert-meets-no-document");
    if (met)
      out.push_back({pair->before->row.begin, pair->before->row.ordinal, pair->after->row.begin});
  }
  return out;
}

}  // namespace otolith::scan
