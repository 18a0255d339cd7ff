#include "scan/unique.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "scan/merge.h"
#include "scan/prune.h"
#include "scan/row_ids.h"
#include "scan/together.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

using Units = std::vector<Unit>;

// Key columns, then time.
std::vector<std::size_t> same_columns(const Schema& schema) {
  std::vector<std::size_t> out = schema.key_indexes();
  out.push_back(schema.time_index());
  return out;
}

// All rows of a source by bucket; a run within one is a unit.
std::map<std::int64_t, Units> by_bucket(const std::shared_ptr<const RowSource>& source) {
  std::map<std::int64_t, Units> out;
  std::map<std::pair<std::int64_t, std::uint32_t>, std::size_t> place;
  for (std::size_t piece = 0; piece < source->pieces().size(); ++piece) {
    const Piece& of = source->pieces()[piece];
    Units& units = out[of.bucket];
    const auto [at, fresh] = place.try_emplace({of.bucket, of.run}, units.size());
    if (fresh) units.push_back({source, {}, 0, of.time_min, of.time_max});
    Unit& unit = units[at->second];
    unit.parts.push_back({piece, {{0, of.rows}}});
    unit.rows += of.rows;
    unit.time_min = std::min(unit.time_min, of.time_min);
    unit.time_max = std::max(unit.time_max, of.time_max);
  }
  return out;
}

// ---- against what is there --------------------------------------------------------------------

bool is_ended(const history::MarkList& ended, CommitNumber begin, std::uint64_t ordinal) {
  const auto sets = std::ranges::equal_range(ended.sets(), begin, {}, &history::MarkSet::begin);
  return std::ranges::any_of(
      sets, [&](const history::MarkSet& set) { return !set.revive && set.rows.contains(ordinal); });
}

class Against {
 public:
  Against(const ScanContext& context, const history::DatasetEntry& dataset, CommitNumber after,
          const history::MarkList& ended)
      : context_(context), dataset_(dataset), after_(after), ended_(ended) {}

  // Of one partition.
  void check(Units there, const Units& added) const {
    const RowSource* fresh = added.front().source.get();
    for (const Unit& unit : added) there.push_back(unit);
    for (Units& cluster : clusters_of(std::move(there), {dataset_.schema.get(), Order::time})) {
      Units news;
      Units olds;
      for (Unit& unit : cluster)
        (unit.source.get() == fresh ? news : olds).push_back(std::move(unit));
      if (!news.empty() && !olds.empty()) meet(std::move(news), std::move(olds));
    }
  }

 private:
  void meet(Units added, Units there) const {
    if (rows_in(added) <= kLookedUpRowsMax) look_up(there, added, *dataset_.schema);
    if (there.empty()) return;
    const std::size_t news = added.size();
    Units all = std::move(added);
    std::ranges::move(there, std::back_inserter(all));
    const Together together(context_, dataset_, all);
    std::vector<std::optional<RowIds>> ids(all.size());
    together.groups(2, [&](std::span<const std::uint64_t> group) {
      const bool any_new = std::ranges::any_of(
          group, [&](std::uint64_t row) { return together.unit_of(row) < news; });
      if (!any_new) return;
      for (const std::uint64_t row : group) {
        const std::size_t unit = together.unit_of(row);
        if (unit < news) continue;
        if (!ids[unit]) ids[unit].emplace(all[unit]);
        refuse(together, row, *ids[unit]);
      }
    });
  }

  void refuse(const Together& together, std::uint64_t row, const RowIds& ids) const {
    const std::uint64_t place = together.place_of(row);
    const CommitNumber begin = ids.begin(place);
    if (begin <= after_) return;
    if (is_ended(ended_, begin, ids.ordinal(place)) && !mutant("unique-counts-ended")) return;
    throw Error(
        ErrorCode::conflict,
        fmt::format("{} has a row{} already, from commit {}, and takes each once "
                    "(duplicates=\"error\"); nothing was committed: leave the row out, or replace "
                    "the one that is there",
                    quoted(dataset_.name), together.text(row), value_of(begin)),
        ErrorWhere{{}, std::nullopt, {value_of(begin)}});
  }

  const ScanContext& context_;
  const history::DatasetEntry& dataset_;
  const CommitNumber after_;
  const history::MarkList& ended_;
};

bool same_key_types(const Schema& a, const Schema& b) {
  const auto types = [](const Schema& schema) {
    std::vector<std::pair<std::uint32_t, Type>> out;
    for (const std::size_t at : same_columns(schema))
      out.emplace_back(schema.columns[at].id, schema.columns[at].type);
    return out;
  };
  return types(a) == types(b);
}

}  // namespace

void check_among(const ScanContext& context, const history::DatasetEntry& dataset,
                 const NewRows& rows) {
  for (auto& [bucket, units] : by_bucket(rows.open())) {
    for (const Units& cluster :
         clusters_of(std::move(units), {dataset.schema.get(), Order::time})) {
      const Together together(context, dataset, cluster);
      together.groups(2, [&](std::span<const std::uint64_t> group) {
        throw_error(ErrorCode::conflict,
                    "two rows for {}{} are in one commit, and it takes each once "
                    "(duplicates=\"error\"); nothing was committed: leave one out",
                    quoted(dataset.name), together.text(group.front()));
      });
    }
  }
}

void check_against(const ScanContext& context,
                   const std::shared_ptr<const history::Snapshot>& snapshot,
                   const history::DatasetEntry& dataset, const NewRows& rows, CommitNumber after,
                   const history::MarkList& ended) {
  if (!same_key_types(*rows.schema, *dataset.schema)) return;
  ReadRequest overlap{.start = rows.time_min, .columns = std::vector<std::string>{}};
  if (rows.time_max < kTimestampMax) overlap.stop = Timestamp{rows.time_max.ns + 1};
  Wanted wanted = wanted_of(overlap, *dataset.schema);
  wanted.begun_after = after;
  Walk walk(context.store, snapshot, dataset, std::move(wanted), false);
  std::map<std::int64_t, Units> added;
  const Against against(context, dataset, after, ended);
  for (Units units = walk.next(); !units.empty(); units = walk.next()) {
    if (added.empty()) added = by_bucket(rows.open());
    const Unit& first = units.front();
    const auto of_new = added.find(first.source->pieces()[first.parts.front().piece].bucket);
    if (of_new != added.end()) against.check(std::move(units), of_new->second);
  }
}

}  // namespace otolith::scan
