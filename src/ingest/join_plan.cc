#include "ingest/join_plan.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::ingest {

namespace {

constexpr std::uint64_t kTier = 2;  // an older segment this many times as large is left alone
constexpr std::uint64_t kRowBytes = kJoinBytesMax / kJoinRowsMax;

// In rows; bytes count as the rows that as many may have.
std::uint64_t size_of(const history::SegmentEntry& entry) {
  return std::max(entry.ref.rows, entry.ref.bytes / kRowBytes);
}

bool small(std::uint64_t size) { return size < kJoinRowsMax; }

// Segments that are to be one, of which there may be one yet.
struct Tier {
  std::uint64_t size = 0;
  JoinGroup segments;
};

bool belong_together(const Tier& older, const Tier& newer, std::size_t together_max) {
  const bool alike = older.size < kTier * newer.size || mutant("join-without-tiers");
  return small(older.size) && small(newer.size) && alike &&
         older.segments.size() + newer.segments.size() <= together_max;
}

}  // namespace

std::vector<JoinGroup> join_plan(std::vector<history::SegmentEntry> segments,
                                 std::size_t together_max) {
  std::ranges::sort(segments, {}, [](const history::SegmentEntry& entry) {
    return std::tuple(entry.begin_first, entry.begin_last, entry.ref.id);
  });
  std::vector<Tier> tiers;
  for (const history::SegmentEntry& entry : segments) {
    if (!small(size_of(entry))) continue;
    tiers.push_back({size_of(entry), {entry}});
    while (tiers.size() > 1) {
      Tier& older = tiers[tiers.size() - 2];
      Tier& newer = tiers.back();
      if (!belong_together(older, newer, together_max)) break;
      older.size += newer.size;
      older.segments.insert(older.segments.end(), newer.segments.begin(), newer.segments.end());
      tiers.pop_back();
    }
  }
  std::vector<JoinGroup> out;
  for (Tier& tier : tiers) {
    if (tier.segments.size() > 1) out.push_back(std::move(tier.segments));
  }
  return out;
}

std::uint64_t bytes_of(const JoinGroup& group) noexcept {
  std::uint64_t bytes = 0;
  for (const history::SegmentEntry& entry : group) bytes += entry.ref.bytes;
  return bytes;
}

std::uint64_t rows_of(const JoinGroup& group) noexcept {
  std::uint64_t rows = 0;
  for (const history::SegmentEntry& entry : group) rows += entry.ref.rows;
  return rows;
}

}  // namespace otolith::ingest
