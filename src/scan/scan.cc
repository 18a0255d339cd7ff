#include "scan/scan.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>

#include "base/limits.h"
#include "base/stopping.h"
#include "model/gather.h"
#include "scan/filter.h"
#include "scan/first_rows.h"
#include "scan/materialize.h"
#include "scan/merge.h"
#include "scan/piece_keys.h"
#include "scan/policy.h"
#include "scan/prune.h"
#include "scan/walk.h"
#include "scan/whole.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

// What every step of one scan needs to know.
struct Plan {
  std::shared_ptr<const Schema> stored;  // of the snapshot
  std::shared_ptr<const Schema> result;
  std::vector<std::size_t> columns;  // of the result, in `stored`
  std::optional<Filter> filter;
  MergeRule rule;
  bool reverse = false;
  unsigned threads = 1;
  Whole* whole = nullptr;  // takes views of pieces, and gives batches without columns for them
};

std::shared_ptr<const Schema> result_schema(const Schema& stored,
                                            const std::vector<std::size_t>& columns) {
  Schema out = stored;
  out.columns.clear();
  for (const std::size_t column : columns) out.columns.push_back(stored.columns[column]);
  return std::make_shared<const Schema>(std::move(out));
}

// All columns of a batch, on several threads where it is large.
template <typename Make>
Batch batch_of(const Plan& plan, std::uint64_t rows, Make make) {
  Batch out{.schema = plan.result, .rows = rows, .columns = {}};
  out.columns.resize(plan.columns.size());
  const unsigned threads = segment::threads_worth(plan.threads, rows);
  segment::run_tasks(threads, plan.columns.size(), [&](unsigned, std::size_t i) {
    out.columns[i] = make(plan.stored->columns[plan.columns[i]]);
  });
  return out;
}

// One piece: a view where its rows lie side by side, else a copy of those wanted.
Batch batch_of_piece(const Plan& plan, const std::shared_ptr<const RowSource>& of,
                     const Selected& part) {
  const RowSource& source = *of;
  const RowSet& ranges = part.ranges;
  const std::uint64_t first = ranges.first_row();
  const std::uint64_t span = ranges.end_row() - first;
  if (ranges.is_range() && !plan.reverse) {
    if (plan.whole != nullptr) {
      plan.whole->add(of, part.piece, first, span);
      return {.schema = plan.result, .rows = span, .columns = {}};
    }
    return batch_of(plan, span, [&](const Column& column) {
      return piece_values(source, part.piece, column, first, span);
    });
  }
  if (!plan.reverse) {
    return batch_of(plan, ranges.rows(),
                    [&](const Column& column) { return selected_values(source, part, column); });
  }
  std::vector<std::uint32_t> last_first(ranges.rows());
  std::iota(last_first.rbegin(), last_first.rend(), 0u);
  return batch_of(plan, last_first.size(), [&](const Column& column) {
    return model::gather(selected_values(source, part, column), last_first);
  });
}

// The rows of one cluster, batch by batch.
class ClusterRows {
 public:
  ClusterRows(const Plan& plan, std::vector<Unit> cluster, io::Scratch& scratch)
      : plan_(plan),
        cluster_(std::move(cluster)),
        picks_(merge(cluster_, plan.rule, plan.threads, scratch)) {
    if (picks_ && plan.reverse) std::ranges::reverse(*picks_);
    if (!picks_ && plan.reverse && !cluster_.empty()) std::ranges::reverse(cluster_.front().parts);
  }

  /// The unit whose rows are all of them, in the order they have; nullptr where there is more to
  /// it.
  Unit* in_order() noexcept {
    return picks_ || plan_.reverse || cluster_.empty() ? nullptr : &cluster_.front();
  }
  bool untouched() const noexcept { return at_ == 0; }
  /// At most `limit` rows of those that a merge put in order, and none behind them; nullopt where
  /// it put none, and for those that were begun.
  std::optional<PickedRows> take_picked(std::uint64_t limit) {
    if (!picks_ || !untouched()) return std::nullopt;
    picks_->resize(std::min<std::uint64_t>(limit, picks_->size()));
    at_ = picks_->size();
    return PickedRows{std::move(cluster_), *std::exchange(picks_, Picks{})};
  }
  /// At most `limit` rows; nullopt at the end.
  std::optional<Batch> next(std::uint64_t limit) {
    return picks_ ? next_picks(limit) : next_part(limit);
  }

 private:
  std::optional<Batch> next_part(std::uint64_t limit) {
    if (cluster_.empty()) return std::nullopt;
    const Unit& unit = cluster_.front();
    if (at_ == unit.parts.size()) return std::nullopt;
    Selected part = unit.parts[at_++];
    if (limit != UINT64_MAX) {  // a condition may leave a range of every row
      part.ranges = plan_.reverse ? part.ranges.last_rows(limit) : part.ranges.first_rows(limit);
    }
    return batch_of_piece(plan_, unit.source, part);
  }

