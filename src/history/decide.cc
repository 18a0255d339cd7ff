#include "history/decide.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/apart.h"
#include "history/past_events.h"
#include "history/rows_view.h"
#include "model/utf8.h"

namespace otolith::history {

// Rows are what they are whatever is said about their columns.
bool same_for_rows(const Schema& a, const Schema& b) {
  const auto bare = [](Schema schema) {
    schema.metadata.clear();
    for (Column& column : schema.columns) column.metadata.clear();
    return schema;
  };
  return a == b || bare(a) == bare(b);
}

namespace {

constexpr std::size_t kDifferencesTold = 3;  // of a conflict, by its message

// ---- the request alone ------------------------------------------------------------------------

void check_text(const char* what, const std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    throw_error(ErrorCode::limit, "the {} has {} bytes; at most {} are taken", what, text.size(),
                bytes_max);
  }
  if (!model::utf8_valid(text)) {
    throw_error(ErrorCode::invalid_argument, "the {} is not UTF-8", what);
  }
}

void check_changes(const CommitRequest& request) {
  for (const CatalogChange& change : request.catalog) {
    if (const auto* create = std::get_if<CreateDataset>(&change)) {
      if (create->name != kDatabaseName) model::name_check("dataset", create->name);
      schema_check(create->schema);
    } else if (const auto* alter = std::get_if<AlterDataset>(&change)) {
      schema_check(alter->schema);
    } else if (const auto* rename = std::get_if<RenameDataset>(&change)) {
      model::name_check("dataset", rename->name);
    }
  }
}

bool has_events(const DatasetChange& change) {
  return change.rows_added != 0 || !change.marks.empty();
}

void check_rows(const DatasetChange& change) {
  const bool placed = change.segment.has_value() != !change.rows.empty();
  if (change.rows_added != 0 ? !placed : change.segment || !change.rows.empty()) {
    throw_error(ErrorCode::invalid_argument,
                "rows of a dataset stand either in the request or in one segment, and are counted");
  }
  if (change.segment && change.segment->rows != change.rows_added) {
    throw_error(ErrorCode::invalid_argument, "the segment holds {} rows, the request adds {}",
                change.segment->rows, change.rows_added);
  }
}

bool is_lineage(const CommitRequest& request) {
  return !std::holds_alternative<std::monostate>(request.lineage);
}

// ---- against the history ----------------------------------------------------------------------

DatasetVersion const* version_of(const Timeline& timeline, DatasetId id) {
  return timeline.catalog().version()->find(id);
}

// The dataset as the staged state shows it; conflict if it is gone.
DatasetEntry dataset_now(const Timeline& timeline, DatasetId id) {
  const DatasetVersion* version = version_of(timeline, id);
  std::optional<DatasetEntry> entry;
  if (version != nullptr) entry = dataset_at(timeline.view_at(timeline.staged().commit), *version);
  if (entry) return *std::move(entry);
  throw_error(ErrorCode::conflict, "{} does not exist any more; look which datasets there are",
              dataset_told(timeline, id));
}

void check_schema(const DatasetChange& change, const DatasetEntry& now) {
  if (change.schema == nullptr || change.rows_added == 0) return;
  if (change.schema == now.schema || same_for_rows(*change.schema, *now.schema)) return;
  if (mutant("rows-under-another-schema")) return;
  throw_error(
      ErrorCode::conflict,
      "the columns of {} changed since rows were staged for it; nothing was committed: look "
      "at its schema and append again",
      quoted(now.name));
}

std::uint64_t rows_of_begin(const Timeline& timeline, DatasetId dataset, CommitNumber begin) {
  if (value_of(begin) == 0 || begin > timeline.staged().commit) return 0;
  const CommitMeta meta = timeline.index().meta(begin);
  for (const MetaChange& change : meta.text.changes) {
    if (change.dataset == dataset) return change.added;
  }
  return 0;
}

constexpr std::uint64_t kAskedRowByRow = 64;  // of a begin: few may have many marks beside them

// How many of a set's rows are shown.
std::uint64_t shown_among(const SnapshotView& now, DatasetId dataset, const MarkSet& set,
                          std::uint64_t rows) {
  if (set.rows.rows() > kAskedRowByRow)
    return now.visible(dataset, set.begin, rows).among(set.rows).rows();
  std::uint64_t shown = 0;
  for (const RowRange& range : set.rows) {
    for (std::uint64_t row = range.first; row < range.end(); ++row)
      shown += now.shows(dataset, {set.begin, row}) ? 1 : 0;
  }
  return shown;
}

// Rows that are ended must be shown, rows that are revived must not: else another commit was
// faster.
void check_marks(const Timeline& timeline, const DatasetEntry& dataset, const MarkList& marks) {
  const SnapshotView now(timeline.view_at(timeline.staged().commit), nullptr);
  for (const MarkSet& set : marks.sets()) {
    const std::uint64_t rows = rows_of_begin(timeline, dataset.id, set.begin);
    if (set.rows.end_row() > rows) {
      throw_error(ErrorCode::invalid_argument, "commit {} added {} rows to {}, not {}",
                  value_of(set.begin), rows, quoted(dataset.name), set.rows.end_row());
    }
    const std::uint64_t shown = shown_among(now, dataset.id, set, rows);
    if (set.revive ? shown == 0 : shown == set.rows.rows()) continue;
    throw Error(ErrorCode::conflict,
                fmt::format("rows of {} that commit {} added were changed meanwhile",
                            quoted(dataset.name), value_of(set.begin)),
                ErrorWhere{{}, std::nullopt, {value_of(set.begin)}});
  }
}

DatasetRecord dataset_record(const DatasetChange& change, DatasetId dataset) {
  DatasetRecord record;
  record.dataset = dataset;
  record.rows_added = change.rows_added;
  record.salt = change.salt;
  record.rows_root = change.rows_root;
  record.time_min = change.time_min;
  record.time_max = change.time_max;
  record.rows = change.rows;
  record.segment = change.segment;
  record.runs = change.runs;
  record.marks = change.marks;
  record.marks_segment = change.marks_segment;
  dataset_record_finish(record);
  return record;
}

void decide_rows(const CommitRequest& request, Timeline& timeline, CommitRecord& record) {
  std::uint32_t created = 0;
  for (const CatalogChange& change : record.catalog) {
    created += std::holds_alternative<CreateDataset>(change) ? 1 : 0;
  }
  for (const DatasetChange& change : request.datasets) {
    if (!has_events(change)) continue;
    DatasetId id = change.dataset;
    if (value_of(id.created) == 0) {
      id.created = record.number;
      if (id.index >= created || !change.marks.empty()) {
        throw_error(ErrorCode::invalid_argument,
                    "rows for a dataset that this commit does not create");
      }
    } else {
      const DatasetEntry now = dataset_now(timeline, id);
      check_schema(change, now);
      check_marks(timeline, now, change.marks);
    }
    record.datasets.push_back(dataset_record(change, id));
    if (change.segment) record.features_optional |= kRunsTold;
  }
  std::ranges::sort(record.datasets, {}, &DatasetRecord::dataset);
  const auto twice = std::ranges::adjacent_find(record.datasets, {}, &DatasetRecord::dataset);
  if (twice != record.datasets.end()) {
    throw_error(ErrorCode::invalid_argument, "one commit names a dataset twice; join its changes");
  }
}

// The message says the first of them; all are in Error::differences.
[[noreturn]] void throw_differences(const std::string& what,
                                    const std::vector<Difference>& differences) {
  std::string text = what + ", and nothing was changed: ";
  ErrorWhere where;
  std::vector<std::string> sentences;
  for (const Difference& difference : differences) {
    sentences.push_back(difference.text());
    if (value_of(difference.since) != 0) where.commits.push_back(value_of(difference.since));
  }
  const std::size_t told = std::min(sentences.size(), kDifferencesTold);
  text += fmt::format("{}",
                      fmt::join(sentences.begin(), sentences.begin() + std::ptrdiff_t(told), "; "));
  if (told < sentences.size())
    text += fmt::format("; and {} more differences", sentences.size() - told);
  std::ranges::sort(where.commits);
  const auto same = std::ranges::unique(where.commits);
  where.commits.erase(same.begin(), same.end());
  throw Error(ErrorCode::conflict, text, std::move(where)).with_differences(std::move(sentences));
}

void check_commit(const Timeline& timeline, CommitNumber number, CommitNumber lowest) {
  const CommitNumber head = timeline.staged().commit;
  if (number >= lowest && number <= head) return;
  throw_error(ErrorCode::not_found, "commit {} does not exist; HEAD is {}", value_of(number),
              value_of(head));
}

void check_dataset(const Timeline& timeline, const std::optional<DatasetId>& dataset) {
  if (!dataset || version_of(timeline, *dataset) != nullptr) return;
  throw_error(ErrorCode::not_found, "{} was created by no commit; take datasets from a snapshot",
              dataset_told(timeline, *dataset));
}

// Whether one of these commits added rows to the dataset that stand in a segment of many commits.
bool added_among(const CommitRuns& commits, DatasetId dataset, const Timeline& timeline) {
  for (const CommitRun& run : commits) {
    for (CommitNumber n = run.first; n <= run.last; n = next(n)) {
      const CommitMeta meta = timeline.index().meta(n);
      const auto& changes = meta.text.changes;
      if (std::ranges::find(changes, dataset, &MetaChange::dataset) != changes.end()) return true;
    }
  }
  return false;
}

// Whether any of these commits has an event of the dataset. What the catalog knows is asked first:
// the commits may be very many.
bool touched(const DatasetVersion& dataset, const CommitRuns& commits, const Timeline& timeline) {
  if (commits.empty()) return false;
  for (std::size_t i = dataset.events->size(); i-- > 0;) {
    if (contains(commits, (*dataset.events)[i].commit)) return true;
  }
  for (std::size_t i = dataset.tail->size(); i-- > 0;) {
    if (contains(commits, (*dataset.tail)[i].entry.begin)) return true;
  }
  if (dataset.marks->any_by(commits)) return true;
  for (std::size_t i = dataset.segments->size(); i-- > 0;) {
    const SegmentEntry& entry = (*dataset.segments)[i].entry;
    const CommitRuns within = intersection(commits, {{entry.begin_first, entry.begin_last}});
    if (within.empty()) continue;
    if (!entry.many || added_among(within, dataset.id, timeline)) return true;
  }
  return false;
}

// Whether the rollback's lineage is the present one, for every dataset it is about.
bool shows_target(const Rollback& rollback, const Timeline& timeline) {
  const Lineage& lineage = timeline.lineage();
  const auto apart = [&](std::optional<DatasetId> of) {
    return all_of(lineage.difference(of, timeline.staged().commit, rollback.to));
  };
  if (rollback.dataset)
    return !touched(*version_of(timeline, *rollback.dataset), apart(rollback.dataset), timeline);
  const CommitRuns commits = apart(std::nullopt);
  const std::vector<DatasetId> own = lineage.datasets_with_own_nodes();
  const auto& datasets = timeline.catalog().version()->datasets;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const DatasetVersion& dataset = *datasets[i];
    const bool alone = std::ranges::binary_search(own, dataset.id);
    if (touched(dataset, alone ? apart(dataset.id) : commits, timeline)) return false;
  }
  return true;
}

