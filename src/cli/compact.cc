#include "cli/compact.h"

#include <fmt/format.h>

#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

int compact_run(const CompactArguments& arguments, const Sinks& sinks) {
  Database database = Database::open(arguments.path, {.create = false});
  const CompactReport done = database.compact();
  database.close();
  if (arguments.json) {
    db::JsonWriter out;
    out.object_begin()
        .field("sealed_rows", done.sealed_rows)
        .field("swept_files", done.swept_files)
        .field("swept_bytes", done.swept_bytes)
        .object_end();
    sinks.out(out.text() + "\n");
    return kDone;
  }
  sinks.out(fmt::format("{}: {} sealed; {} of {} removed\n", db::harmless(arguments.path),
                        db::counted(done.sealed_rows, "row"),
                        db::counted(done.swept_files, "unneeded file"),
                        db::size_text(done.swept_bytes)));
  return kDone;
}

}  // namespace otolith::cli
