// A database, its tables, its recorders and its snapshots: the hall that users stand in.
//
// Role:    open, create, append, read, and walk the history.
// Shapes:  a database is one directory; a table holds rows under a schema; a commit is atomic over
//          all.
// Errors:  not_found (with the nearest name), conflict, invalid_argument, corrupt, locked,
//          no_space, unsupported_format, limit; every one names the thing and the remedy.
// Threads: thread-safe, but for Recorder: it belongs to one thread at a time, and refuses a call
//          while another thread is in one (invalid_argument).
// Why:     handles are small values that share one hall; a live Table reads HEAD at each call, one
//          taken from a Snapshot reads that commit for ever.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otolith/alter.h"
#include "otolith/batch.h"
#include "otolith/collection.h"
#include "otolith/commit.h"
#include "otolith/data.h"
#include "otolith/error.h"
#include "otolith/options.h"
#include "otolith/read.h"
#include "otolith/rows.h"
#include "otolith/schema.h"
#include "otolith/undo.h"

namespace otolith {

struct Blamed;  // diff.h
class Database;
struct Diff;  // diff.h

namespace db {
class DiffMaker;
class Hall;
struct Door;
struct Pinned;
struct Staging;
}  // namespace db

/// One finding of `verify`.
struct Problem {
  std::string what;
  ErrorWhere where;
  ErrorCode code = ErrorCode::corrupt;

  /// What an error says.
  static Problem of(const Error& error) { return {error.message(), error.where(), error.code()}; }
  /// False where a file could not be read, or needs another build or a codec: it may be sound.
  bool damage() const noexcept {
    return code == ErrorCode::corrupt || code == ErrorCode::not_found;
  }
};

/// What `verify` found.
struct VerifyReport {
  std::vector<Problem> problems;
  std::uint64_t segments = 0;  // verified
  std::uint64_t bytes = 0;     // of segments and log, verified
  std::uint64_t commits = 0;   // whose rows were hashed again, where that was asked for
  /// Of them those that cannot be told: very large ones, sorted in parts, that were joined with
  /// others since. They are no problems.
  std::uint64_t commits_unknown = 0;
  /// Whether nothing was found.
  bool ok() const noexcept { return problems.empty(); }
};

/// Rows and bytes of one dataset at HEAD.
struct DatasetStatus {
  std::uint64_t rows = 0;  // 0 where Status::damage says that they could not be counted
  std::uint64_t segments = 0;
  std::uint64_t past_segments = 0;  // of them those that HEAD shows nothing of, and does not open
  std::uint64_t segment_bytes = 0;
  std::uint64_t tail_rows = 0;
};

/// What `status` tells.
struct Status {
  std::string path;
  std::string database_id;  // 32 hex digits
  std::uint32_t format = 0;
  CommitNumber head{0};
  bool read_only = false;
  std::map<std::string, DatasetStatus> datasets;
  std::uint64_t log_files = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t tail_commits = 0;
  std::uint64_t unnamed_files = 0;      // segment files that no commit names: of open recorders, or
  std::uint64_t unnamed_bytes = 0;      // left by killed ones, until a sweep
  std::vector<std::string> torn_tails;  // what a crash tore, kept beside the log
  std::vector<std::string> lost;        // relaxed records that were given up, and their commits
  std::vector<std::string> damage;      // of the log, and of segments that do not open
  std::vector<std::string> foreign;     // files that are not ours; never deleted
};

/// What `compact` did.
struct CompactReport {
  std::uint64_t sealed_rows = 0;       // moved from the log into segments
  std::uint64_t joined_segments = 0;   // whose rows stand in others now, counted each time
  std::uint64_t joined_rows = 0;       // written again for that
  std::uint64_t joined_bytes = 0;      // of the files that were joined
  std::uint64_t present_segments = 0;  // of the others: those of rows that HEAD showed
  std::uint64_t present_rows = 0;
  std::uint64_t past_segments = 0;  // and those of rows that it did not
  std::uint64_t past_rows = 0;
  std::uint64_t swept_files = 0;  // segment files that nobody needed
  std::uint64_t swept_bytes = 0;
  std::uint64_t stripped_files = 0;  // log files without their rows now, which stand in segments
  std::uint64_t stripped_bytes = 0;  // by which these are smaller
};

/// A table, live or as of one commit.
class Table {
 public:
  /// The name it has as of HEAD, or of the snapshot it was taken from.
  std::string name() const;
  /// As of HEAD, or of the snapshot it was taken from.
  std::shared_ptr<const Schema> schema() const;
  /// Visible rows.
  std::uint64_t rows() const;
  /// Times of the first and the last visible row; nullopt when there is none.
  std::optional<std::pair<Timestamp, Timestamp>> time_range() const;
  /// The visible rows that the request asks for; not_found names an unknown column's nearest.
  ///
  ///     quotes.read({.start = noon, .columns = {{"bid"}}, .keys = {{"symbol", {"AAPL"}}}});
  Data read(const ReadRequest& request = {}) const;
  /// The first rows by time.
  Data head(std::uint64_t rows = 5) const;
  /// The last rows by time, in ascending order.
  Data tail(std::uint64_t rows = 5) const;
  /// The last row of each key at or before a time, in the order of keys; of a table without keys
  /// its last row then. Where keys are named, no partition is read once all of them are found.
  ///
  ///     quotes.asof({.at = noon, .keys = {{"symbol", {"AAPL", "MSFT"}}}});
  Data asof(const AsofRequest& request = {}) const;
  /// Who wrote the rows that are shown: per commit, the newest first, those that it added.
  ///
  ///     for (const Blamed& of : quotes.blame({.start = noon})) of.commit.author;
  std::vector<Blamed> blame(const BlameRequest& request = {}) const;
  /// Rows of any order and number, one commit. An empty batch is no commit: HEAD comes back.
  Commit append(const Batch& batch, const CommitOptions& options = {}) const;
  /// Changes columns and metadata, one commit; no row is touched, and older commits keep theirs.
  /// What changes nothing is no commit: HEAD comes back. conflict where the schema was altered
  /// meanwhile.
  ///
  ///     quotes.alter({.add = {{.name = "venue", .type = {TypeKind::string}}}, .drop = {"size"}});
  Commit alter(const SchemaChange& change, const CommitOptions& options = {}) const;
  /// Ends the rows that match in the state the commit stands on, also those that others appended
  /// meanwhile; older commits go on showing them. No row: no commit, HEAD comes back. conflict if
  /// the schema changed meanwhile. Nothing named is invalid_argument; every row is `all`.
  ///
  ///     quotes.remove({.stop = noon, .keys = {{"symbol", {"AAPL"}}}});
  Commit remove(const DeleteRequest& rows, const CommitOptions& options = {}) const;
  /// Ends the rows of the range and the keys, and adds the batch's, in one commit. A row of the
  /// batch outside of them is invalid_argument, and names the first such time.
  Commit replace(const ReplaceRequest& range, const Batch& batch,
                 const CommitOptions& options = {}) const;

