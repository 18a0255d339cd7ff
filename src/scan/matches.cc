#include "scan/matches.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "base/mutant.h"
#include "model/compare.h"
#include "scan/filter.h"
#include "scan/first_rows.h"
#include "scan/merge.h"
#include "scan/policy.h"
#include "scan/prune.h"
#include "scan/source_filter.h"
#include "scan/walk.h"
#include "segment/layout.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

using history::MarkList;
using history::MarkSet;

// Row ids of a part whose rows are of many commits: its begins and ordinals are read.
std::vector<MarkSet> stored_ids(const RowSource& source, const Selected& part, CommitNumber after) {
  const std::uint64_t from = part.ranges.first_row();
  const std::uint64_t span = part.ranges.end_row() - from;
  const Array begins = source.values(part.piece, segment::kBeginColumn, from, span);
  const Array ordinals = source.values(part.piece, segment::kOrdinalColumn, from, span);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ids;
  for (const RowRange& range : part.ranges) {
    for (std::uint64_t row = range.first - from; row < range.end() - from; ++row) {
      const auto begin = begins.value<std::uint64_t>(row);
      if (begin > value_of(after)) ids.emplace_back(begin, ordinals.value<std::uint64_t>(row));
    }
  }
  std::ranges::sort(ids);
  std::vector<MarkSet> out;
  for (const auto& [begin, ordinal] : ids) {
    if (out.empty() || out.back().begin != CommitNumber{begin})
      out.push_back({CommitNumber{begin}, false, {}});
    out.back().rows.append({ordinal, 1});
  }
  return out;
}

std::vector<MarkSet> ids_of(const RowSource& source, const Selected& part, CommitNumber after) {
  if (part.ranges.empty()) return {};
  if (!source.begin()) return stored_ids(source, part, after);
  const std::uint64_t ordinal = source.pieces()[part.piece].first_ordinal;
  std::vector<MarkSet> out;
  out.push_back({*source.begin(), false, part.ranges.moved(ordinal)});
  return out;
}

// Parts of one begin come in any order. Those of segments that hold many commits may lie among each
// other.
MarkList joined(std::vector<MarkSet> parts) {
  std::ranges::sort(parts, {},
                    [](const MarkSet& set) { return std::tuple(set.begin, set.rows.first_row()); });
  MarkList out;
  MarkSet of_begin;
  for (MarkSet& part : parts) {
    if (part.begin != of_begin.begin)
      out.append(std::exchange(of_begin, std::move(part)));
    else if (part.rows.first_row() >= of_begin.rows.end_row())
      of_begin.rows.append(part.rows);
    else
      of_begin.rows = united(of_begin.rows, part.rows);
  }
  out.append(std::move(of_begin));
  return out;
}

// One look for rows.
class Search {
 public:
  Search(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
         const history::DatasetEntry& dataset, const ReadRequest& request, CommitNumber after,
         bool shown_only)
      : context_(context), schema_(dataset.schema), after_(after), shown_only_(shown_only) {
    Wanted wanted = wanted_of(request, *schema_);
    wanted.begun_after = after;
    if (request.where) filter_.emplace(*request.where, schema_);
    walk_.emplace(context.store, snapshot, dataset, std::move(wanted), false);
  }

  MarkList run() {
    for (bool more = true; more;) {
      std::vector<std::vector<Unit>> wave;
      std::uint64_t rows = 0;
      while (rows < kWaveRows) {
        wave.push_back(walk_->next());
        more = !wave.back().empty();
        if (!more) break;
        rows += rows_in(wave.back());
      }
      take(wave);
    }
    return joined(std::move(found_));
  }

 private:
  void take(std::vector<std::vector<Unit>>& wave) {
    const bool groups = filter_ && filter_->after_policy() && !mutant("delete-by-hidden-rows");
    if (filter_ && !groups) filter_->keep(wave, context_.threads);
    if (groups) {
      for (std::vector<Unit>& units : wave) {
        for (std::vector<Unit>& cluster : clusters_of(std::move(units), {schema_.get(), kOrder}))
          keep_groups(cluster);
      }
      return;
    }
    for (std::vector<Unit>& units : wave) {
      if (shown_only_) hide_duplicates(units, *schema_, context_.threads);
      take_ids(units);
    }
  }

