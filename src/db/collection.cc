#include "otolith/collection.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "db/by_time.h"
#include "db/collection_place.h"
#include "document/condition.h"
#include "document/document_id.h"
#include "document/value.h"
#include "ingest/document_stage.h"
#include "io/environment.h"
#include "model/utf8.h"

namespace otolith {

namespace {

using Operation = ingest::DocumentOperation;

constexpr std::uint64_t kByTimeShare = 4;  // of memory_bytes, for what is found by time

std::vector<std::string> sorted_ids(std::vector<std::string> ids) {
  std::ranges::sort(ids);
  const auto again = std::ranges::unique(ids);
  ids.erase(again.begin(), again.end());
  return ids;
}

}  // namespace

// ---- finding ----------------------------------------------------------------------------------

struct DocumentStream::State {
  db::DocumentState state;
  FindRequest request;
  std::optional<document::Condition> condition{};
  std::uint64_t left = UINT64_MAX;
  std::optional<scan::DocumentScan> scan{};
  std::deque<std::string> ids{};        // that were asked for, or found by time; in order
  std::optional<db::ByTime> by_time{};  // until they are found

  State(db::Hall& hall, const db::CollectionPlace& place, FindRequest what)
      : state(hall, place), request(std::move(what)) {
    if (request.where) condition.emplace(*request.where);
    left = request.limit.value_or(UINT64_MAX);
    if (request.order == DocumentOrder::time) {
      by_time.emplace(db::ByTime::Bounds{.limit = left,
                                         .reverse = request.reverse,
                                         .bytes_max = hall.memory_bytes() / kByTimeShare});
    }
    if (state.dataset() == nullptr) {
      left = 0;
    } else if (request.ids) {
      const std::vector<std::string> sorted = sorted_ids(*request.ids);
      ids.assign(sorted.begin(), sorted.end());
      if (request.reverse) std::ranges::reverse(ids);
    } else {
      scan.emplace(state.context(), state.snapshot(), *state.dataset(),
                   scan::DocumentWanted{.prefix = request.prefix,
                                        .reverse = request.reverse,
                                        .bodies = !by_time || request.where.has_value(),
                                        .where = asked()});
    }
  }

  std::vector<DocumentEntry> next() {
    std::vector<DocumentEntry> out;
    if (by_time) find_by_time();
    while (out.empty() && left != 0) {
      stop_point();
      if (!(scan ? take_rows(out) : take_ids(out))) left = 0;
    }
    return out;
  }

 private:
  // The first pass: which they are. The second reads them by their ids.
  void find_by_time() {
    std::vector<DocumentEntry> none;
    while (left != 0 && (scan ? take_rows(none) : take_ids(none))) stop_point();
    scan.reset();
    condition.reset();
    ids = by_time->take();
    by_time.reset();
    request.ids.reset();
  }

  // What columns may be asked: of times, too.
  std::vector<document::Condition> asked() const {
    std::vector<document::Condition> all;
    const Expression time = col(std::string(kDocumentTime));
    if (request.start) all.emplace_back(time >= Constant(*request.start));
    if (request.stop) all.emplace_back(time < Constant(*request.stop));
    if (condition) all.push_back(*condition);
    return all;
  }

  bool take_rows(std::vector<DocumentEntry>& out) {
    const auto rows = scan->next();
    if (!rows) return false;
    const bool bodies = !by_time || condition;
    for (std::uint64_t row = 0; row < rows->rows && left != 0; ++row) {
      take(rows->row_ids[row], {rows->times.value<std::int64_t>(row)}, rows->ids.text(row),
           bodies ? rows->bodies.text(row) : std::string_view{}, out);
    }
    return true;
  }

  bool take_ids(std::vector<DocumentEntry>& out) {
    if (ids.empty()) return false;
    std::vector<std::string> some;
    while (!ids.empty() && some.size() < scan::kDocumentRowsMax) {
      some.push_back(std::move(ids.front()));
      ids.pop_front();
    }
    std::vector<std::string> sorted = some;
    std::ranges::sort(sorted);
    auto found = scan::IdLookup(state.context(), state.snapshot(), *state.dataset()).find(sorted);
    if (request.reverse) {
      std::ranges::reverse(sorted);
      std::ranges::reverse(found);
    }
    scan::BodyReader bodies(*state.dataset()->schema);
    for (std::size_t i = 0; i < sorted.size() && left != 0; ++i) {
      if (!found[i] || !sorted[i].starts_with(request.prefix)) continue;
      take(found[i]->id(), found[i]->time, sorted[i], bodies.body(*found[i]), out);
    }
    if (request.order == DocumentOrder::time) {  // these are next, whichever of them is first
      std::ranges::sort(out, [this](const DocumentEntry& a, const DocumentEntry& b) {
        return db::ByTime::before({a.time, a.document.id()}, {b.time, b.document.id()},
                                  request.reverse);
      });
    }
    return true;
  }

