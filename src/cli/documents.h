// What the verbs of documents share: which collection, which documents, and how they are shown.
//
// Role:    put, get, patch; head, tail, query, export, delete and import where they meet a
//          collection.
// Errors:  WrongUsage for options that only tables have; those of the collection.
// Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "cli/verb.h"
#include "files/row_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

/// Whether DATASET is a collection as of --at.
bool is_collection(const Database& database, const Words& words);
/// The collection of that name, as of --at.
Collection collection_of(const Database& database, std::string_view operand, const Words& words);

/// Writes documents: JSON lines, one array, or, for a person, lines as well.
class DocumentWriter {
 public:
  DocumentWriter(files::RowFormat format, files::TextSink sink, unsigned indent = 0);
  void put(const Document& document);
  void end();
  std::uint64_t documents() const noexcept { return documents_; }

 private:
  const bool array_;
  const unsigned indent_;  // of documents for a person
  const files::TextSink sink_;
  std::uint64_t documents_ = 0;
};

/// How documents are ordered, for those who list them.
Option order_option();
/// What the options of a reading verb ask for: --from, --to, --where, --limit, --order.
FindRequest find_of(const Words& words);
/// Finds and writes; how many.
std::uint64_t write_found(const Collection& collection, const FindRequest& request,
                          files::RowFormat format, const files::TextSink& sink, const Sinks& sinks);
/// Refuses options that only rows have.
void refuse_for_documents(const Words& words, std::initializer_list<std::string_view> options);

/// Documents of a text that comes in windows: JSON lines, an array, objects one behind another.
std::vector<Document> documents_of(const std::string& path, const Sinks& sinks);

}  // namespace otolith::cli
