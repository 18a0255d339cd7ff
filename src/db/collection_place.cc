#include "db/collection_place.h"

#include <utility>

#include "base/error.h"
#include "document/condition.h"
#include "document/document_id.h"
#include "document/value.h"
#include "ingest/document_stage.h"
#include "model/utf8.h"

namespace otolith::db {

namespace {

using Kind = ingest::DocumentOperation::Kind;

void check_one(std::size_t documents, const std::optional<ExpectedRevision>& if_revision) {
  if (!if_revision || documents == 1) return;
  throw_error(ErrorCode::invalid_argument,
              "if_revision is of one document, and {} are given; write them one by one, or in a "
              "recorder",
              documents);
}

std::string made_id(io::Environment& environment) {
  document::IdEntropy entropy;
  environment.random(entropy);
  return document::new_id(environment.now(), entropy);
}

}  // namespace

void check_is_collection(const history::DatasetEntry& entry) {
  if (entry.schema->kind == DatasetKind::collection) return;
  throw_error(ErrorCode::invalid_argument,
              "{} is a table, which holds rows, not documents; take it as a table",
              quoted(entry.name));
}

void check_is_table(const history::DatasetEntry& entry) {
  if (entry.schema->kind == DatasetKind::table) return;
  throw_error(ErrorCode::invalid_argument,
              "{} is a collection, which holds documents, not rows; take it as a collection",
              quoted(entry.name));
}

DocumentState::DocumentState(Hall& hall, const CollectionPlace& place)
    : rooms_(hall.rooms()), context_(hall.scan_context(*rooms_)) {
  Pinned pinned{place.snapshot, {}};
  pinned.forks = place.forks;
  pinned.staged = place.staged;
  snapshot_ = hall.snapshot(pinned);
  const ingest::CollectionName& of = place.collection;
  dataset_ = place.made_by_commit;
  if (dataset_) return;
  dataset_ = of.dataset ? snapshot_->find(*of.dataset) : snapshot_->find(of.name);
  if (!dataset_ && of.dataset) throw_no_dataset(*snapshot_, of.name);
  if (dataset_) check_is_collection(*dataset_);
}

void KeptCollection::keep(std::shared_ptr<const scan::KnownCollection> known) {
  const MutexLock lock(mutex_);
  if (known_ != nullptr) return;
  known_ = std::move(known);
  ready_.store(known_.get(), std::memory_order_release);
}

// In a forked child a snapshot is resolved anew, and what is staged shows more than is known.
KnownState known_state(Hall& hall, const CollectionPlace& place) {
  KnownState out;
  const bool of_parent = place.snapshot && place.forks != io::fork_generation();
  if (place.staged || place.made_by_commit || of_parent) return out;
  out.rooms = hall.rooms();
  out.snapshot = place.snapshot ? place.snapshot : out.rooms->history->head();
  const ingest::CollectionName& of = place.collection;
  scan::SegmentStore& store = *out.rooms->store;
  out.known = store.known_ids().find(store, out.snapshot, {of.dataset, of.name});
  const bool whole = out.known && (!out.known->tail || mutant("kept-collection-without-tail"));
  if (place.snapshot && whole) place.kept->keep(out.known);
  return out;
}

// Of what a recorder staged nobody knows it yet: it is as if it were committed now.
Timestamp DocumentState::time_of(CommitNumber begin, Timestamp stored) {
  if (stored != kTimeOfCommit) return stored;
  if (begin > snapshot_->number()) return rooms_->environment->now();
  if (!known_ || known_->first != begin) known_ = {begin, rooms_->history->commit_time(begin)};
  return known_->second;
}

DocumentEntry DocumentState::entry(const RowId& row, Timestamp stored, std::string_view id,
                                   std::string_view body) {
  return {.document = Document::of(std::string(id), std::string(body)),
          .revision = ingest::revision_text(row),
          .time = time_of(row.begin, stored),
          .commit = row.begin};
}

DocumentEntry DocumentState::entry(const scan::FoundRow& row, std::string_view id) {
  return entry(row.id(), row.time, id, row.body(*dataset_->schema));
}

std::vector<ingest::DocumentOperation> put_operations(
    Kind kind, std::span<const Document> documents,
    const std::optional<ExpectedRevision>& if_revision, io::Environment& environment) {
  check_one(documents.size(), if_revision);
  std::vector<ingest::DocumentOperation> out;
  out.reserve(documents.size());
  for (const Document& document : documents) {
    const bool made = document.id().empty();
    if (!made) document::check_id(document.id());
    out.push_back({.kind = kind,
                   .id = made ? made_id(environment) : document.id(),
                   .id_made = made,
                   .body = document.body(),
                   .if_revision = if_revision});
  }
  return out;
}

ingest::DocumentOperation patch_operation(std::string_view id, const Document& patch,
                                          const std::optional<ExpectedRevision>& if_revision) {
  document::check_id(id);
  if (!patch.id().empty() && patch.id() != id) {
    throw_error(ErrorCode::invalid_argument,
                "the patch of {} says that its _id is {}; a document keeps its id: put it under "
                "another one, and delete this",
                quoted(id), quoted(patch.id()));
  }
  return {
      .kind = Kind::patch, .id = std::string(id), .body = patch.body(), .if_revision = if_revision};
}

std::vector<ingest::DocumentOperation> remove_operations(
    std::span<const std::string> ids, const std::optional<ExpectedRevision>& if_revision) {
  check_one(ids.size(), if_revision);
  std::vector<ingest::DocumentOperation> out;
  for (const std::string& id : ids) {
    document::check_id(id);
    out.push_back({.kind = Kind::remove, .id = id, .if_revision = if_revision});
  }
  return out;
}

ingest::DocumentOperation remove_operation(const Expression& where) {
  return {
      .kind = Kind::remove_where, .where = document::Condition(where), .where_text = where.text()};
}

}  // namespace otolith::db