  void take(const RowId& row, Timestamp stored, std::string_view id, std::string_view body,
            std::vector<DocumentEntry>& out) {
    const Timestamp time = state.time_of(row.begin, stored);
    if (request.start && time < *request.start) return;
    if (request.stop && time >= *request.stop) return;
    if (condition && !condition->holds(id, time, document::Value(as_bytes_view(body)))) return;
    if (by_time) return by_time->add(time, id);
    out.push_back(state.entry(row, time, id, body));
    --left;
  }
};

DocumentStream::DocumentStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
DocumentStream::DocumentStream(DocumentStream&&) noexcept = default;
DocumentStream& DocumentStream::operator=(DocumentStream&&) noexcept = default;
DocumentStream::~DocumentStream() = default;

std::vector<DocumentEntry> DocumentStream::next() { return state_->next(); }

// ---- reading ----------------------------------------------------------------------------------

Collection::Collection(std::shared_ptr<db::Hall> hall,
                       std::shared_ptr<const db::CollectionPlace> place)
    : hall_(std::move(hall)), place_(std::move(place)) {}

std::string Collection::name() const {
  const db::DocumentState state(*hall_, *place_);
  return state.dataset() == nullptr ? place_->collection.name : state.dataset()->name;
}

bool Collection::exists() const { return db::DocumentState(*hall_, *place_).dataset() != nullptr; }

DocumentTime Collection::document_time() const {
  const db::DocumentState state(*hall_, *place_);
  return (state.dataset() == nullptr ? place_->collection.schema : *state.dataset()->schema)
      .document_time;
}

std::optional<DocumentEntry> Collection::entry(std::string_view id) const {
  document::check_id(id);
  db::DocumentState state(*hall_, *place_);
  if (state.dataset() == nullptr) return std::nullopt;
  const auto row =
      scan::IdLookup(state.context(), state.snapshot(), *state.dataset()).find(std::string(id));
  return row ? std::optional(state.entry(*row, id)) : std::nullopt;
}

std::optional<Document> Collection::get(std::string_view id) const {
  document::check_id(id);
  std::optional<std::string> body;
  const auto look = [&](const scan::KnownLookup& known) { body = known.body(id); };
  if (!db::look_known(*hall_, *place_, look)) {
    const db::DocumentState state(*hall_, *place_);
    if (state.dataset() == nullptr) return std::nullopt;
    const auto row =
        scan::IdLookup(state.context(), state.snapshot(), *state.dataset()).find(std::string(id));
    if (row) body = row->body(*state.dataset()->schema);
  }
  return body ? std::optional(Document::of(std::string(id), *std::move(body))) : std::nullopt;
}

std::vector<std::optional<Document>> Collection::get(std::span<const std::string> ids) const {
  for (const std::string& id : ids) document::check_id(id);
  std::vector<std::optional<Document>> out(ids.size());
  const db::DocumentState state(*hall_, *place_);
  if (state.dataset() == nullptr) return out;
  const std::vector<std::string> sorted = sorted_ids({ids.begin(), ids.end()});
  const auto found =
      scan::IdLookup(state.context(), state.snapshot(), *state.dataset()).find(sorted);
  scan::BodyReader bodies(*state.dataset()->schema);
  std::map<std::string_view, std::string> by_id;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (found[i]) by_id.emplace(sorted[i], bodies.body(*found[i]));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto at = by_id.find(ids[i]);
    if (at != by_id.end()) out[i] = Document::of(ids[i], at->second);
  }
  return out;
}

bool Collection::contains(std::string_view id) const {
  document::check_id(id);
  bool found = false;
  const auto look = [&](const scan::KnownLookup& known) { found = known.contains(id); };
  if (db::look_known(*hall_, *place_, look)) return found;
  const db::DocumentState state(*hall_, *place_);
  if (state.dataset() == nullptr) return false;
  return scan::IdLookup(state.context(), state.snapshot(), *state.dataset())
      .find(std::string(id))
      .has_value();
}

std::uint64_t Collection::size() const {
  const db::DocumentState state(*hall_, *place_);
  if (state.dataset() == nullptr) return 0;
  return scan::count_rows(state.context(), *state.snapshot(), *state.dataset());
}

DocumentStream Collection::find(const FindRequest& request) const {
  if (request.ids) {
    for (const std::string& id : *request.ids) document::check_id(id);
  }
  return DocumentStream(std::make_unique<DocumentStream::State>(*hall_, *place_, request));
}

