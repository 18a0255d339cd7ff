// `otolith verify DB`
#include <fmt/format.h>

#include <algorithm>

#include "cli/progress.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "files/table_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

namespace {

std::string report_json(const VerifyReport& report) {
  db::JsonWriter out;
  out.object_begin()
      .field("ok", report.ok())
      .field("segments", report.segments)
      .field("bytes", report.bytes)
      .field("commits", report.commits)
      .field("commits_unknown", report.commits_unknown);
  out.key("problems").array_begin();
  for (const Problem& problem : report.problems) {
    out.object_begin()
        .field("code", error_code_name(problem.code))
        .field("what", problem.what)
        .field("damage", problem.damage())
        .field("file", problem.where.file);
    out.key("offset");
    problem.where.offset ? out.value(*problem.where.offset) : out.null();
    out.key("commits").array_begin();
    for (const std::uint64_t commit : problem.where.commits) out.value(commit);
    out.array_end().object_end();
  }
  out.array_end().object_end();
  return out.text() + "\n";
}

std::string report_text(const std::string& path, const VerifyReport& report) {
  std::string out =
      fmt::format("{}: {} and {} read; {}\n", files::shown_text(path),
                  db::counted(report.segments, "segment"), db::size_text(report.bytes),
                  report.ok() ? "all is sound" : db::counted(report.problems.size(), "problem"));
  if (report.commits != 0) {
    out += fmt::format("the rows of {} hashed again", db::counted(report.commits, "commit"));
    if (report.commits_unknown != 0)
      out += fmt::format("; of {} it cannot be told", report.commits_unknown);
    out += "\n";
  }
  for (const Problem& problem : report.problems) {
    out += fmt::format("{}: {}\n", problem.damage() ? "damage" : "not read",
                       Error(problem.code, problem.what, problem.where).what());
  }
  return out;
}

// A database that does not open for damage is a finding too.
VerifyReport verify(const std::string& path, bool history, const Sinks& sinks) {
  ProgressLine progress(sinks, "verify", "bytes");
  VerifyReport report;
  try {
    const Database database = Database::open(path, {.create = false, .read_only = true});
    report = database.verify(progress.callback(), history);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    report.problems.push_back(Problem::of(error));
  }
  progress.clear();
  return report;
}

int run_verify(const Words& words, const Sinks& sinks) {
  const std::string path = words.operand("DB");
  const VerifyReport report = verify(path, words.flag("--history"), sinks);
  sinks.out(words.flag("--json") ? report_json(report) : report_text(path, report));
  if (report.ok()) return kDone;
  return std::ranges::any_of(report.problems, &Problem::damage) ? kBad : kError;
}

}  // namespace

Verb verify_verb() {
  return {.name = "verify",
          .summary = "Reads and checks every byte: log, chain, segments",
          .operands = {{"DB", "a database directory"}},
          .options = {{"--history", "", "also hash the rows of every commit again"},
                      {"--json", "", "one JSON object instead of text"}},
          .examples = {{"verify market.oto", "exit code 1 where there is damage"},
                       {"verify market.oto --history", "finds rows changed with their checksums"}},
          .details =
              "Checksums find what broke; --history holds the rows of every commit against "
              "its hash, and names the commit and the table.",
          .run = run_verify};
}

}  // namespace otolith::cli