 private:
  friend class Database;
  friend class Snapshot;
  friend class Recorder;
  friend class db::DiffMaker;
  Table(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::Pinned> pinned);
  void check_live() const;
  std::shared_ptr<db::Hall> hall_;
  std::shared_ptr<const db::Pinned> pinned_;  // dataset id, and for snapshots the state
};

/// The database as of one commit: the same reading verbs.
class Snapshot {
 public:
  /// The commit this is the state of.
  Commit commit() const;
  /// What was noted of the database as of this commit: texts by key.
  std::map<std::string, std::string> metadata() const;
  /// Names, sorted.
  std::vector<std::string> datasets() const;
  /// Whether there is a dataset of this name here.
  bool contains(std::string_view name) const;
  /// Whether a dataset is a table or a collection; not_found with the nearest name.
  DatasetKind kind(std::string_view name) const;
  /// A table as of this commit; not_found with the nearest name.
  Table table(std::string_view name) const;
  /// The same of a collection.
  Collection collection(std::string_view name) const;

 private:
  friend class Database;
  Snapshot(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::Pinned> pinned);
  std::shared_ptr<db::Hall> hall_;
  std::shared_ptr<const db::Pinned> pinned_;
};

/// Staged writes for any tables; visible all at once or not at all. Discards when destroyed
/// undecided.
class Recorder {
 public:
  Recorder(Recorder&&) noexcept;
  Recorder& operator=(Recorder&&) noexcept;
  ~Recorder();