std::vector<DocumentRevision> Collection::revisions(std::string_view id) const {
  document::check_id(id);
  db::DocumentState state(*hall_, *place_);
  if (state.dataset() == nullptr) return {};
  const DatasetId dataset = state.dataset()->id;
  std::map<CommitNumber, DocumentRevision> by_commit;
  const auto rows = scan::IdLookup(state.context(), state.snapshot(), *state.dataset())
                        .revisions(std::string(id));
  const auto ended = [&](CommitNumber commit) {  // unless the commit put another in its place
    by_commit.try_emplace(commit, DocumentRevision{.commit = commit});
  };
  const auto shown = [&](CommitNumber commit, const scan::FoundRow& row) {
    DocumentEntry entry = state.entry(row, id);
    by_commit[commit] = {commit, std::move(entry.document), std::move(entry.revision), entry.time};
  };
  std::optional<CommitNumber> now;  // the commit whose revision is shown
  for (const scan::FoundRow& row : rows) {
    std::optional<CommitNumber> of_row;  // of the latest event, where it shows the row
    if (state.snapshot()->sees(dataset, row.begin)) shown(*(of_row = row.begin), row);
    for (const history::RowMark& mark :
         state.snapshot()->marks_of(dataset, row.begin, row.ordinal)) {
      of_row = mark.revive ? std::optional(mark.commit) : std::nullopt;
      if (mark.revive) shown(mark.commit, row);
      if (!mark.revive) ended(mark.commit);
    }
    if (of_row) now = of_row;
  }
  std::vector<DocumentRevision> out;
  for (auto& [commit, revision] : by_commit) out.push_back(std::move(revision));
  std::ranges::reverse(out);
  if (now && !mutant("revisions-by-age")) {  // older than others where a revert undid its end
    const auto found = std::ranges::find(out, *now, &DocumentRevision::commit);
    std::rotate(out.begin(), found, found + 1);
  }
  return out;
}

Commit Collection::commit_of(CommitNumber number) const {
  return hall_->rooms()->history->commit_info(number);
}

// ---- writing ----------------------------------------------------------------------------------

namespace {

// The ids of the documents that a commit put, where it was made before: its retry made others.
std::vector<std::string> ids_put(db::Rooms& rooms, const scan::ScanContext& context,
                                 const ingest::CollectionName& collection, CommitNumber commit) {
  std::vector<std::string> out;
  const auto snapshot = rooms.history->at(commit);
  const auto dataset =
      collection.dataset ? snapshot->find(*collection.dataset) : snapshot->find(collection.name);
  if (!dataset) return out;
  scan::DocumentScan scan(context, snapshot, *dataset,
                          {.begun_after = CommitNumber{value_of(commit) - 1}});
  while (const auto rows = scan.next()) {
    for (std::uint64_t row = 0; row < rows->rows; ++row) out.emplace_back(rows->ids.text(row));
  }
  return out;
}

Commit write(const std::shared_ptr<db::Hall>& hall, const db::CollectionPlace& place,
             const CommitOptions& options, const auto& operations_of) {
  if (place.snapshot || place.staged) {
    throw_error(
        ErrorCode::invalid_argument,
        "{} is as of commit {} and cannot be written; take the collection from the database "
        "itself, or write through the recorder",
        quoted(place.collection.name), value_of(place.snapshot->number()));
  }
  const auto rooms = hall->rooms_to_write();
  const CommitNumber before = rooms->history->head()->number();
  ingest::Recorder recorder(hall->ingest_context(*rooms, options.progress),
                            options.change_id.has_value());
  std::vector<Operation> operations = operations_of(*rooms);
  std::vector<std::string> ids;
  bool made = false;
  for (const Operation& operation : operations) {
    const bool puts = operation.kind == Operation::Kind::put ||
                      operation.kind == Operation::Kind::insert ||
                      operation.kind == Operation::Kind::patch;
    if (puts) ids.push_back(operation.id);
    made = made || operation.id_made;
  }
  recorder.write(place.collection, std::move(operations));
  Commit commit = recorder.commit(hall->request(*rooms, options));
  hall->committed(*rooms);
  const bool repeated = options.change_id && commit.number <= before;
  if (repeated && made)
    ids = ids_put(*rooms, hall->scan_context(*rooms), place.collection, commit.number);
  commit.ids = std::move(ids);
  return commit;
}

}  // namespace

Commit Collection::put(std::span<const Document> documents, const DocumentWrite& how) const {
  return write(hall_, *place_, how.commit, [&](db::Rooms& rooms) {
    return db::put_operations(Operation::Kind::put, documents, how.if_revision, *rooms.environment);
  });
}

