#include "ingest/unique_rows.h"

#include <utility>

#include "base/mutant.h"
#include "scan/store.h"
#include "scan/unique.h"

namespace otolith::ingest {

namespace {

using Source = std::shared_ptr<const scan::RowSource>;

// The rows as a commit would show them; of a number that no commit has.
std::function<Source()> opener(const IngestContext& context, const history::DatasetEntry& dataset,
                               const history::DatasetChange& change) {
  if (change.segment) {
    const history::SegmentEntry entry{.ref = *change.segment};
    return [store = context.store, id = dataset.id, entry] {
      return scan::segment_source(store->lend(id, entry), entry);
    };
  }
  const ColumnId time{dataset.schema->columns[dataset.schema->time_index()].id};
  const history::TailEntry entry{.rows = change.rows_added,
                                 .bytes = std::make_shared<const Bytes>(change.rows),
                                 .time_min = change.time_min,
                                 .time_max = change.time_max};
  return [entry, time] { return scan::tail_source(entry, time); };
}

// Opened once, by whoever asks first.
std::function<Source()> kept(std::function<Source()> open) {
  return [open = std::move(open), source = std::make_shared<Source>()] {
    if (*source == nullptr) *source = open();
    return *source;
  };
}

}  // namespace

void ask_unique(const IngestContext& context, const history::DatasetEntry& dataset,
                Encoded& encoded) {
  const history::DatasetChange& change = encoded.change;
  const scan::ScanContext reading{.store = context.store, .threads = context.threads};
  const scan::NewRows rows{dataset.schema, change.time_min, change.time_max,
                           kept(opener(context, dataset, change))};
  if (!encoded.unique && !mutant("unique-in-commit-unasked")) {
    try {
      scan::check_among(reading, dataset, rows);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);  // nothing was written
    }
  }
  encoded.question =
      history::UniqueRows{dataset.id, change.time_min, change.time_max,
                          [reading, rows](const std::shared_ptr<const history::Snapshot>& state,
                                          const history::DatasetEntry& now, CommitNumber after,
                                          const history::MarkList& ended) {
                            scan::check_against(reading, state, now, rows, after, ended);
                          }};
}

}  // namespace otolith::ingest
