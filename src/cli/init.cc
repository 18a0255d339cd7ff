// `otolith init DB`
#include <fmt/format.h>

#include "cli/verbs.h"
#include "files/table_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

namespace {

bool is_there(const std::string& path) {
  try {
    Database::open(path, {.create = false, .read_only = true});
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found || error.code() == ErrorCode::invalid_argument)
      return false;
    throw;
  }
}

int run_init(const Words& words, const Sinks& sinks) {
  const std::string path = words.operand("DB");
  const bool there = is_there(path);
  Database database = Database::open(path);
  database.close();
  sinks.out(fmt::format("{}: {}\n", files::shown_text(path),
                        there ? "is a database already; nothing was changed" : "made"));
  return kDone;
}

}  // namespace

Verb init_verb() {
  return {.name = "init",
          .summary = "Makes an empty database",
          .operands = {{"DB", "the directory to make; by custom its name ends in .oto"}},
          .options = {},
          .examples = {{"init market.oto", "an empty database"}},
          .details = {},
          .run = run_init};
}

}  // namespace otolith::cli
