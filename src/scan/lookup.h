// Documents by id: which row of a collection shows one, and which rows ever did.
//
// Role:    get, put, patch and revisions; beside scan.h, which goes through all rows.
// Shapes:  ids sorted, each once -> at most one row each; the rows of one id, the newest first.
// Errors:  those of the segment reader, with the commits concerned.
// Threads: thread-compatible; many look up beside each other.
// Why:     an id is a key, rows of a segment are sorted by it, and its zone maps leave a page or
//          none; the tail has an index (tail_ids.h). Ids of a collection are unique among visible
//          rows, so the first visible one is the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scan/known_ids.h"
#include "scan/scan.h"
#include "scan/source.h"

namespace otolith::scan {

class TailIds;  // tail_ids.h

/// A row of a collection, wherever it stands.
struct FoundRow {
  CommitNumber begin{0};
  std::uint64_t ordinal = 0;
  Timestamp time{};  // as stored: kTimeOfCommit where none was stated
  std::shared_ptr<const RowSource> source;
  std::size_t piece = 0;
  std::uint64_t row = 0;  // of the piece

  RowId id() const noexcept { return {begin, ordinal}; }
  /// The document, without its id.
  std::string body(const Schema& schema) const;
};

/// Reads the bodies of rows that come in order: each page once.
class BodyReader {
 public:
  explicit BodyReader(const Schema& schema);
  /// Valid until the next call.
  std::string_view body(const FoundRow& row);

 private:
  const ColumnId column_;
  std::shared_ptr<const RowSource> source_;
  std::size_t piece_ = 0;
  std::uint64_t first_ = 0;  // of the page
  Array bodies_;
};

class IdLookup {
 public:
  IdLookup(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
           history::DatasetEntry dataset);

  /// The row that is shown; nullopt where the id is not there.
  std::optional<FoundRow> find(const std::string& id);
  /// Of each of these ids, which are sorted and each named once.
  std::vector<std::optional<FoundRow>> find(std::span<const std::string> ids);
  /// All rows with the id of commits that the snapshot sees, also those that ended, by commit.
  std::vector<FoundRow> revisions(const std::string& id);

 private:
  using Take = std::function<bool(std::size_t id, FoundRow row)>;  // false: of this id no more

  enum class From { shown, all };  // segments: those that may show rows, or past ones too

  void each_row(std::span<const std::string> ids, From from, const Take& take);
  void each_of_tail(std::span<const std::string> ids, std::vector<bool>& open, const Take& take);
  bool each_of_segments(std::span<const std::string> ids, std::vector<bool>& open, From from,
                        const Take& take);
  void each_of_source(const std::shared_ptr<const RowSource>& source,
                      std::span<const std::string> ids, std::vector<bool>& open, const Take& take);
  void each_of_index(const SegmentIds& index, std::span<const std::string> ids,
                     std::vector<bool>& open, const Take& take) const;
  bool shown(const FoundRow& row) const;
  ColumnId column(std::string_view name) const;

  const ScanContext context_;
  std::shared_ptr<const history::Snapshot> snapshot_;  // always of the same commit
  const history::DatasetEntry dataset_;
};

/// One document, the shortest way: where every segment has its index. As IdLookup tells it.
class KnownLookup {
 public:
  /// All live longer; `tail_ids` may be missing where there is no tail.
  KnownLookup(const KnownCollection& of, const history::Snapshot& snapshot, TailIds* tail_ids)
      : of_(of), snapshot_(snapshot), tail_ids_(tail_ids) {}

  bool contains(std::string_view id) const;
  std::optional<std::string> body(std::string_view id) const;

 private:
  struct Place {
    const RowSource* source = nullptr;  // nowhere
    std::size_t piece = 0;
    std::uint64_t row = 0;
  };

  std::optional<FoundRow> in_tail(std::string_view id) const;
  Place in_segments(std::string_view id, bool with_body) const;
  bool shown(const FoundRow& row) const;

  const KnownCollection& of_;
  const history::Snapshot& snapshot_;
  TailIds* const tail_ids_;
};

}  // namespace otolith::scan
