// A collection: documents by id, live or as of one commit.
//
// Role:    put, patch, get and find documents; every write is one commit.
// Shapes:  any number of documents; half of memory_bytes of them in one commit.
// Errors:  not_found for a patched id that is not there; conflict for an inserted one that is, and
//          for another revision; invalid_argument; those of the database.
// Threads: thread-safe; a DocumentStream belongs to one thread at a time.
// Why:     a write says what is to be done, and comes to what it would come to at its own commit:
//          where somebody else changed the document meanwhile, it is worked out anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otolith/commit.h"
#include "otolith/document.h"
#include "otolith/expression.h"
#include "otolith/options.h"
#include "otolith/schema.h"

namespace otolith {

namespace db {
class Hall;
struct CollectionPlace;
}  // namespace db

/// The revision that a document must have: its text; nullopt: the document must not be there.
using ExpectedRevision = std::optional<std::string>;

/// How documents are written.
struct DocumentWrite {
  std::optional<ExpectedRevision> if_revision{};  // conflict unless it is that; one document only
  CommitOptions commit{};
};

/// The order in which documents are found. That of time is (time, id).
enum class DocumentOrder : std::uint8_t { id, time };

/// Which documents to find: those for which everything named here holds.
struct FindRequest {
  std::optional<Timestamp> start{};  // of their time; included
  std::optional<Timestamp> stop{};   // excluded
  std::string prefix{};              // of their ids
  std::optional<std::vector<std::string>> ids{};
  std::optional<Expression> where{};  // on fields, by paths; must be true, not null
  std::optional<std::uint64_t> limit{};
  bool reverse = false;  // the last id or time first
  DocumentOrder order = DocumentOrder::id;
};

/// Documents that are found, some at a time.
class DocumentStream {
 public:
  DocumentStream(DocumentStream&&) noexcept;
  DocumentStream& operator=(DocumentStream&&) noexcept;
  ~DocumentStream();
  /// The next ones; empty at the end alone.
  std::vector<DocumentEntry> next();

 private:
  friend class Collection;
  struct State;
  explicit DocumentStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Who set a value of a document last.
struct PathBlame {
  std::string path;  // "user.city", "tags.0"; empty: of the whole, which has no fields
  DocumentValue value;
  Commit commit;
};

/// Documents by id.
class Collection {
 public:
  /// The name it has as of HEAD, or of the snapshot it was taken from.
  std::string name() const;
  /// Whether it was made: its first write does.
  bool exists() const;
  /// Where its documents say their time.
  DocumentTime document_time() const;

  /// Inserts or replaces; ids that are missing are made. Where all are there already as they are,
  /// nothing is committed and HEAD comes back. The commit's `ids` are those put.
  ///
  ///     notes.put(Document::from_json("{\"_id\": \"a\", \"tags\": [\"x\"]}"));
  Commit put(std::span<const Document> documents, const DocumentWrite& write = {}) const;
  Commit put(const Document& document, const DocumentWrite& write = {}) const;
  /// conflict where an id is there.
  Commit insert(std::span<const Document> documents, const DocumentWrite& write = {}) const;
  Commit insert(const Document& document, const DocumentWrite& write = {}) const;
  /// Merges a patch into a document (RFC 7396): its fields replace, null takes away. not_found
  /// where there is none.
  Commit patch(std::string_view id, const Document& patch, const DocumentWrite& write = {}) const;
  /// Ends documents; of those that are not there nothing is said.
  Commit remove(std::span<const std::string> ids, const DocumentWrite& write = {}) const;
  Commit remove(std::string_view id, const DocumentWrite& write = {}) const;
  /// Ends those that the condition is true of, in the state that the commit stands on.
  Commit remove(const Expression& where, const CommitOptions& options = {}) const;

  /// A document; nullopt where there is none of that id.
  std::optional<Document> get(std::string_view id) const;
  /// Of each id, in their order.
  std::vector<std::optional<Document>> get(std::span<const std::string> ids) const;
  /// A document with its revision, time and commit.
  std::optional<DocumentEntry> entry(std::string_view id) const;
  /// Whether there is a document of that id.
  bool contains(std::string_view id) const;
  /// How many documents there are.
  std::uint64_t size() const;
  /// By id, or by time; as of this call, however long it is read. Of a find by time the ids and
  /// times are kept: `limit` where they take more than a quarter of memory_bytes.
  DocumentStream find(const FindRequest& request = {}) const;
  /// What became of an id, the newest first, deletions too, as far as this state's lineage goes.
  std::vector<DocumentRevision> revisions(std::string_view id) const;
  /// Which commit set each value of a document to what it is, in the order of the fields: scalars,
  /// and maps and arrays that hold nothing. A value that a later commit put again as it was is
  /// still its first one's. not_found where there is no document of that id.
  ///
  ///     for (const PathBlame& of : notes.blame("a")) print(of.path, of.commit.author);
  std::vector<PathBlame> blame(std::string_view id) const;
  /// The commit that an entry or a revision names.
  Commit commit_of(CommitNumber number) const;

 private:
  friend class Database;
  friend class Snapshot;
  friend class Recorder;
  Collection(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::CollectionPlace> place);

  std::shared_ptr<db::Hall> hall_;
  std::shared_ptr<const db::CollectionPlace> place_;
};

}  // namespace otolith