  /// Stages rows of a table; the batch is copied before it returns. An append that is refused
  /// leaves what was staged; one that could not write (no_space, io) ends the recorder and discards
  /// all.
  void append(std::string_view table, const Batch& batch);
  /// Stages rows of a table one at a time (otolith/rows.h), between whatever else is staged; asked
  /// again, the same rows. not_found with the nearest name.
  RowAppender rows(std::string_view table);
  /// Ends rows as Table::remove: those that match when all is committed, and at once those that
  /// match of what was staged before, which are never written.
  void remove(std::string_view table, const DeleteRequest& rows);
  /// Ends and adds rows as Table::replace, in its place in the order.
  void replace(std::string_view table, const ReplaceRequest& range, const Batch& batch);
  /// Writes documents as Collection does, in its place in the order; what they come to is known at
  /// the commit, and of several writes of one document the last is its revision. A collection
  /// begins with its first write. The ids put.
  std::vector<std::string> put(std::string_view collection, std::span<const Document> documents,
                               const std::optional<ExpectedRevision>& if_revision = {});
  /// The same; conflict, at the commit, where an id is there.
  std::vector<std::string> insert(std::string_view collection, std::span<const Document> documents,
                                  const std::optional<ExpectedRevision>& if_revision = {});
  /// Merges a patch into a document as Collection::patch.
  void patch(std::string_view collection, std::string_view id, const Document& patch,
             const std::optional<ExpectedRevision>& if_revision = {});
  /// Ends documents by their ids.
  void remove(std::string_view collection, std::span<const std::string> ids,
              const std::optional<ExpectedRevision>& if_revision = {});
  /// Ends those that the condition is true of, at the commit; at once those staged before.
  void remove(std::string_view collection, const Expression& where);
  /// Whether the name is a collection's here, or nobody's yet; not a table's.
  bool holds_documents(std::string_view name) const;
  /// A collection as this recorder sees it, as table(): HEAD with what is staged. Throws what the
  /// commit would.
  Collection collection(std::string_view name) const;
  /// A table as this recorder sees it: HEAD as of this call, with what is staged here. It can be
  /// read in every way, and later calls do not change it. conflict if the table was altered or
  /// dropped since rows were staged for it.
  ///
  ///     recorder.append("quotes", batch);
  ///     recorder.table("quotes").read({.start = noon});  // with the rows of the batch
  Table table(std::string_view name) const;
  /// The schema of a table as this recorder sees it.
  std::shared_ptr<const Schema> schema(std::string_view table) const;
  /// Makes all that was staged one commit, and ends the recorder; staged nothing: HEAD comes back.
  /// Where an error ended it before, that error is thrown again.
  Commit commit();
  /// Gives up what was staged, and its disk space; also after the database was closed. In a forked
  /// child it does nothing.
  void discard();
  /// Whether it has neither committed nor discarded, and no error has ended it.
  bool open() const noexcept;

 private:
  friend class Database;
  explicit Recorder(std::unique_ptr<db::Staging> staging);
  std::unique_ptr<db::Staging> staging_;
};

/// Options of create_table beside the schema.
struct CreateOptions {
  bool exist_ok = false;  // an equal schema is accepted, and the table returned
  CommitOptions commit{};
};

/// What a collection is made with, by its first write; what is left out is as it is, where it is.
struct CollectionOptions {
  std::optional<DocumentTime> time{};  // where its documents say their time
  std::optional<std::string> codec{};  // profile: hot | small | raw
  std::optional<SegmentSizes> segments{};
};

/// An open database. Copies share one handle; it closes with the last of them, or with close().
class Database {
 public:
  /// Opens a directory, or ":memory:". Recovers by itself what a crash left.
  static Database open(const std::string& path, const OpenOptions& options = {});

  /// Makes an empty table, one commit. conflict if the name is taken.
  Table create_table(const std::string& name, const Schema& schema,
                     const CreateOptions& options = {});
  /// A live table: it reads HEAD at each call. not_found with the nearest name.
  Table table(std::string_view name) const;
  /// A live collection, which its first write makes; invalid_argument for a table, conflict where
  /// it was made with another time, codec or sizes of segments.
  Collection collection(std::string_view name, const CollectionOptions& options = {}) const;
  /// Whether a dataset is a table or a collection; not_found with the nearest name.
  DatasetKind kind(std::string_view name) const;
  /// Names at HEAD, sorted.
  std::vector<std::string> datasets() const;
  /// Whether there is a dataset of this name at HEAD.
  bool contains(std::string_view name) const;
  /// What is noted of the database at HEAD: texts by key.
  std::map<std::string, std::string> metadata() const;
  /// Changes what is noted of the database, one commit; older commits keep theirs. What changes
  /// nothing is no commit: HEAD comes back. conflict where somebody else changed it meanwhile.
  ///
  ///     db.alter({{"owner", "desk 4"}, {"reviewed", std::nullopt}});
  Commit alter(const MetadataChange& metadata, const CommitOptions& options = {});
  /// Takes a dataset away, one commit: older commits keep it, and its name is free. not_found with
  /// the nearest name.
  Commit drop(std::string_view name, const CommitOptions& options = {});
  /// Gives a dataset another name, one commit; live tables of it go on. conflict if it is taken.
  Commit rename(std::string_view name, const std::string& to, const CommitOptions& options = {});
  /// Shows the state of an older commit again: of the database, a dataset, or some rows of one. A
  /// commit of its own that moves no data; what it undoes stays in the history, and can be had
  /// again by another rollback or a revert. What is shown already is no commit: HEAD comes back.
  /// Tags stay where they are. conflict, with its differences, where a dataset's old name is taken,
  /// or rows of a scope do not fit the present columns; not_found where the dataset did not exist
  /// then.
  ///
  ///     db.rollback("HEAD~2", {.dataset = "quotes"}, {.message = "back before the import"});
  Commit rollback(std::string_view to, const RollbackOptions& options = {},
                  const CommitOptions& commit = {});
  /// Undoes one commit, and nothing else: what came since stays. Reverts and rollbacks can be
  /// reverted. Where it changed nothing this is no commit: HEAD comes back. conflict, with its
  /// differences, where later commits touched the same rows, names or columns.
  ///
  ///     db.revert("HEAD~2", {.dataset = "quotes"});
  Commit revert(std::string_view reference, const RevertOptions& options = {},
                const CommitOptions& commit = {});
  /// How two states differ, of all datasets or of one. It costs what differs: rows are looked for
  /// in commits that only one of the states has, and read when they are asked for.
  ///
  ///     db.diff("HEAD~1", "HEAD").find("quotes")->added.table.read();
  Diff diff(std::string_view from, std::string_view to,
            const std::optional<std::string>& dataset = {}) const;
  /// What `rollback` would change. Nothing is written, and it throws as that would.
  Diff rollback_diff(std::string_view to, const RollbackOptions& options = {}) const;
  /// What `revert` would change, in the same way.
  Diff revert_diff(std::string_view reference, const RevertOptions& options = {}) const;
  /// Staged writes that end in one commit of these options, or in none.
  Recorder recorder(const CommitOptions& options = {});

