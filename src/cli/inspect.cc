// `otolith inspect DB [FILE]`
#include "otolith/inspect.h"

#include <algorithm>

#include "cli/verbs.h"

namespace otolith::cli {

namespace {

int run_inspect(const Words& words, const Sinks& sinks) {
  const Inspection found = inspect(
      words.operand("DB"), {.file = words.operand("FILE"), .verify = words.flag("--verify")});
  sinks.out(words.flag("--json") ? found.json() + "\n" : found.text());
  if (found.problems.empty()) return kDone;
  return std::ranges::any_of(found.problems, &Problem::damage) ? kBad : kError;
}

}  // namespace

Verb inspect_verb() {
  return {.name = "inspect",
          .summary = "How a database or one of its files is laid out: codecs, bytes, checksums",
          .operands = {{"DB", "a database directory, or a file of one"},
                       {"FILE", "one file of it: its path, its name or a segment's id", false}},
          .options = {{"--verify", "", "read and check every byte; exit code 1 on damage"},
                      {"--json", "", "one JSON object instead of text"}},
          .examples = {{"inspect market.oto", "where the bytes go"}},
          .details = {},
          .run = run_inspect};
}

}  // namespace otolith::cli