// False if it would change nothing.
bool decide_lineage(const Rollback& rollback, Timeline& timeline, CommitRecord& record) {
  check_commit(timeline, rollback.to, CommitNumber{0});
  check_dataset(timeline, rollback.dataset);
  if (shows_target(rollback, timeline)) return false;
  const auto events = past_events(timeline);
  const RollbackDecision decision = decide_rollback(timeline.lineage(), *events, rollback.to,
                                                    rollback.dataset, rollback.replace_name);
  if (!decision.accepted()) {
    throw_differences(
        fmt::format("the rollback to {} stands against a name", value_of(rollback.to)),
        decision.differences);
  }
  for (const DatasetId replaced : decision.replaced)
    record.catalog.emplace_back(DropDataset{replaced});
  record.lineage = RollbackRecord{rollback.to, rollback.dataset};
  return true;
}

// Asks by the rows themselves, of files that nothing replaces meanwhile.
UniqueCheck unique_check(Timeline& timeline, const FindMeetings& meetings) {
  if (!meetings) return {};
  return [&](DatasetId d, const DatasetFace& after, const std::vector<RowsOfBegin>& back,
             const std::vector<RowsOfBegin>& since) {
    const CommitNumber head = timeline.staged().commit;
    CatalogView view = timeline.view_at(head);
    view.held = true;
    const auto base = std::make_shared<const SnapshotView>(view, timeline.names_at(head));
    const DatasetEntry entry{d, after.name, after.schema};
    std::vector<Difference> out;
    for (const Meeting& met : meetings(entry, std::make_shared<RowsView>(base, entry, back),
                                       std::make_shared<RowsView>(base, entry, since))) {
      out.push_back({.kind = Difference::Kind::unique,
                     .dataset = d,
                     .undone = {},
                     .since = met.since,
                     .name = {},
                     .rows = {{met.ordinal, 1}},
                     .begin = met.back,
                     .other = {}});
    }
    return out;
  };
}

