#include "scan/store.h"

#include <algorithm>
#include <list>
#include <new>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "base/mutex.h"
#include "scan/known_ids.h"
#include "scan/shredded_proof.h"
#include "scan/tail_ids.h"
#include "segment/path.h"

namespace otolith::scan {

namespace {

using Reader = std::shared_ptr<const segment::SegmentReader>;

segment::SegmentExpect expected(const Id128& database, DatasetId dataset,
                                const history::SegmentRef& ref) {
  segment::SegmentExpect out;
  out.segment = ref.id;
  out.database = database;
  out.dataset = dataset;
  out.bytes = ref.bytes;
  out.footer_hash = ref.footer_hash;
  out.rows = ref.rows;
  return out;
}

[[noreturn]] void throw_missing(const history::SegmentEntry& entry) {
  throw with_commits(Error(ErrorCode::corrupt,
                           "a segment is missing; restore the file from a backup or another copy",
                           ErrorWhere{segment::segment_path(entry.ref.id), std::nullopt, {}}),
                     entry);
}

}  // namespace

struct SegmentStore::State {
  struct Kept {
    Id128 id;
    Reader reader;
    std::uint64_t look_ups = 0;  // of ids, while there was no index of them
    bool indexed = false;        // it was tried: where there is none now, it takes too much
    std::shared_ptr<const SegmentIds> ids{};

    bool used() const noexcept {
      return ids.use_count() > 1 || reader.use_count() > (ids == nullptr ? 1 : 2);
    }
  };

  // Constant.
  const std::shared_ptr<io::Vfs> vfs;
  const Id128 database;
  const StoreOptions options;

  // Self-synchronised.
  TailIds tail_ids{};
  KnownIds known_ids{};

  Mutex mutex{};
  std::list<Kept> kept OTO_GUARDED_BY(mutex){};  // the one used last in front
  std::unordered_map<Id128, std::list<Kept>::iterator> by_id OTO_GUARDED_BY(mutex){};
  std::unordered_map<Id128, std::weak_ptr<const segment::SegmentReader>> lent
      OTO_GUARDED_BY(mutex){};
  std::uint64_t ids_bytes OTO_GUARDED_BY(mutex) = 0;  // of those kept

  Reader find(const Id128& id) {
    const MutexLock lock(mutex);
    const auto found = by_id.find(id);
    if (found == by_id.end()) {
      const auto used = lent.find(id);
      return used == lent.end() ? nullptr : used->second.lock();
    }
    kept.splice(kept.begin(), kept, found->second);
    return found->second->reader;
  }

  std::shared_ptr<const SegmentIds> ids(const Id128& id) {
    const MutexLock lock(mutex);
    const auto found = by_id.find(id);
    if (found == by_id.end() || found->second->ids == nullptr) return nullptr;
    kept.splice(kept.begin(), kept, found->second);
    return found->second->ids;
  }

  /// Whether who looked for ids shall make the index, and nobody else.
  bool ids_due(const Id128& id, std::uint64_t rows) {
    const MutexLock lock(mutex);
    const auto found = by_id.find(id);
    if (found == by_id.end() || found->second->indexed) return false;
    Kept& of = *found->second;
    if (++of.look_ups * kRowsALookUp < rows) return false;
    of.indexed = true;
    return true;
  }

  void keep_ids(const Id128& id, std::shared_ptr<const SegmentIds> ids) {
    const MutexLock lock(mutex);
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    ids_bytes += ids->memory();
    found->second->ids = std::move(ids);
    kept.splice(kept.begin(), kept, found->second);
    for (auto at = kept.rbegin(); ids_bytes > options.ids_bytes_max && at != kept.rend(); ++at)
      drop_ids(*at);
  }

  // It may be made again, after as many look-ups.
  void drop_ids(Kept& of) OTO_REQUIRES(mutex) {
    if (of.ids == nullptr || mutant("store-keeps-all-ids")) return;
    known_ids.clear();
    ids_bytes -= of.ids->memory();
    of.ids = nullptr;
    of.look_ups = 0;
    of.indexed = false;
  }

  void keep(const Id128& id, const Reader& reader) {
    const MutexLock lock(mutex);
    if (by_id.contains(id)) return;  // another thread opened it at the same time
    kept.push_front({.id = id, .reader = reader});
    by_id[id] = kept.begin();
    while (kept.size() > options.open_max) drop(std::prev(kept.end()));
  }

  void lend(const Id128& id, const Reader& reader) {
    const MutexLock lock(mutex);
    std::erase_if(lent, [](const auto& entry) { return entry.second.expired(); });
    lent[id] = reader;
  }

  void drop(std::list<Kept>::iterator which) OTO_REQUIRES(mutex) {
    drop_ids(*which);
    by_id.erase(which->id);
    kept.erase(which);
  }

  bool close_unused() {
    known_ids.clear();
    const MutexLock lock(mutex);
    bool closed = false;
    for (auto at = kept.begin(); at != kept.end();) {
      const auto which = at++;
      if (which->used()) continue;
      drop(which);
      closed = true;
    }
    return closed;
  }

