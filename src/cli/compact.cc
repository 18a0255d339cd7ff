// `otolith compact DB`
#include <fmt/format.h>

#include "cli/progress.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "files/table_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

namespace {

std::string sides_of(const CompactReport& done) {
  if (done.joined_segments == 0) return {};
  return fmt::format(" into {} of {} and {} of {}", done.present_segments,
                     db::counted(done.present_rows, "present row"), done.past_segments,
                     db::counted(done.past_rows, "past row"));
}

int run_compact(const Words& words, const Sinks& sinks) {
  const std::string path = words.operand("DB");
  Database database = Database::open(path, {.create = false});
  ProgressLine progress(sinks, "compact", "bytes");
  const CompactReport done =
      database.compact(progress.callback(), words.count("--bytes-per-second").value_or(0));
  progress.clear();
  database.close();
  if (words.flag("--json")) {
    db::JsonWriter out;
    out.object_begin()
        .field("sealed_rows", done.sealed_rows)
        .field("joined_segments", done.joined_segments)
        .field("joined_rows", done.joined_rows)
        .field("joined_bytes", done.joined_bytes)
        .field("present_segments", done.present_segments)
        .field("present_rows", done.present_rows)
        .field("past_segments", done.past_segments)
        .field("past_rows", done.past_rows)
        .field("swept_files", done.swept_files)
        .field("swept_bytes", done.swept_bytes)
        .field("stripped_files", done.stripped_files)
        .field("stripped_bytes", done.stripped_bytes)
        .object_end();
    sinks.out(out.text() + "\n");
    return kDone;
  }
  sinks.out(
      fmt::format("{}: {} sealed; {} of {} joined{}; {} of {} removed; {} shortened by {}\n",
                  files::shown_text(path), db::counted(done.sealed_rows, "row"),
                  db::counted(done.joined_segments, "segment"), db::size_text(done.joined_bytes),
                  sides_of(done), db::counted(done.swept_files, "unneeded file"),
                  db::size_text(done.swept_bytes), db::counted(done.stripped_files, "log file"),
                  db::size_text(done.stripped_bytes)));
  return kDone;
}

}  // namespace

Verb compact_verb() {
  return {.name = "compact",
          .summary =
              "Moves rows from the log into segments, joins these, and removes what nobody needs",
          .operands = {{"DB", "a database directory"}},
          .options = {{"--bytes-per-second", "N", "reads no more than so much of what it joins"},
                      {"--json", "", "one JSON object instead of text"}},
          .examples = {{"compact market.oto", "after many small commits"}},
          .details = {},
          .run = run_compact};
}

}  // namespace otolith::cli