// False if it would change nothing.
bool decide_lineage(const Revert& revert, Timeline& timeline, const FindMeetings& meetings,
                    CommitRecord& record) {
  check_commit(timeline, revert.commit, CommitNumber{0});
  check_dataset(timeline, revert.dataset);
  const auto events = past_events(timeline);
  RevertDecision decision = decide_revert(timeline.lineage(), *events, revert.commit,
                                          revert.dataset, unique_check(timeline, meetings));
  if (!decision.accepted()) {
    throw_differences(fmt::format("commit {} cannot be undone exactly", value_of(revert.commit)),
                      decision.differences);
  }
  record.lineage = std::move(decision.reversal);
  return decision.touched;
}

Timestamp time_of(const CommitRequest& request, const HeadState& head, Timestamp now) {
  if (!request.time) return std::max(now, head.time);
  if (*request.time < head.time) {
    throw_error(ErrorCode::invalid_argument, "a commit at {} would be before HEAD, which is of {}",
                timestamp_format(*request.time), timestamp_format(head.time));
  }
  return *request.time;
}

Verdict repeated(const CommitRequest& request, CommitNumber winner, const Timeline& timeline) {
  const CommitMeta meta = timeline.index().meta(winner);
  if (meta.text.request_hash != request.request_hash) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("change id {} was used by commit {} for another change: give each change "
                    "an id of its own",
                    request.change_id->text(), value_of(winner)),
        ErrorWhere{{}, std::nullopt, {value_of(winner)}});
  }
  return {Verdict::Kind::repeated, {}, winner};
}