  std::optional<Batch> next_picks(std::uint64_t limit) {
    if (at_ == picks_->size()) return std::nullopt;
    const std::uint64_t rows =
        std::min({limit, picks_->size() - at_, std::uint64_t{kRowGroupRowsMax}});
    const std::span<const std::uint32_t> picks(picks_->data() + at_, rows);
    at_ += rows;
    if (columns_.empty()) load_columns();
    return batch_of(plan_, rows, [&](const Column& column) {
      return model::gather(columns_.at(column.id), picks);
    });
  }

  // The cluster's columns, read once and kept while its batches are made.
  void load_columns() {
    for (const std::size_t index : plan_.columns) {
      const Column& column = plan_.stored->columns[index];
      io::Scratch memory;
      columns_[column.id] = units_values(cluster_, column, plan_.threads, memory);
    }
  }

  using Picks = std::vector<std::uint32_t>;

  const Plan& plan_;
  std::vector<Unit> cluster_;
  std::optional<Picks> picks_;              // counted through the cluster's units
  std::map<std::uint32_t, Array> columns_;  // by column id
  std::size_t at_ = 0;                      // of the parts or of the picks
};

// Whether the duplicates policy has to come before the filter: where that asks about more than keys
// and time, and where rows that pass are counted against a limit.
bool hides_first(const std::optional<Filter>& filter, const Schema& schema, bool limited) {
  return filter && hides_rows(schema) && (filter->after_policy() || limited);
}

}  // namespace

struct Scan::State {
  Plan plan;
  Walk walk;
  std::uint64_t left;       // of the limit
  std::uint64_t wave_rows;  // filtered at once
  std::uint64_t step_rows;  // of a larger partition, filtered before the limit is asked again
  bool in_steps;            // a limit may end the filter before the end of a partition
  bool hide_first;          // the policy comes before the filter
  std::deque<std::vector<Unit>> clusters;
  std::deque<std::vector<Unit>> waiting;  // for the filter, behind all of them
  std::optional<ClusterRows> rows;
  io::Scratch scratch;  // of the merges
  Progress progress;
  std::uint64_t filtered = 0;  // rows that the filter was asked about

  // The life of a read: partition -> filter -> clusters -> rows in order -> batches.
  std::optional<Batch> next() {
    while (left != 0) {
      if (rows) {
        if (std::optional<Batch> batch = rows->next(left)) {
          left -= batch->rows;
          return batch;
        }
        rows.reset();
      }
      if (!next_cluster()) return std::nullopt;
    }
    return std::nullopt;
  }

  // What passes a filter in order is one batch; all else is what next() gives, decoded at once.
  std::vector<Batch> rest() {
    Whole whole(plan.result, plan.threads);
    plan.whole = &whole;
    std::optional<Stopping> telling;
    if (progress) {
      telling.emplace([this] {  // that all is done is said once
        if (filtered < walk.rows()) progress(filtered, walk.rows());
      });
    }
    std::vector<PieceRows> pieces;
    const auto flush = [&] {
      if (!pieces.empty())
        whole.add(materialize(pieces, result_columns(), plan.result, plan.threads));
      pieces.clear();
    };
    while (left != 0 && (rows || next_cluster())) {
      Unit* unit = rows->in_order();
      const bool in_order = unit != nullptr && rows->untouched();
      if (in_order && (plan.filter ? scattered(*unit) : cut_up(*unit))) {
        take_parts(*unit, pieces);
      } else {
        flush();
        take_batches(whole);
      }
      rows.reset();
    }
    flush();
    plan.whole = nullptr;
    telling.reset();
    return whole.finish(progress);
  }

 private:
  static bool scattered(const Unit& unit) noexcept {
    return std::ranges::any_of(unit.parts, [](const Selected& part) {
      return !part.ranges.is_range() || part.ranges.rows() < kPageRowsMax;
    });
  }

  // Rows were ended in most pieces: of those no view can be had.
  static bool cut_up(const Unit& unit) noexcept {
    const auto cut = std::ranges::count_if(
        unit.parts, [](const Selected& part) { return !part.ranges.is_range(); });
    return 2 * static_cast<std::size_t>(cut) > unit.parts.size();
  }

  void take_batches(Whole& whole) {
    if (std::optional<PickedRows> picked = rows->take_picked(left)) {
      left -= picked->rows.size();
      return whole.add(*std::move(picked));
    }
    while (left != 0) {
      const std::size_t before = whole.batches();
      auto batch = rows->next(left);
      if (!batch) return;
      left -= batch->rows;
      if (whole.batches() == before) whole.add(*std::move(batch));
    }
  }

  // Without a limit nothing is counted here: there may be a range for every row.
  void take_parts(Unit& unit, std::vector<PieceRows>& pieces) {
    for (Selected& part : unit.parts) {
      if (left == 0) return;
      pieces.push_back({unit.source, part.piece, std::move(part.ranges)});
      if (left == UINT64_MAX) continue;
      RowSet& ranges = pieces.back().ranges;
      ranges = ranges.first_rows(left);
      left -= ranges.rows();
    }
  }

