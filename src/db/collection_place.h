// Where a Collection stands: which one, in which state; and what its operations are made of.
//
// Role:    between the public verbs and ingest and scan, for live collections, those of snapshots
//          and those of recorders.
// Errors:  not_found, where a snapshot has no such collection; invalid_argument for a table.
// Threads: thread-compatible.
// Why:     a collection exists from its first write on, so a handle may be of a name alone. Once it
//          exists it is followed by its id, whatever it is called.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mutant.h"
#include "base/mutex.h"
#include "db/hall.h"
#include "ingest/document_operation.h"
#include "otolith/collection.h"
#include "scan/document_scan.h"
#include "scan/lookup.h"
#include "scan/store.h"

namespace otolith::db {

/// What the handle of one state has come to know of it; written once, kept as long as it lives.
/// Thread-safe.
class KeptCollection {
 public:
  const scan::KnownCollection* get() const noexcept {
    return ready_.load(std::memory_order_acquire);
  }
  void keep(std::shared_ptr<const scan::KnownCollection> known) OTO_EXCLUDES(mutex_);

 private:
  std::atomic<const scan::KnownCollection*> ready_{nullptr};
  Mutex mutex_;
  std::shared_ptr<const scan::KnownCollection> known_ OTO_GUARDED_BY(mutex_);
};

struct CollectionPlace {
  ingest::CollectionName collection;
  std::shared_ptr<const history::Snapshot> snapshot;      // null: HEAD at each call
  std::uint64_t forks = io::fork_generation();            // when the snapshot was taken
  bool staged = false;                                    // it shows what a recorder has staged
  std::optional<history::DatasetEntry> made_by_commit{};  // of a recorder: not there yet
  std::shared_ptr<KeptCollection> kept = std::make_shared<KeptCollection>();
};

/// A collection in one state, for reading.
class DocumentState {
 public:
  DocumentState(Hall& hall, const CollectionPlace& place);

  /// nullptr where it does not exist: it has no documents.
  const history::DatasetEntry* dataset() const noexcept { return dataset_ ? &*dataset_ : nullptr; }
  const std::shared_ptr<const history::Snapshot>& snapshot() const noexcept { return snapshot_; }
  const std::shared_ptr<Rooms>& rooms() const noexcept { return rooms_; }
  scan::ScanContext context() const { return context_; }

  Timestamp time_of(CommitNumber begin, Timestamp stored);
  DocumentEntry entry(const RowId& row, Timestamp stored, std::string_view id,
                      std::string_view body);
  DocumentEntry entry(const scan::FoundRow& row, std::string_view id);

 private:
  std::shared_ptr<Rooms> rooms_;
  scan::ScanContext context_;
  std::shared_ptr<const history::Snapshot> snapshot_;
  std::optional<history::DatasetEntry> dataset_;
  std::optional<std::pair<CommitNumber, Timestamp>> known_;  // the commit asked about last
};

/// What look_known() found: of HEAD it holds all that the look-up needs.
struct KnownState {
  std::shared_ptr<Rooms> rooms{};
  std::shared_ptr<const history::Snapshot> snapshot{};
  std::shared_ptr<const scan::KnownCollection> known{};
};
KnownState known_state(Hall& hall, const CollectionPlace& place);

/// Calls `look` with a scan::KnownLookup of the state; false where there is none, and all has to
/// be asked of DocumentState.
template <typename Look>
bool look_known(Hall& hall, const CollectionPlace& place, Look look) {
  const bool one_state = place.snapshot != nullptr;
  const bool open = !hall.closed() || mutant("kept-collection-of-a-closed-database");
  if (one_state && open && place.forks == io::fork_generation()) {
    const scan::KnownCollection* const kept = place.kept->get();
    if (kept != nullptr) {
      look(scan::KnownLookup(*kept, *place.snapshot, nullptr));
      return true;
    }
  }
  const KnownState state = known_state(hall, place);
  if (state.known == nullptr) return false;
  look(scan::KnownLookup(*state.known, *state.snapshot, &state.rooms->store->tail_ids()));
  return true;
}

/// Throws invalid_argument for a table.
void check_is_collection(const history::DatasetEntry& entry);
/// The other way round.
void check_is_table(const history::DatasetEntry& entry);

// What is staged; ids of documents without one are made. All are checked first.
std::vector<ingest::DocumentOperation> put_operations(
    ingest::DocumentOperation::Kind kind, std::span<const Document> documents,
    const std::optional<ExpectedRevision>& if_revision, io::Environment& environment);
ingest::DocumentOperation patch_operation(std::string_view id, const Document& patch,
                                          const std::optional<ExpectedRevision>& if_revision);
std::vector<ingest::DocumentOperation> remove_operations(
    std::span<const std::string> ids, const std::optional<ExpectedRevision>& if_revision);
ingest::DocumentOperation remove_operation(const Expression& where);

}  // namespace otolith::db
