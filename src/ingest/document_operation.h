// One thing that is done to documents of a collection: what a recorder keeps until its commit.
//
// Role:    record -> stage, for documents; document_stage.h works out what they come to.
// Shapes:  bodies are canonical msgpack without `_id` (docs/format/document.md).
// Errors:  none.
// Threads: thread-compatible.
// Why:     an operation, not a row: what a patch makes, and whether a put changes anything, depends
//          on the document that is there when the commit is decided.
#pragma once

#include <optional>
#include <string>

#include "base/hash.h"
#include "document/condition.h"

namespace otolith::ingest {

/// The revision that a document must have, by its text; nullopt: it must not be there.
using ExpectedRevision = std::optional<std::string>;

struct DocumentOperation {
  enum class Kind : std::uint8_t {
    put = 1,           // insert or replace
    insert = 2,        // conflict where the id is there
    patch = 3,         // RFC 7396; not_found where the id is not there
    remove = 4,        // no change where it is not there
    remove_where = 5,  // all of which a condition is true
  };
  Kind kind = Kind::put;
  std::string id{};
  bool id_made = false;  // by us, anew for a retry
  std::string body{};    // of put and insert; of a patch what it says
  std::optional<ExpectedRevision> if_revision{};
  std::optional<document::Condition> where{};  // of remove_where
  std::string where_text{};                    // tells a retry from another request
};

/// Takes in what is asked, for who may be a retry.
inline void hash_operation(Blake3& hash, std::string_view collection,
                           const DocumentOperation& operation) {
  const auto text = [&hash](std::string_view part) {
    hash.add_value(std::uint64_t{part.size()});
    hash.add(as_bytes_view(part));
  };
  text("documents");
  text(collection);
  hash.add_value(operation.kind);
  if (!operation.id_made) text(operation.id);
  text(operation.body);
  text(operation.where_text);
  hash.add_value(static_cast<std::uint8_t>(operation.if_revision.has_value()));
  if (operation.if_revision) text(operation.if_revision->value_or(""));
}

}  // namespace otolith::ingest
