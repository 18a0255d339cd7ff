#include "db/by_time.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.h"

namespace otolith::db {

namespace {

constexpr std::uint64_t kCutFrom = 4096;  // places; fewer are not worth a cut

}  // namespace

bool ByTime::before(const Place& a, const Place& b, bool reverse) {
  const auto left = std::tie(a.time, a.id);
  const auto right = std::tie(b.time, b.id);
  return reverse ? right < left : left < right;
}

void ByTime::add(Timestamp time, std::string_view id) {
  kept_.push_back({time, std::string(id)});
  bytes_ += sizeof(Kept) + id.size();
  if (kept_.size() >= kCutFrom && kept_.size() / 2 >= bounds_.limit) cut();
  if (bytes_ <= bounds_.bytes_max) return;
  throw_error(ErrorCode::limit,
              "finding documents by time keeps their ids, more than {} bytes of {} documents; give "
              "a limit, a narrower start and stop or a condition, raise memory_bytes, or find them "
              "by id",
              bounds_.bytes_max, kept_.size());
}

void ByTime::cut() {
  const auto first = [this](const Kept& a, const Kept& b) {
    return before({a.time, a.id}, {b.time, b.id}, bounds_.reverse);
  };
  if (bounds_.limit >= kept_.size()) {
    std::ranges::sort(kept_, first);
    return;
  }
  const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(bounds_.limit);
  std::ranges::partial_sort(kept_, end, first);
  kept_.erase(end, kept_.end());
  bytes_ = 0;
  for (const Kept& place : kept_) bytes_ += sizeof(Kept) + place.id.size();
}

std::deque<std::string> ByTime::take() {
  cut();
  std::deque<std::string> out;
  for (Kept& place : std::exchange(kept_, {})) out.push_back(std::move(place.id));
  return out;
}

}  // namespace otolith::db
