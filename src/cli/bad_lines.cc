#include "cli/bad_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "files/table_writer.h"
#include "io/posix.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kToldMax = 5;  // on standard error; the rest is counted

}  // namespace

BadLines::BadLines(const Sinks& sinks, std::string policy)
    : sinks_(sinks), policy_(std::move(policy)) {
  if (policy_ != "stop" && policy_ != "skip") io::posix_vfs(policy_, {.create = true});
}

BadLines::Pair& BadLines::files_of(const std::string& file) {
  Pair& out = files_[file];
  if (out.lines) return out;
  std::string name = files::split_path(file).name;
  std::ranges::replace(name, '/', '_');
  if (name == "-") name = "input";
  const std::string path = policy_ + "/" + name;
  out.lines = std::make_unique<files::NewFile>(path + ".bad", true);
  out.reasons = std::make_unique<files::NewFile>(path + ".why", true);
  return out;
}

void BadLines::take(const files::LeftOut& line) {
  const std::string why = fmt::format("{}:{}: {}", line.file, line.line, line.why);
  if (stops()) {
    throw_error(ErrorCode::invalid_argument,
                "{}. Nothing was imported; --on-error skip leaves such lines out, --on-error DIR "
                "sets them aside",
                why);
  }
  if (++count_ <= kToldMax) sinks_.err(fmt::format("left out: {}\n", files::shown_text(why)));
  if (policy_ == "skip") return;
  Pair& to = files_of(line.file);
  to.lines->write(line.text);
  to.reasons->write(files::shown_text(why) + "\n");
}

void BadLines::finish() {
  if (count_ > kToldMax) sinks_.err(fmt::format("left out: {} lines in all\n", count_));
  for (auto& [file, pair] : files_) {
    pair.lines->finish();
    pair.reasons->finish();
    sinks_.err(fmt::format("set aside: {}/{}.bad, with the reasons beside it\n", policy_,
                           files::split_path(file).name));
  }
}

}  // namespace otolith::cli