std::optional<CommitNumber> find_winner(const CommitRequest& request, Timeline& timeline) {
  const auto winner = timeline.index().find_change(*request.change_id);
  if (!winner || !mutant("change-id-forgotten-by-rollback")) return winner;
  const DatasetId any{};
  const CommitNumber head = timeline.staged().commit;
  return timeline.lineage().contains(any, head, *winner) ? winner : std::nullopt;
}

}  // namespace

void request_check_texts(const CommitRequest& request) {
  check_text("author", request.author, kAuthorBytesMax);
  check_text("message", request.message, kMessageBytesMax);
  check_text("extra", request.extra, kExtraBytesMax);
}

std::string dataset_told(const Timeline& timeline, DatasetId id) {
  const DatasetVersion* version = version_of(timeline, id);
  const std::size_t events = version == nullptr ? 0 : version->events->size();
  for (std::size_t i = events; i-- > 0;) {
    const DatasetEvent& event = (*version->events)[i];
    if (event.name.empty()) continue;
    if (event.name == kDatabaseName) return "the metadata of the database";
    return fmt::format("the dataset {} (created by commit {})", quoted(event.name),
                       value_of(id.created));
  }
  return fmt::format("the dataset {}.{}", value_of(id.created), id.index);
}

bool request_prepare(CommitRequest& request, io::Environment& environment) {
  request_check_texts(request);
  check_changes(request);
  for (const DatasetChange& change : request.datasets) check_rows(change);
  const bool rows = !request.datasets.empty() || !request.markings.empty();
  if (is_lineage(request) && (!request.catalog.empty() || rows)) {
    throw_error(ErrorCode::invalid_argument, "a rollback or revert is a commit of its own");
  }
  if (request.change_id) return false;
  request.change_id.emplace();
  environment.random(request.change_id->bytes);
  return true;
}

Verdict decide(const CommitRequest& request, bool change_is_new, Timeline& timeline,
               const FindMeetings& meetings, Timestamp now) {
  if (!change_is_new) {
    if (const auto winner = find_winner(request, timeline)) {
      return repeated(request, *winner, timeline);
    }
  }
  const HeadState& head = timeline.staged();
  Verdict verdict;
  CommitRecord& record = verdict.record;
  record.number = next(head.commit);
  record.catalog = decide_catalog(request, record.number, timeline);
  decide_rows(request, timeline, record);
  bool changed = record.has_content() || mutant("empty-change-recorded");
  if (const auto* rollback = std::get_if<Rollback>(&request.lineage)) {
    changed = decide_lineage(*rollback, timeline, record);
  } else if (const auto* revert = std::get_if<Revert>(&request.lineage)) {
    changed = decide_lineage(*revert, timeline, meetings, record);
  }
  if (!changed) return verdict;
  verdict.kind = Verdict::Kind::record;
  record.parent = head.hash;
  record.range_root = timeline.range_root();
  record.time = time_of(request, head, now);
  record.author = request.author;
  record.message = request.message;
  record.extra = request.extra;
  record.change_id = *request.change_id;
  record.request_hash = request.request_hash;
  return verdict;
}

}  // namespace otolith::history
