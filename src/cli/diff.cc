// `otolith diff DB [FROM [TO]]`
#include "cli/changes.h"
#include "cli/reading.h"
#include "cli/verbs.h"

namespace otolith::cli {

namespace {

int run_diff(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  const std::string from = words.has_operand("FROM") ? words.operand("FROM") : "HEAD~1";
  const std::string to = words.has_operand("TO") ? words.operand("TO") : "HEAD";
  const Diff diff = database.diff(from, to, words.value("--dataset"));
  put_changes(diff, words, sinks);
  return words.flag("--exit-code") && !diff.empty() ? kBad : kDone;
}

}  // namespace

Verb diff_verb() {
  return {.name = "diff",
          .summary = "How two states differ: datasets, columns and rows",
          .operands = {{"DB", "a database directory"},
                       {"FROM", "42, HEAD~3, #abcdef, or a tag; HEAD~1 by default", false},
                       {"TO", "the same; HEAD by default", false}},
          .options = joined({{{"--dataset", "NAME", "this table only"},
                              {"--exit-code", "", "exit with 1 where they differ"}},
                             changes_options()}),
          .examples = {{"diff market.oto", "what the newest commit changed"},
                       {"diff market.oto v1 HEAD --dataset quotes --ndjson", "for programs"}},
          .details =
              "Tables that take a key and time once, or show one of several, tell changed "
              "rows with both sides; others what was added and removed.",
          .run = run_diff};
}

}  // namespace otolith::cli
