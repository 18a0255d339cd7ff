// `otolith tag DB [NAME [REF]]`, `otolith untag DB NAME`
#include <fmt/format.h>

#include "base/error.h"
#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

int list_tags(const Words& words, const Sinks& sinks) {
  Listing out({{"tag", TypeKind::string},
               {"number", TypeKind::uint64},
               {"time", TypeKind::timestamp},
               {"message", TypeKind::string}});
  for (const auto& [name, commit] : open_to_read(words).tags()) {
    out.add(name, static_cast<std::uint64_t>(commit.number), commit.time, commit.message);
  }
  out.write(format_of(words), look_of(words, sinks), sinks.out);
  return kDone;
}

int run_tag(const Words& words, const Sinks& sinks) {
  if (!words.has_operand("NAME")) return list_tags(words, sinks);
  Database database = Database::open(words.operand("DB"), {.create = false});
  const std::string reference = words.has_operand("REF") ? words.operand("REF") : "HEAD";
  const std::string name = words.operand("NAME");
  database.tag(name, reference);
  const Commit commit = database.at(name).commit();
  database.close();
  sinks.out(fmt::format("{} is commit {}\n", files::shown_text(quoted(name)),
                        static_cast<std::uint64_t>(commit.number)));
  return kDone;
}

int run_untag(const Words& words, const Sinks& sinks) {
  Database database = Database::open(words.operand("DB"), {.create = false});
  const std::string name = words.operand("NAME");
  database.untag(name);
  database.close();
  sinks.out(fmt::format("{} is no tag any more\n", files::shown_text(quoted(name))));
  return kDone;
}

}  // namespace

Verb tag_verb() {
  return {.name = "tag",
          .summary = "Gives a commit a name, or lists the names",
          .operands = {{"DB", "a database directory"},
                       {"NAME", "begins with a letter; without one all are listed", false},
                       {"REF", "which commit; HEAD by default", false}},
          .options = format_options(),
          .examples = {{"tag market.oto before-cleanup", "a name for HEAD"},
                       {"tag market.oto", "all tags"}},
          .details = {},
          .run = run_tag};
}

Verb untag_verb() {
  return {.name = "untag",
          .summary = "Takes a tag away",
          .operands = {{"DB", "a database directory"}, {"NAME", "the tag"}},
          .options = {},
          .examples = {{"untag market.oto before-cleanup", "the commit stays"}},
          .details = {},
          .run = run_untag};
}

}  // namespace otolith::cli