  /// The newest commit; number 0 where nothing was committed.
  Commit head() const;
  /// The state as of a commit: "42", "HEAD", "HEAD~3", "#abcdef" or a tag; not_found if none is.
  ///
  ///     db.at("HEAD~3").table("quotes").read();
  Snapshot at(std::string_view reference) const;
  Snapshot at(CommitNumber number) const;
  /// As of the newest commit not after this time.
  Snapshot at_time(Timestamp time) const;
  /// Commits that pass the filter, newest first unless it says otherwise.
  std::vector<Commit> log(const LogFilter& filter = {}) const;
  /// Waits for the first durable commit behind `after`, by any process, and returns it within some
  /// milliseconds of becoming durable; nullopt where time runs out. invalid_argument where the
  /// handle is closed meanwhile; corrupt where the log cannot be read on.
  ///
  ///     while (auto next = db.wait({.after = seen})) seen = next->number;  // each commit once
  std::optional<Commit> wait(const WaitOptions& options = {}) const;
  /// Gives a commit a name, durably; conflict if it is taken. Rollbacks do not move tags.
  void tag(const std::string& name, std::string_view reference = "HEAD");
  /// Takes a tag away; not_found if there is none of that name.
  void untag(const std::string& name);
  /// The commit of each tag, by name.
  std::map<std::string, Commit> tags() const;

  /// Rows, bytes, tail, and what a crash left: a look, cheap enough to repeat.
  Status status() const;
  /// Reads and checks everything: log, chain, index, every page of every segment. With `history`
  /// also hashes the rows of every commit again and holds them against the commit's hash, so that
  /// rows are found that somebody changed together with their checksums. `progress` gets bytes done
  /// and bytes in all; it may throw to stop.
  VerifyReport verify(const Progress& progress = {}, bool history = false) const;
  /// Moves all rows of the log into segments, joins small ones, parts rows that HEAD shows from
  /// those that it does not, and removes segment files that nobody needs; changes no answer. Files
  /// that were joined stay for ten minutes, for those who read them. `progress` gets bytes done and
  /// bytes in all; it may throw to stop: what is done stays done, and another compact goes on with
  /// the rest. What cannot be sealed stays in the log, what cannot be joined as it is, and the
  /// first error is thrown. Of the files that it joins it reads `bytes_per_second` at most, or at 0
  /// as fast as it can: for who serves others meanwhile.
  CompactReport compact(const Progress& progress = {}, std::uint64_t bytes_per_second = 0);
  /// Makes relaxed commits durable.
  void sync();
  /// Waits for a seal that is under way, loses nothing; later calls on any handle of it are
  /// invalid_argument.
  void close();
  /// Whether close() was called on any copy of this handle.
  bool closed() const noexcept;
  /// As it was given to open().
  std::string path() const;

 private:
  friend struct db::Door;
  explicit Database(std::shared_ptr<db::Hall> hall);
  std::shared_ptr<db::Hall> hall_;
};

}  // namespace otolith