  std::unique_ptr<io::File> file(const std::string& path) {
    try {
      return vfs->open(path, io::OpenMode::read);
    } catch (const Error& error) {
      // No descriptor left, perhaps: give back those that are only kept in case, then ask again.
      if (error.code() != ErrorCode::io || mutant("store-keeps-unused") || !close_unused()) throw;
      return vfs->open(path, io::OpenMode::read);
    }
  }

  // nullptr where there is no such file.
  Reader find(const segment::SegmentExpect& expect, const history::SegmentEntry& entry, bool map) {
    const std::string path = segment::segment_path(entry.ref.id);
    try {
      return segment::SegmentReader::open(file(path), path, expect, map);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw with_commits(error, entry);
      return nullptr;
    }
  }
  Reader open(const segment::SegmentExpect& expect, const history::SegmentEntry& entry, bool map) {
    Reader found = find(expect, entry, map);
    if (!found) throw_missing(entry);
    return found;
  }
};

// nullptr where there is no memory for it, or another page of ids is damaged: that is told to who
// reads it.
static std::shared_ptr<const SegmentIds> index_of(const std::shared_ptr<const RowSource>& source,
                                                  ColumnId column, std::uint64_t bytes_max) {
  try {
    return SegmentIds::of(source, column, bytes_max);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt && error.code() != ErrorCode::limit) throw;
    return nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

SegmentStore::SegmentStore(std::shared_ptr<io::Vfs> vfs, const Id128& database,
                           StoreOptions options)
    : state_(
          new State{.vfs = std::move(vfs), .database = database, .options = std::move(options)}) {}
SegmentStore::~SegmentStore() = default;

TailIds& SegmentStore::tail_ids() noexcept { return state_->tail_ids; }
KnownIds& SegmentStore::known_ids() noexcept { return state_->known_ids; }

std::shared_ptr<const SegmentIds> SegmentStore::ids(const history::SegmentEntry& entry) {
  return state_->ids(entry.ref.id);
}

void SegmentStore::ids_missed(const history::SegmentEntry& entry,
                              const std::shared_ptr<const RowSource>& source, ColumnId column) {
  if (!state_->ids_due(entry.ref.id, source->rows())) return;
  auto made = index_of(source, column, state_->options.ids_bytes_max);
  if (made) state_->keep_ids(entry.ref.id, std::move(made));
}

Reader SegmentStore::find(DatasetId dataset, const history::SegmentEntry& entry) {
  if (Reader known = state_->find(entry.ref.id)) return known;
  const auto expect = expected(state_->database, dataset, entry.ref);
  Reader opened = state_->find(expect, entry, state_->options.map);
  if (opened) state_->keep(entry.ref.id, opened);
  return opened;
}

Reader SegmentStore::lend(DatasetId dataset, const history::SegmentEntry& entry) {
  const auto expect = expected(state_->database, dataset, entry.ref);
  Reader opened = state_->open(expect, entry, state_->options.map);
  state_->lend(entry.ref.id, opened);
  return opened;
}

Reader SegmentStore::open(DatasetId dataset, const history::SegmentEntry& entry) {
  Reader found = find(dataset, entry);
  if (!found) throw_missing(entry);
  return found;
}

Reader SegmentStore::find_apart(DatasetId dataset, const history::SegmentEntry& entry) {
  return state_->find(expected(state_->database, dataset, entry.ref), entry, false);
}

std::shared_ptr<const history::Snapshot> SegmentStore::renewed(
    const history::Snapshot& snapshot, DatasetId dataset, const history::SegmentEntry& gone) const {
  const auto& renew = state_->options.renew;
  auto now = renew && !mutant("scan-not-renewed") ? snapshot.renewed(renew) : nullptr;
  if (!now) throw_missing(gone);
  const bool still = std::ranges::any_of(now->segments_and_past(dataset), [&](const auto& entry) {
    return entry.ref.id == gone.ref.id;
  });
  if (still) throw_missing(gone);
  return now;
}

void SegmentStore::verify(DatasetId dataset, const history::SegmentEntry& entry,
                          const std::shared_ptr<const Schema>& schema, unsigned threads) {
  segment::SegmentExpect expect = expected(state_->database, dataset, entry.ref);
  expect.schema = schema;
  if (entry.many) expect.begins = {entry.begin_first, entry.begin_last};
  const Reader reader = state_->open(expect, entry, false);
  try {
    reader->verify(threads);
    if (schema) check_shredded(*reader, *schema, threads);
  } catch (const Error& error) {
    throw with_commits(error, entry);
  }
}

std::vector<std::uint64_t> commits_of(const history::SegmentEntry& entry) {
  std::vector<std::uint64_t> out{value_of(entry.begin_first)};
  if (entry.begin_last != entry.begin_first) out.push_back(value_of(entry.begin_last));
  return out;
}

Error with_commits(const Error& error, const history::SegmentEntry& entry) {
  ErrorWhere where = error.where();
  where.commits = commits_of(entry);
  return Error(error.code(), error.message(), std::move(where), error.outcome());
}

}  // namespace otolith::scan
