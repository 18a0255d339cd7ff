// `otolith diff DB [FROM [TO [DATASET]]]`
#include "cli/changes.h"
#include "cli/reading.h"
#include "cli/verbs.h"

namespace otolith::cli {

namespace {

std::optional<std::string> dataset_of(const Words& words) {
  if (!words.has_operand("DATASET")) return words.value("--dataset");
  if (words.value("--dataset")) throw WrongUsage("a dataset is named twice: leave --dataset out");
  return words.operand("DATASET");
}

int run_diff(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  const std::string from = words.has_operand("FROM") ? words.operand("FROM") : "HEAD~1";
  const std::string to = words.has_operand("TO") ? words.operand("TO") : "HEAD";
  const Diff diff = database.diff(from, to, dataset_of(words));
  put_changes(diff, words, sinks);
  return words.flag("--exit-code") && !diff.empty() ? kBad : kDone;
}

}  // namespace

Verb diff_verb() {
  return {
      .name = "diff",
      .summary = "How two states differ: datasets, columns, rows and documents",
      .operands = {{"DB", "a database directory"},
                   {"FROM", "42, HEAD~3, #abcdef, or a tag; HEAD~1 by default", false},
                   {"TO", "the same; HEAD by default", false},
                   {"DATASET", "this table or collection only", false}},
      .options =
          joined({{{"--dataset", "NAME", "this table or collection only, where TO is left out"},
                   {"--exit-code", "", "exit with 1 where they differ"}},
                  changes_options()}),
      .examples = {{"diff market.oto", "what the newest commit changed"},
                   {"diff market.oto v1 HEAD quotes --ndjson", "for programs"},
                   {"diff market.oto v1 HEAD notes", "documents, with the paths that differ"}},
      .details =
          "Tables that take a key and time once, or show one of several, tell changed "
          "rows with both sides; others what was added and removed. Of changed documents the paths "
          "are told that differ.",
      .run = run_diff};
}

}  // namespace otolith::cli