  void take_ids(std::span<const Unit> units) {
    std::vector<std::pair<const RowSource*, const Selected*>> parts;
    for (const Unit& unit : units) {
      for (const Selected& part : unit.parts) parts.emplace_back(unit.source.get(), &part);
    }
    std::vector<std::vector<MarkSet>> found(parts.size());
    segment::run_tasks(segment::threads_worth(context_.threads, rows_in(units)), parts.size(),
                       [&](unsigned, std::size_t i) {
                         found[i] = ids_of(*parts[i].first, *parts[i].second, after_);
                       });
    for (std::vector<MarkSet>& sets : found) std::ranges::move(sets, std::back_inserter(found_));
  }

  // Of rows that share keys and time the one that is shown decides for all of them.
  void keep_groups(std::vector<Unit>& cluster) {
    keep_chosen(cluster, chosen_of(cluster));
    take_ids(cluster);
  }

  std::vector<bool> chosen_of(const std::vector<Unit>& cluster) const {
    const std::vector<std::uint32_t> order = stored_order(cluster);
    std::vector<bool> passes;
    for (const Unit& unit : cluster) {
      const std::vector<bool> of_unit = filter_->passes(unit);
      passes.insert(passes.end(), of_unit.begin(), of_unit.end());
    }
    const std::vector<Array> same = key_columns(cluster);
    std::vector<const Array*> columns;
    for (const Array& column : same) columns.push_back(&column);
    std::vector<bool> chosen(order.size());
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      for (end = begin + 1; end < order.size(); ++end) {
        if (model::row_compare(columns, order[begin], columns, order[end]) != 0) break;
      }
      const bool last = schema_->duplicates == Duplicates::last;
      if (!passes[order[last ? end - 1 : begin]]) continue;
      for (std::size_t i = begin; i < end; ++i) chosen[order[i]] = true;
    }
    return chosen;
  }

  // All rows of a cluster, hidden ones too.
  std::vector<std::uint32_t> stored_order(const std::vector<Unit>& cluster) const {
    io::Scratch scratch;
    auto order = merge(cluster, {schema_.get(), kOrder, false}, context_.threads, scratch);
    if (order) return *std::move(order);
    std::vector<std::uint32_t> as_it_is(rows_in(cluster));
    for (std::uint32_t i = 0; i < as_it_is.size(); ++i) as_it_is[i] = i;
    return as_it_is;
  }

  std::vector<Array> key_columns(const std::vector<Unit>& cluster) const {
    std::vector<std::size_t> columns = schema_->key_indexes();
    columns.push_back(schema_->time_index());
    std::vector<Array> out;
    for (const std::size_t column : columns) {
      io::Scratch memory;
      out.push_back(units_values(cluster, schema_->columns[column], context_.threads, memory));
    }
    return out;
  }

  static constexpr Order kOrder = Order::stored;

  const ScanContext& context_;
  const std::shared_ptr<const Schema> schema_;
  const CommitNumber after_;
  const bool shown_only_;
  std::optional<Filter> filter_;
  std::optional<Walk> walk_;
  std::vector<MarkSet> found_;
};

}  // namespace

bool matches_by_row(const ReadRequest& request, const std::shared_ptr<const Schema>& schema) {
  return !request.where || !Filter(*request.where, schema).after_policy();
}

MarkList matching_ids(const ScanContext& context,
                      const std::shared_ptr<const history::Snapshot>& snapshot,
                      const history::DatasetEntry& dataset, const ReadRequest& request,
                      CommitNumber after) {
  return Search(context, snapshot, dataset, request, after, false).run();
}

MarkList shown_ids(const ScanContext& context,
                   const std::shared_ptr<const history::Snapshot>& snapshot,
                   const history::DatasetEntry& dataset, const ReadRequest& request) {
  return Search(context, snapshot, dataset, request, {}, true).run();
}

RowSet matching_rows(const Batch& batch, const ReadRequest& request) {
  if (batch.rows == 0) return {};
  const auto source = batch_source(batch);
  Wanted wanted = wanted_of(request, *batch.schema);
  for (KeyTest& key : wanted.keys) key.leads = false;  // the rows came in any order
  RowSet rows = prune(*source, 0, wanted, {{0, batch.rows}});
  if (!request.where || rows.empty()) return rows;
  const Condition condition = condition_of(*request.where, *batch.schema);
  return SourceFilter(condition, *batch.schema, *source).rows(0, rows);
}

}  // namespace otolith::scan
