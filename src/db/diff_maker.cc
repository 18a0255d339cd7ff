#include "db/diff_maker.h"

#include <algorithm>
#include <tuple>

#include "base/mutant.h"
#include "db/collection_place.h"
#include "history/rows_view.h"
#include "scan/collected.h"
#include "scan/documents_apart.h"
#include "scan/matches.h"

namespace otolith::db {

namespace {

using SnapshotPtr = std::shared_ptr<const history::Snapshot>;
using Texts = std::map<std::string, std::string>;

MetadataChange metadata_change(const Texts& from, const Texts& to) {
  MetadataChange out;
  for (const auto& [key, text] : from) {
    if (!to.contains(key)) out[key] = std::nullopt;
  }
  for (const auto& [key, text] : to) {
    const auto before = from.find(key);
    if (before == from.end() || before->second != text) out[key] = text;
  }
  return out;
}

// Of the dataset that stands for the database.
MetadataChange metadata_change(const history::DatasetApart& apart) {
  const auto texts = [](const std::optional<history::DatasetEntry>& entry) {
    return entry ? entry->schema->metadata : Texts{};
  };
  return metadata_change(texts(apart.before), texts(apart.after));
}

bool is_database(const history::DatasetApart& apart) {
  return (apart.after ? apart.after : apart.before)->name == history::kDatabaseName;
}

std::optional<std::string> name_of(const std::optional<history::DatasetEntry>& entry) {
  return entry ? std::optional(entry->name) : std::nullopt;
}

}  // namespace

SchemaChange schema_change(const Schema& from, const Schema& to) {
  SchemaChange out;
  out.metadata = metadata_change(from.metadata, to.metadata);
  for (const Column& before : from.columns) {
    const auto after = std::ranges::find(to.columns, before.id, &Column::id);
    if (after == to.columns.end()) {
      out.drop.push_back(before.name);
      continue;
    }
    if (after->name != before.name) out.rename[before.name] = after->name;
    if (after->type != before.type) out.widen[before.name] = after->type;
    MetadataChange noted = metadata_change(before.metadata, after->metadata);
    if (!noted.empty()) out.column_metadata[before.name] = std::move(noted);
  }
  for (const Column& column : to.columns) {
    const bool there =
        std::ranges::find(from.columns, column.id, &Column::id) != from.columns.end();
    if (!there) out.add.push_back(column);
  }
  return out;
}

DiffRows DiffMaker::rows(const SnapshotPtr& base, const history::DatasetEntry& dataset,
                         std::vector<history::RowsOfBegin> chosen) const {
  const std::uint64_t count = history::rows_in(chosen);
  auto view = std::make_shared<history::RowsView>(base, dataset, std::move(chosen));
  auto pinned = std::make_shared<Pinned>(std::move(view), dataset);
  pinned->staged = true;
  return {count, Table(hall_, std::move(pinned))};
}

DiffRows DiffMaker::all_rows(const SnapshotPtr& snapshot, const history::DatasetEntry& dataset,
                             bool of_a_commit) const {
  auto pinned = std::make_shared<Pinned>(snapshot, dataset);
  pinned->staged = !of_a_commit;
  const Table table(hall_, std::move(pinned));
  return {table.rows(), table};
}

scan::ShownApart DiffMaker::shown(const history::StatesApart& states,
                                  const history::DatasetApart& apart) const {
  if (!apart.before || !apart.after) return {};
  const auto rooms = hall_->rooms();
  const scan::ScanContext context = hall_->scan_context(*rooms);
  if (apart.after->schema->kind == DatasetKind::table)
    return scan::shown_apart(context, states, apart);
  return scan::documents_apart(context, states, apart, [&](CommitNumber commit) {
    return rooms->history->commit_time(commit);
  });
}

DocumentDiff DiffMaker::documents(const history::StatesApart& states,
                                  const history::DatasetApart& apart, const scan::ShownApart& shown,
                                  bool dry_run) const {
  const auto place = [](SnapshotPtr snapshot, const history::DatasetEntry& of, bool staged) {
    return std::make_shared<const CollectionPlace>(
        CollectionPlace{.collection = {.name = of.name, .dataset = of.id, .schema = *of.schema},
                        .snapshot = std::move(snapshot),
                        .staged = staged});
  };
  const auto some = [&](const history::DatasetEntry& of, std::vector<history::RowsOfBegin> rows) {
    return place(std::make_shared<history::RowsView>(states.later, of, std::move(rows)), of, true);
  };
  if (!apart.before)
    return {hall_, some(*apart.after, {}), place(states.to, *apart.after, dry_run)};
  if (!apart.after)
    return {hall_, place(states.from, *apart.before, false), some(*apart.before, {})};
  return {hall_, some(*apart.before, scan::joined_rows(shown.removed, shown.before)),
          some(*apart.after, scan::joined_rows(shown.added, shown.after))};
}

DatasetDiff DiffMaker::dataset(const history::StatesApart& states,
                               const history::DatasetApart& apart, bool dry_run) const {
  const history::DatasetEntry& before = apart.before ? *apart.before : *apart.after;
  const history::DatasetEntry& after = apart.after ? *apart.after : *apart.before;
  const auto none = [&] { return rows(states.later, after, {}); };
  DatasetDiff out{.name = after.name,
                  .before = name_of(apart.before),
                  .after = name_of(apart.after),
                  .schema = schema_change(*before.schema, *after.schema),
                  .added = none(),
                  .removed = none(),
                  .changed_before = none(),
                  .changed_after = none()};
  scan::ShownApart shown = this->shown(states, apart);
  if (after.schema->kind == DatasetKind::collection)
    out.documents = documents(states, apart, shown, dry_run);
  if (!apart.before) {
    out.added = all_rows(states.to, after, !dry_run);
  } else if (!apart.after) {
    out.removed = all_rows(states.from, before, true);
  } else {
    out.added = rows(states.later, after, std::move(shown.added));
    out.removed = rows(states.later, before, std::move(shown.removed));
    out.changed_before = rows(states.later, before, std::move(shown.before));
    out.changed_after = rows(states.later, after, std::move(shown.after));
  }
  return out;
}

Diff DiffMaker::diff(const history::StatesApart& states, bool dry_run) const {
  Diff out{.from = states.from->number(), .to = {}, .metadata = {}, .datasets = {}};
  if (!dry_run) out.to = states.to->number();
  for (const history::DatasetApart& apart : states.datasets) {
    if (is_database(apart))
      out.metadata = metadata_change(apart);
    else
      out.datasets.push_back(dataset(states, apart, dry_run));
  }
  std::ranges::sort(out.datasets, {}, [](const DatasetDiff& of) {
    return std::tuple(of.name, of.created());  // a name may be another dataset's by now
  });
  return out;
}

std::vector<Blamed> DiffMaker::blame(const SnapshotPtr& snapshot,
                                     const history::DatasetEntry& dataset,
                                     const BlameRequest& request) const {
  const auto rooms = hall_->rooms();
  const history::MarkList found =
      scan::shown_ids(hall_->scan_context(*rooms), snapshot, dataset,
                      {.start = request.start, .stop = request.stop, .keys = request.keys});
  std::vector<Blamed> out;
  for (const history::MarkSet& set : found.sets()) {
    out.push_back(
        {rooms->history->commit_info(set.begin), rows(snapshot, dataset, {{set.begin, set.rows}})});
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace otolith::db

namespace otolith {

const DatasetDiff* Diff::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(datasets, name, &DatasetDiff::name);
  return found == datasets.end() ? nullptr : &*found;
}

}  // namespace otolith