  std::vector<Column> result_columns() const {
    std::vector<Column> out;
    for (const std::size_t column : plan.columns) out.push_back(plan.stored->columns[column]);
    return out;
  }

  bool next_cluster() {
    while (clusters.empty()) {
      if (!waiting.empty()) {
        filter_step();
      } else if (!next_wave()) {
        return false;
      }
    }
    std::vector<Unit> cluster = std::move(clusters.front());
    clusters.pop_front();
    if (ends_only()) keep_ends_of_keys(cluster, *plan.stored, {left, plan.reverse}, plan.threads);
    rows.emplace(plan, std::move(cluster), scratch);
    return true;
  }

  // Rows of a limit that come by time out of many keys: of each key no more than the limit count,
  // where none of them may still be hidden.
  bool ends_only() const noexcept {
    const bool hides = plan.rule.hide && hides_rows(*plan.stored);
    return left != UINT64_MAX && plan.rule.order == Order::time && !plan.stored->keys.empty() &&
           !hides;
  }

  // As many clusters as make a step, at once; of one that is larger as much as the limit needs.
  void filter_step() {
    std::vector<std::vector<Unit>> step;
    std::uint64_t found = 0;
    while (!waiting.empty()) {
      stop_point();
      found += rows_in(waiting.front());
      if (!step.empty() && found > step_rows) break;
      step.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    if (step.size() == 1) {
      keep_first(step.front(), *plan.filter, plan.rule, {left, plan.reverse, plan.threads},
                 step_rows);
    } else {
      plan.filter->keep(step, plan.threads);
      step_rows = std::min(step_rows * 8, kWaveRows);
    }
    for (std::vector<Unit>& cluster : step) {
      if (!cluster.empty()) clusters.push_back(std::move(cluster));
    }
  }

  // The next partition; with a filter as many as keep all cores busy, at first few where there is
  // a limit that these may reach.
  bool next_wave() {
    const bool by_filter = plan.filter.has_value();
    std::vector<std::vector<Unit>> partitions;
    std::uint64_t found = 0;
    while (found == 0 || (by_filter && found < wave_rows)) {
      partitions.push_back(walk.next());
      if (partitions.back().empty()) break;
      if (hide_first) hide_duplicates(partitions.back(), *plan.stored, plan.threads);
      for (const Unit& unit : partitions.back()) found += unit.rows;
    }
    if (found == 0) return false;
    wave_rows = std::min(wave_rows * 8, kWaveRows);
    const bool large = found == rows_in(partitions.front()) && found > step_rows;
    if (by_filter && in_steps && large) {
      add_clusters(std::move(partitions.front()), waiting);
      return true;
    }
    if (by_filter) plan.filter->keep(partitions, plan.threads);
    filtered += by_filter ? found : 0;
    for (std::vector<Unit>& units : partitions) add_clusters(std::move(units), clusters);
    return true;
  }

  void add_clusters(std::vector<Unit> units, std::deque<std::vector<Unit>>& to) const {
    std::vector<std::vector<Unit>> found = clusters_of(std::move(units), plan.rule);
    if (plan.reverse) std::ranges::reverse(found);
    for (std::vector<Unit>& cluster : found) to.push_back(std::move(cluster));
  }
};

Scan::Scan(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
           history::DatasetEntry dataset, const ReadRequest& request) {
  Wanted wanted = wanted_of(request, *dataset.schema);
  Plan plan;
  plan.stored = dataset.schema;
  plan.result = result_schema(*dataset.schema, wanted.columns);
  plan.columns = wanted.columns;
  if (request.where) plan.filter.emplace(*request.where, dataset.schema);
  const bool hide_first = hides_first(plan.filter, *plan.stored, request.limit.has_value());
  plan.rule = {plan.stored.get(), request.order, !hide_first};
  plan.reverse = request.reverse;
  plan.threads = context.threads;
  const std::uint64_t step_rows = context.step_rows;
  state_.reset(new State{std::move(plan),
                         Walk(std::move(context.store), std::move(snapshot), std::move(dataset),
                              std::move(wanted), request.reverse),
                         request.limit.value_or(UINT64_MAX),
                         request.limit ? 1 : kWaveRows,
                         step_rows,
                         request.limit.has_value(),
                         hide_first,
                         {},
                         {},
                         {},
                         {},
                         request.progress});
}
Scan::Scan(Scan&&) noexcept = default;
Scan::~Scan() = default;

std::shared_ptr<const Schema> Scan::schema() const { return state_->plan.result; }

std::optional<Batch> Scan::next() { return state_->next(); }
std::vector<Batch> Scan::rest() { return state_->rest(); }

}  // namespace otolith::scan
