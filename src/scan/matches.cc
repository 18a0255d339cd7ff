#include "scan/matches.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "base/mutant.h"
#include "model/compare.h"
#include "scan/filter.h"
#include "scan/first_rows.h"
#include "scan/merge.h"
#include "scan/prune.h"
#include "scan/source_filter.h"
#include "scan/walk.h"
#include "segment/layout.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

using Runs = std::vector<history::MarkRun>;

void add_run(Runs& runs, CommitNumber begin, std::uint64_t first, std::uint64_t count) {
  if (!runs.empty() && runs.back().begin == begin &&
      runs.back().first + runs.back().count == first) {
    runs.back().count += count;
  } else {
    runs.push_back({begin, first, count, false});
  }
}

// Row ids of a part whose rows are of many commits: its begins and ordinals are read.
void add_stored_ids(const RowSource& source, const Selected& part, CommitNumber after, Runs& runs) {
  const std::uint64_t from = part.ranges.front().first;
  const std::uint64_t span = part.ranges.back().end() - from;
  const Array begins = source.values(part.piece, segment::kBeginColumn, from, span);
  const Array ordinals = source.values(part.piece, segment::kOrdinalColumn, from, span);
  for (const RowRange& range : part.ranges) {
    for (std::uint64_t row = range.first - from; row < range.end() - from; ++row) {
      const CommitNumber begin{begins.value<std::uint64_t>(row)};
      if (begin > after) add_run(runs, begin, ordinals.value<std::uint64_t>(row), 1);
    }
  }
}

void add_ids(const RowSource& source, const Selected& part, CommitNumber after, Runs& runs) {
  if (part.ranges.empty()) return;
  if (!source.begin()) return add_stored_ids(source, part, after, runs);
  const std::uint64_t ordinal = source.pieces()[part.piece].first_ordinal;
  runs.reserve(runs.size() + part.ranges.size());
  for (const RowRange& range : part.ranges) {
    add_run(runs, *source.begin(), ordinal + range.first, range.count);
  }
}

Runs joined(std::vector<Runs> parts) {
  Runs all;
  if (parts.size() == 1) {
    all = std::move(parts.front());
  } else {
    std::size_t count = 0;
    for (const Runs& part : parts) count += part.size();
    all.reserve(count);
    for (const Runs& part : parts) all.insert(all.end(), part.begin(), part.end());
  }
  const auto id = [](const history::MarkRun& run) { return std::tuple(run.begin, run.first); };
  if (!std::ranges::is_sorted(all, {}, id)) std::ranges::sort(all, {}, id);
  std::size_t kept = 0;  // in place: there may be millions
  for (const history::MarkRun& run : all) {
    history::MarkRun* const last = kept == 0 ? nullptr : &all[kept - 1];
    if (last != nullptr && last->begin == run.begin && last->first + last->count == run.first) {
      last->count += run.count;
    } else {
      all[kept++] = run;
    }
  }
  all.resize(kept);
  return all;
}

// One look for rows.
class Search {
 public:
  Search(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
         const history::DatasetEntry& dataset, const ReadRequest& request, CommitNumber after)
      : context_(context), schema_(dataset.schema), after_(after) {
    Wanted wanted = wanted_of(request, *schema_);
    wanted.begun_after = after;
    if (request.where) filter_.emplace(*request.where, schema_);
    walk_.emplace(context.store, snapshot, dataset, std::move(wanted), false);
  }

  Runs run() {
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
    for (const std::vector<Unit>& units : wave) take_ids(units);
  }

  void take_ids(std::span<const Unit> units) {
    std::vector<std::pair<const RowSource*, const Selected*>> parts;
    for (const Unit& unit : units) {
      for (const Selected& part : unit.parts) parts.emplace_back(unit.source.get(), &part);
    }
    const std::size_t first = found_.size();
    found_.resize(first + parts.size());
    segment::run_tasks(segment::threads_worth(context_.threads, rows_in(units)), parts.size(),
                       [&](unsigned, std::size_t i) {
                         add_ids(*parts[i].first, *parts[i].second, after_, found_[first + i]);
                       });
  }

  // Of rows that share keys and time the one that is shown decides for all of them.
  void keep_groups(std::vector<Unit>& cluster) {
    const std::vector<bool> chosen = chosen_of(cluster);
    std::uint64_t row = 0;
    for (Unit& unit : cluster) {
      unit.rows = 0;
      for (Selected& part : unit.parts) {
        RowRanges kept;
        for (const RowRange& range : part.ranges) {
          for (std::uint64_t at = range.first; at < range.end(); ++at) {
            if (chosen[row++]) append_range(kept, at, 1);
          }
        }
        part.ranges = std::move(kept);
        unit.rows += rows_in(part.ranges);
      }
    }
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
    Schema keeping = *schema_;
    keeping.duplicates = Duplicates::keep;
    io::Scratch scratch;
    auto order = merge(cluster, {&keeping, kOrder}, context_.threads, scratch);
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
  std::optional<Filter> filter_;
  std::optional<Walk> walk_;
  std::vector<Runs> found_;
};

}  // namespace

bool matches_by_row(const ReadRequest& request, const std::shared_ptr<const Schema>& schema) {
  return !request.where || !Filter(*request.where, schema).after_policy();
}

std::vector<history::MarkRun> matching_ids(const ScanContext& context,
                                           const std::shared_ptr<const history::Snapshot>& snapshot,
                                           const history::DatasetEntry& dataset,
                                           const ReadRequest& request, CommitNumber after) {
  return Search(context, snapshot, dataset, request, after).run();
}

RowRanges matching_rows(const Batch& batch, const ReadRequest& request) {
  if (batch.rows == 0) return {};
  const auto source = batch_source(batch);
  Wanted wanted = wanted_of(request, *batch.schema);
  for (KeyTest& key : wanted.keys) key.leads = false;  // the rows came in any order
  RowRanges rows = prune(*source, 0, wanted, {{0, batch.rows}});
  if (!request.where || rows.empty()) return rows;
  const Condition condition = condition_of(*request.where, *batch.schema);
  return SourceFilter(condition, *batch.schema, *source).rows(0, rows);
}

}  // namespace otolith::scan
