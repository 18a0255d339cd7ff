#include "cli/progress.h"

#include <fmt/format.h>

#include <utility>

#include "db/inspection_words.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kDrawEveryNs = 150'000'000;
constexpr double kSecond = 1e9;

}  // namespace

ProgressLine::ProgressLine(const Sinks& sinks, std::string verb, std::string unit)
    : sinks_(sinks),
      verb_(std::move(verb)),
      unit_(std::move(unit)),
      began_ns_(clock_->monotonic_ns()) {}

double ProgressLine::seconds() const {
  return static_cast<double>(clock_->monotonic_ns() - began_ns_) / kSecond;
}

std::string ProgressLine::amount(double count) const {
  if (unit_ == "bytes") return db::size_text(static_cast<std::uint64_t>(count));
  return fmt::format("{:.0f} {}", count, unit_);
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total) {
  if (sinks_.tick) sinks_.tick();
  if (!sinks_.err_is_terminal) return;
  const std::uint64_t now_ns = clock_->monotonic_ns();
  if (now_ns - drawn_ns_ < kDrawEveryNs || now_ns - began_ns_ < kDrawEveryNs) return;
  drawn_ns_ = now_ns;
  shown_ = true;
  const double rate = static_cast<double>(done) / seconds();
  std::string line = fmt::format("\r\x1b[K{}: ", verb_);
  if (total == 0) {
    line += amount(static_cast<double>(done));
  } else {
    line += fmt::format("{} % of {}", done * 100 / total, amount(static_cast<double>(total)));
  }
  if (done != 0) line += fmt::format(", {}/s", amount(rate));
  if (done != 0 && total >= done)
    line += fmt::format(", {:.0f} s left", static_cast<double>(total - done) / rate);
  sinks_.err(line);
}

void ProgressLine::clear() {
  if (std::exchange(shown_, false)) sinks_.err("\r\x1b[K");
}

Progress ProgressLine::callback() {
  return [this](std::uint64_t done, std::uint64_t total) { update(done, total); };
}

}  // namespace otolith::cli
