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
std::uint64_t size_of(const JoinGroup& group) {
  std::uint64_t size = 0;
  for (const history::SegmentEntry& entry : group)
    size += std::max(entry.ref.rows, entry.ref.bytes / kRowBytes);
  return size;
}

bool small(std::uint64_t size, const SegmentSizes& sizes) {
  return size < (sizes.bytes == 0 ? kJoinRowsMax : sizes.bytes / kRowBytes);
}

// What one join made of one side has one range of commits; no other segment of many has it.
auto family_of(const history::SegmentEntry& entry) {
  const bool alone = entry.side == history::Side::mixed || mutant("join-without-siblings");
  return std::tuple(entry.begin_first, entry.begin_last, entry.side, entry.base,
                    alone ? entry.ref.id : Id128{});
}

// Segments that are to be one, of which there may be one yet.
struct Tier {
  std::uint64_t size = 0;
  JoinGroup segments;
};

bool alike(const Tier& older, const Tier& newer) {
  return older.size < kTier * newer.size || mutant("join-without-tiers");
}

// Whole families, and more than one of them.
bool joins_some(const JoinGroup& group) { return siblings_of(group).size() > 1; }

}  // namespace

std::vector<JoinGroup> siblings_of(std::vector<history::SegmentEntry> segments) {
  std::ranges::sort(segments, {}, [](const history::SegmentEntry& entry) {
    return std::tuple_cat(family_of(entry), std::tuple(entry.ref.id));
  });
  std::vector<JoinGroup> out;
  for (history::SegmentEntry& entry : segments) {
    if (out.empty() || family_of(out.back().front()) != family_of(entry)) out.emplace_back();
    out.back().push_back(std::move(entry));
  }
  return out;
}

std::uint64_t pieces_of(std::uint64_t rows, std::uint64_t bytes,
                        const SegmentSizes& sizes) noexcept {
  const std::uint64_t by_bytes = sizes.bytes == 0 ? 1 : (bytes + sizes.bytes - 1) / sizes.bytes;
  const std::uint64_t wanted = std::max<std::uint64_t>(by_bytes, sizes.spread);
  return std::clamp<std::uint64_t>(std::min<std::uint64_t>(wanted, kSpreadMax), 1,
                                   std::max<std::uint64_t>(rows / kSpreadRowsMin, 1));
}

// Far more, or fewer: what is written anew for less would be again, at other sizes.
bool worth_cutting_anew(const JoinGroup& siblings, const SegmentSizes& sizes) noexcept {
  const std::uint64_t files = siblings.size();
  const std::uint64_t rows = rows_of(siblings);
  const std::uint64_t bytes = bytes_of(siblings);
  if (files >= 2 * pieces_of(rows, bytes, sizes)) return true;
  const bool large = sizes.bytes != 0 && bytes >= 2 * files * sizes.bytes;
  return 2 * files <= pieces_of(rows, large ? bytes : 0, sizes);
}

std::vector<JoinGroup> join_plan(std::vector<history::SegmentEntry> segments,
                                 std::size_t together_max, const SegmentSizes& sizes) {
  std::vector<Tier> tiers;
  for (JoinGroup& siblings : siblings_of(std::move(segments))) {
    const std::uint64_t size = size_of(siblings);
    if (!small(size, sizes)) continue;
    tiers.push_back({size, std::move(siblings)});
    while (tiers.size() > 1) {
      Tier& older = tiers[tiers.size() - 2];
      Tier& newer = tiers.back();
      const bool fit = older.segments.size() + newer.segments.size() <= together_max;
      if (!fit || !alike(older, newer) || !small(older.size, sizes) || !small(newer.size, sizes))
        break;
      older.size += newer.size;
      older.segments.insert(older.segments.end(), newer.segments.begin(), newer.segments.end());
      tiers.pop_back();
    }
  }
  std::vector<JoinGroup> out;
  for (Tier& tier : tiers) {
    if (joins_some(tier.segments)) out.push_back(std::move(tier.segments));
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
