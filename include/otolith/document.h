// A document: fields of JSON kinds, times and bytes, under an id.
//
// Role:    what collections take and give (otolith/collection.h).
// Shapes:  a map of up to 16 MiB and 128 levels; ids of 1 to 1,024 bytes of UTF-8 without control
//          characters; kept as canonical msgpack (docs/format/document.md).
// Errors:  invalid_argument for text that is no JSON, for what a document cannot hold and for bad
//          ids; limit.
// Threads: immutable.
// Why:     checked once, when it is made: what is put, stored and given back is the same bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "otolith/commit.h"
#include "otolith/timestamp.h"

namespace otolith {

/// A document, with or without an id of its own.
class Document {
 public:
  Document();  // without fields and id
  /// Of the text of one JSON object; its field `_id` is the id.
  static Document from_json(std::string_view text);
  /// Of a msgpack map; its field `_id` is the id.
  static Document from_msgpack(std::span<const std::byte> bytes);
  /// Of parts that a collection gave: a canonical map without `_id`.
  static Document of(std::string id, std::string body);

  /// Empty where it has none: a put makes one.
  const std::string& id() const noexcept { return id_; }
  /// Canonical msgpack without the id.
  const std::string& body() const noexcept { return body_; }

  /// One JSON object, `_id` first. `indent`: blanks for a level; 0: on one line. invalid_argument
  /// where a number is NaN or infinite.
  std::string json(unsigned indent = 0) const;
  /// A msgpack map, `_id` first.
  std::string msgpack() const;
  bool operator==(const Document&) const = default;

 private:
  std::string id_;
  std::string body_;
};

/// A value within a document, by itself.
struct DocumentValue {
  std::string msgpack{};  // canonical
  /// As within the JSON of its document; invalid_argument where a number is NaN or infinite.
  std::string json() const;
  bool operator==(const DocumentValue&) const = default;
};

/// A document where it stands: which revision, and of when.
struct DocumentEntry {
  Document document;
  std::string revision{};  // opaque: equal or not
  Timestamp time{};        // stated, or of the commit that its life began with
  CommitNumber commit{0};  // that put this revision
};

/// One revision of a document, or its end.
struct DocumentRevision {
  CommitNumber commit{0};
  std::optional<Document> document{};  // nullopt: deleted
  std::string revision{};              // empty where deleted
  std::optional<Timestamp> time{};     // nullopt where deleted
};

}  // namespace otolith