Commit Collection::put(const Document& document, const DocumentWrite& how) const {
  return put(std::span(&document, 1), how);
}

Commit Collection::insert(std::span<const Document> documents, const DocumentWrite& how) const {
  return write(hall_, *place_, how.commit, [&](db::Rooms& rooms) {
    return db::put_operations(Operation::Kind::insert, documents, how.if_revision,
                              *rooms.environment);
  });
}

Commit Collection::insert(const Document& document, const DocumentWrite& how) const {
  return insert(std::span(&document, 1), how);
}

Commit Collection::patch(std::string_view id, const Document& changes,
                         const DocumentWrite& how) const {
  return write(hall_, *place_, how.commit, [&](db::Rooms&) {
    return std::vector{db::patch_operation(id, changes, how.if_revision)};
  });
}

Commit Collection::remove(std::span<const std::string> ids, const DocumentWrite& how) const {
  return write(hall_, *place_, how.commit,
               [&](db::Rooms&) { return db::remove_operations(ids, how.if_revision); });
}

Commit Collection::remove(std::string_view id, const DocumentWrite& how) const {
  const std::string one(id);
  return remove(std::span(&one, 1), how);
}

Commit Collection::remove(const Expression& where, const CommitOptions& options) const {
  return write(hall_, *place_, options,
               [&](db::Rooms&) { return std::vector{db::remove_operation(where)}; });
}

// ---- taking one -------------------------------------------------------------------------------

namespace {

db::CollectionPlace place_of(const history::DatasetEntry& entry,
                             std::shared_ptr<const history::Snapshot> snapshot) {
  db::check_is_collection(entry);
  return {.collection = {.name = entry.name, .dataset = entry.id, .schema = *entry.schema},
          .snapshot = std::move(snapshot)};
}

// What is asked for explicitly has to be what the collection was made with.
void check_made_with(const history::DatasetEntry& entry, const CollectionOptions& options) {
  const Schema& made = *entry.schema;
  const auto differs = [&](std::string_view option, std::string_view is, std::string_view asked) {
    throw_error(ErrorCode::conflict,
                "{} was made with {} {}, not {}; leave {} out, or take another name",
                quoted(entry.name), option, is, asked, option);
  };
  if (options.time && *options.time != made.document_time)
    differs("time", quoted(made.document_time.path), quoted(options.time->path));
  if (options.codec && *options.codec != made.codec)
    differs("codec", quoted(made.codec), quoted(*options.codec));
  if (!options.segments) return;
  const bool bytes_said = options.segments->bytes != 0;
  if (bytes_said && options.segments->bytes != made.segments.bytes)
    differs("segment_bytes", std::to_string(made.segments.bytes),
            std::to_string(options.segments->bytes));
  const bool spread_said = options.segments->spread != 0;
  if (spread_said && options.segments->spread != made.segments.spread)
    differs("spread", std::to_string(made.segments.spread),
            std::to_string(options.segments->spread));
}

}  // namespace

Collection Database::collection(std::string_view name, const CollectionOptions& options) const {
  const auto snapshot = hall_->snapshot(db::Pinned{});
  db::CollectionPlace place;
  if (const auto entry = snapshot->find(name)) {
    place = place_of(*entry, nullptr);
    check_made_with(*entry, options);
  } else {
    model::name_check("dataset", name);
    Schema& schema = place.collection.schema;
    place.collection.name = name;
    schema.document_time = options.time.value_or(DocumentTime{});
    schema.codec = options.codec.value_or(schema.codec);
    schema.segments = options.segments.value_or(SegmentSizes{});
    if (schema.segments.spread == 0) schema.segments.spread = 1;  // it was left out
    ingest::check_document_time(schema.document_time);
    schema_check(schema);
  }
  return {hall_, std::make_shared<const db::CollectionPlace>(std::move(place))};
}

Collection Snapshot::collection(std::string_view name) const {
  db::Pinned pinned = *pinned_;
  const auto snapshot = hall_->snapshot(pinned);
  const auto entry = snapshot->find(name);
  if (!entry) db::throw_no_dataset(*snapshot, name);
  return {hall_, std::make_shared<const db::CollectionPlace>(place_of(*entry, snapshot))};
}

namespace {

DatasetKind kind_in(const history::Snapshot& snapshot, std::string_view name) {
  const auto entry = snapshot.find(name);
  if (!entry) db::throw_no_dataset(snapshot, name);
  return entry->schema->kind;
}

}  // namespace

DatasetKind Database::kind(std::string_view name) const {
  return kind_in(*hall_->snapshot(db::Pinned{}), name);
}

DatasetKind Snapshot::kind(std::string_view name) const {
  return kind_in(*hall_->snapshot(*pinned_), name);
}

}  // namespace otolith
