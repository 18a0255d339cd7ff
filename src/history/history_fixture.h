// A database of opaque rows on a simulated disk, for the tests of this room.
//
// Role:    what the tests of History share: opening, small requests, what a commit shows.
// Shapes:  rows are short texts; one row per put unless told otherwise.
// Errors:  those of History.
// Threads: thread-compatible.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "history/history.h"
#include "io/sim_disk.h"

namespace otolith::history::test {

/// The dataset that a first commit of create_request() makes.
inline constexpr DatasetId kFirst{CommitNumber{1}, 0};
/// What shown() gives.
using Rows = std::set<std::string>;

inline Id128 database_id() {
  Id128 id;
  id.bytes.fill(std::byte{0x42});
  return id;
}

inline Id128 id_of(std::uint64_t number) {
  Id128 id;
  store_le(id.bytes.data(), number);
  return id;
}

inline Schema small_schema() {
  Schema schema;
  schema.columns = {{"time", {TypeKind::timestamp}, false, 0, "", {}},
                    {"value", {TypeKind::int64}, true, 0, "", {}}};
  return schema;
}

inline CommitRequest create_request(const std::string& name) {
  CommitRequest request;
  request.author = "ana";
  request.message = "create " + name;
  request.catalog.emplace_back(CreateDataset{name, small_schema()});
  return request;
}

inline DatasetChange rows_of(DatasetId dataset, std::string_view text, std::uint64_t rows = 1) {
  DatasetChange change;
  change.dataset = dataset;
  change.rows_added = rows;
  const BytesView bytes = as_bytes_view(text);
  change.rows.assign(bytes.begin(), bytes.end());
  change.rows_root = blake3(bytes);
  change.salt = id_of(7);
  return change;
}

inline DatasetChange segment_of(DatasetId dataset, std::uint64_t id, std::uint64_t rows = 1) {
  DatasetChange change;
  change.dataset = dataset;
  change.rows_added = rows;
  change.segment = SegmentRef{id_of(id), 100, rows, id, {}, {}};
  change.rows_root = blake3(id_of(id).bytes);
  return change;
}

inline CommitRequest request_of(std::vector<DatasetChange> changes, bool relaxed = false) {
  CommitRequest request;
  request.author = "bo";
  request.relaxed = relaxed;
  request.datasets = std::move(changes);
  return request;
}

inline CommitRequest put(DatasetId dataset, std::string_view text, bool relaxed = false) {
  return request_of({rows_of(dataset, text)}, relaxed);
}

inline CommitRequest rollback_to(CommitNumber to, std::optional<DatasetId> dataset = {}) {
  CommitRequest request;
  request.lineage = Rollback{to, dataset, false};
  return request;
}

inline CommitRequest revert_of(CommitNumber commit, std::optional<DatasetId> dataset = {}) {
  CommitRequest request;
  request.lineage = Revert{commit, dataset};
  return request;
}

/// The visible rows of a dataset: "begin.ordinal", from tail and segments alike. A segment is known
/// by its entry only, so segments of many begins must be told their begins, joined ones their rows.
inline Rows shown(const Snapshot& snapshot, DatasetId dataset,
                  const std::map<Id128, std::vector<TailEntry>>& sealed = {},
                  const std::map<Id128, std::vector<RowId>>& joined = {}) {
  Rows out;
  const auto add_row = [&](const SegmentEntry& entry, const RowId& row) {
    const bool is = snapshot.visible(dataset, row.begin, row.ordinal + 1).shows(row.ordinal);
    const bool stands = snapshot.stands(dataset, entry, row.begin, row.begin);
    if (stands && is != (entry.side == Side::present)) out.insert("a row on the wrong side");
    const auto text = fmt::format("{}.{}", value_of(row.begin), row.ordinal);
    if (is && !out.insert(text).second) out.insert(text + " twice");
  };
  const auto add = [&](CommitNumber begin, std::uint64_t rows) {
    const VisibleRows visible = snapshot.visible(dataset, begin, rows);
    for (const RowRange& range : visible.slice({0, rows})) {
      for (std::uint64_t i = range.first; i < range.end(); ++i) {
        const bool fresh = out.insert(fmt::format("{}.{}", value_of(begin), i)).second;
        if (!fresh) out.insert(fmt::format("{}.{} twice", value_of(begin), i));
      }
    }
  };
  for (const TailEntry& entry : snapshot.tail(dataset)) add(entry.begin, entry.rows);
  for (const SegmentEntry& entry : snapshot.segments(dataset)) {
    if (!entry.many) {
      add(entry.begin_first, entry.ref.rows);
    } else if (joined.contains(entry.ref.id)) {
      for (const RowId& row : joined.at(entry.ref.id)) add_row(entry, row);
    } else {
      for (const TailEntry& part : sealed.at(entry.ref.id)) add(part.begin, part.rows);
    }
  }
  return out;
}

/// Seals the whole durable tail as one segment a dataset; remembers what went into which.
using Sealed = std::map<Id128, std::vector<TailEntry>>;
inline bool seal_all(History& history, std::uint64_t id, Sealed& sealed) {
  SealRequest request;
  request.covers = history.seal_point();
  for (const auto& [dataset, tail] : history.tail_until(request.covers)) {
    SegmentEntry entry;
    entry.ref.id = id_of(id++);
    entry.begin_first = tail.front().begin;
    entry.begin_last = tail.back().begin;
    entry.many = true;
    for (const TailEntry& part : tail) entry.ref.rows += part.rows;
    sealed[entry.ref.id] = tail;
    request.datasets.push_back({dataset, entry});
  }
  return history.seal(request);
}

/// One simulated disk and the handles on it.
struct Ground {
  io::SimDisk disk;
  std::uint64_t seed = 1;
  std::uint64_t processes = 0;
  HistoryOptions options;

  explicit Ground(std::uint64_t of = 1) : disk(io::SimDiskOptions{.seed = of}), seed(of) {
    options.log.file_bytes = 64 << 10;
    options.log.preallocate_bytes = 4 << 10;
    options.log.reserve_bytes = 0;
    options.log.lock_wait_ns = 50'000'000;
    const auto vfs = disk.attach();
    History::create(*vfs, *io::simulated_environment(seed), database_id());
  }

  std::unique_ptr<History> open(bool read_only = false) {
    HistoryOptions mine = options;
    mine.log.read_only = read_only;
    ++processes;
    return History::open(disk.attach({.read_only = read_only}),
                         io::simulated_environment(seed + 100 * processes, {.process = processes}),
                         database_id(), mine);
  }
};

/// Takes away all that can be made again from the log.
inline void remove_derived(Ground& ground) {
  const auto vfs = ground.disk.attach();
  for (const std::string& name : vfs->list("index")) vfs->remove("index/" + name);
}

}  // namespace otolith::history::test
