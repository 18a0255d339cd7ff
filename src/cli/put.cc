// `otolith put DB COLLECTION`, `otolith get …`, `otolith patch …`
#include <fmt/format.h>

#include "base/error.h"
#include "cli/documents.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

std::vector<Document> given_documents(const Words& words, const Sinks& sinks) {
  std::vector<Document> out;
  const std::vector<std::string> texts = words.operands("JSON");
  for (const std::string& text : texts) {
    if (text != "-") {
      out.push_back(Document::from_json(text));
      continue;
    }
    for (Document& document : documents_of("-", sinks)) out.push_back(std::move(document));
  }
  if (!texts.empty()) return out;
  if (!sinks.in) throw WrongUsage("give documents as JSON, or on standard input");
  return documents_of("-", sinks);
}

DocumentWrite write_of(const Words& words) {
  DocumentWrite out{.commit = commit_of(words)};
  const auto revision = words.value("--if-revision");
  if (revision) out.if_revision.emplace(*revision == "none" ? ExpectedRevision() : revision);
  return out;
}

std::string told(const Commit& commit, const std::string& name, std::size_t documents,
                 std::string_view what) {
  const auto change = commit.changes.find(name);
  if (change == commit.changes.end()) return "nothing was changed\n";
  return fmt::format("{}: {} {} in commit {}\n", files::shown_text(name),
                     db::counted(documents, "document"), what,
                     static_cast<std::uint64_t>(commit.number));
}

CollectionOptions time_of(const Words& words) {
  const auto path = words.value("--time");
  if (!path) return {};
  const std::string unit = words.value("--unit").value_or("");
  const TimeUnit ticks = unit == "s"    ? TimeUnit::second
                         : unit == "ms" ? TimeUnit::millisecond
                         : unit == "us" ? TimeUnit::microsecond
                         : unit == "ns" ? TimeUnit::nanosecond
                                        : TimeUnit::none;
  return {.time = DocumentTime{*path, ticks}};
}

int run_put(const Words& words, const Sinks& sinks) {
  const std::vector<Document> documents = given_documents(words, sinks);
  Database database = Database::open(words.operand("DB"));
  const Collection collection = database.collection(words.operand("COLLECTION"), time_of(words));
  const Commit commit = words.flag("--insert") ? collection.insert(documents, write_of(words))
                                               : collection.put(documents, write_of(words));
  if (commit.changes.empty()) {
    sinks.out("all are there as they are; nothing was changed\n");
  } else {
    sinks.out(told(commit, collection.name(), commit.ids.size(), "put"));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (documents[i].id().empty()) sinks.out(commit.ids[i] + "\n");
    }
  }
  database.close();
  return kDone;
}

int run_get(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  const Collection collection = collection_of(database, "COLLECTION", words);
  const std::vector<std::string> ids = words.operands("ID");
  DocumentWriter writer(words.flag("--json") ? files::RowFormat::json : files::RowFormat::table,
                        sinks.out, sinks.indent);
  const auto found = collection.get(std::span(ids));
  std::string missing;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (found[i]) writer.put(*found[i]);
    if (!found[i]) missing += (missing.empty() ? "" : ", ") + quoted(ids[i]);
  }
  writer.end();
  if (missing.empty()) return kDone;
  throw_error(ErrorCode::not_found, "there is no document {} in {}", missing,
              quoted(collection.name()));
}

int run_patch(const Words& words, const Sinks& sinks) {
  Database database = Database::open(words.operand("DB"), {.create = false});
  const Collection collection = database.collection(words.operand("COLLECTION"));
  const Commit commit = collection.patch(
      words.operand("ID"), Document::from_json(words.operand("JSON")), write_of(words));
  sinks.out(told(commit, collection.name(), 1, "patched"));
  database.close();
  return kDone;
}

std::vector<Option> write_options() {
  return joined({{{"--if-revision", "R",
                   "only if the document is there in this revision; none: if it is not there"}},
                 commit_options()});
}

}  // namespace

Verb put_verb() {
  return {
      .name = "put",
      .summary = "Puts documents into a collection, in one commit",
      .operands = {{"DB", "a database directory; made if it is missing"},
                   {"COLLECTION", "which collection; made if it is missing"},
                   {"JSON", "documents; - or none: standard input", false, true}},
      .options = joined({{{"--insert", "", "a document whose _id is there is a conflict"},
                          {"--time", "PATH", "of a new collection: where documents say their time"},
                          {"--unit", "s|ms|us|ns", "of times that are numbers"}},
                         write_options()}),
      .examples = {{"put market.oto notes '{\"_id\": \"a\", \"text\": \"late feed\"}'",
                    "one document; without _id one is made, and shown"},
                   {"put market.oto notes < notes.ndjson", "a line each, or a JSON array"}},
      .details = "What is there as it is is no change.",
      .run = run_put};
}

Verb get_verb() {
  return {.name = "get",
          .summary = "Shows documents of a collection by their ids",
          .operands = {{"DB", "a database directory"},
                       {"COLLECTION", "which collection"},
                       {"ID", "of documents", true, true}},
          .options = joined({at_options(), {{"--json", "", "one JSON array instead of lines"}}}),
          .examples = {{"get market.oto notes a", "one document"},
                       {"get market.oto notes a --at HEAD~1", "as it was one commit ago"}},
          .details = {},
          .run = run_get};
}

Verb patch_verb() {
  return {.name = "patch",
          .summary = "Merges fields into a document, in one commit",
          .operands = {{"DB", "a database directory"},
                       {"COLLECTION", "which collection"},
                       {"ID", "of the document"},
                       {"JSON", "what changes (RFC 7396): null takes a field away"}},
          .options = write_options(),
          .examples = {{"patch market.oto notes a '{\"seen\": true}'", "one field more"}},
          .details = {},
          .run = run_patch};
}

}  // namespace otolith::cli
