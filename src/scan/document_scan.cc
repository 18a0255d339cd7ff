#include "scan/document_scan.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "base/stopping.h"
#include "io/large_memory.h"
#include "model/array.h"
#include "model/gather.h"
#include "scan/document_filter.h"
#include "scan/filter.h"
#include "scan/merge.h"
#include "scan/prune.h"
#include "scan/row_ids.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

using Units = std::vector<Unit>;

// Rows of a unit, by their places in it, as parts of it.
std::vector<Selected> parts_at(const Unit& unit, const std::vector<std::uint64_t>& places) {
  std::vector<Selected> out;
  std::uint64_t before = 0;  // rows of the parts gone through
  auto place = places.begin();
  for (const Selected& part : unit.parts) {
    const std::uint64_t end = before + part.ranges.rows();
    Selected chosen{part.piece, {}};
    std::uint64_t of_range = before;
    for (const RowRange& range : part.ranges) {
      for (; place != places.end() && *place < of_range + range.count; ++place)
        chosen.ranges.append({range.first + (*place - of_range), 1});
      of_range += range.count;
    }
    if (!chosen.ranges.empty()) out.push_back(std::move(chosen));
    before = end;
    if (place == places.end()) break;
  }
  return out;
}

// The chosen rows of one unit, and where they come among those of a batch.
struct Share {
  std::vector<std::uint64_t> places;  // ascending
  std::vector<std::uint32_t> slots;
};

// One cluster in order: ids of several units merged.
class Cluster {
 public:
  Cluster(Units units, const Schema& schema, const ScanContext& context,
          const DocumentWanted& wanted)
      : units_(std::move(units)),
        schema_(schema),
        reverse_(wanted.reverse),
        bodies_(wanted.bodies) {
    io::Scratch scratch;
    auto picks = merge(units_, {&schema, Order::stored, false}, context.threads, scratch);
    if (picks) picks_ = *std::move(picks);
    in_order_ = picks_.empty();
    std::uint64_t start = 0;
    for (const Unit& unit : units_) {
      starts_.push_back(start);
      start += unit.rows;
      ids_.emplace_back(unit);
    }
    rows_ = start;
  }

  std::optional<DocumentRows> next(std::uint64_t rows) {
    const std::uint64_t count = std::min(rows, rows_ - at_);
    if (count == 0) return std::nullopt;
    DocumentRows out{.rows = count, .ids = {}, .times = {}, .bodies = {}, .row_ids = {}};
    out.row_ids.resize(count);
    const std::vector<Share> shares = shares_of(count, out);
    at_ += count;
    out.ids = values(shares, kDocumentId);
    out.times = values(shares, kDocumentTime);
    if (bodies_) out.bodies = values(shares, kDocumentBody);
    return out;
  }

 private:
  std::uint64_t row_at(std::uint64_t i) const {
    const std::uint64_t place = reverse_ ? rows_ - 1 - i : i;
    return in_order_ ? place : picks_[place];
  }

  std::vector<Share> shares_of(std::uint64_t count, DocumentRows& out) {
    std::vector<Share> shares(units_.size());
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      const std::uint64_t row = row_at(at_ + slot);
      const auto unit =
          static_cast<std::size_t>(std::ranges::upper_bound(starts_, row) - starts_.begin()) - 1;
      const std::uint64_t place = row - starts_[unit];
      shares[unit].places.push_back(place);
      shares[unit].slots.push_back(slot);
      out.row_ids[slot] = {ids_[unit].begin(place), ids_[unit].ordinal(place)};
    }
    if (reverse_) {
      for (Share& share : shares) {
        std::ranges::reverse(share.places);
        std::ranges::reverse(share.slots);
      }
    }
    return shares;
  }

  // What was read unit by unit, in the order of the batch.
  Array values(const std::vector<Share>& shares, std::string_view name) const {
    const Column& column = schema_.columns[schema_.find(name).value()];
    std::vector<Array> arrays;
    std::vector<std::uint32_t> order;
    std::uint32_t at = 0;
    for (std::size_t unit = 0; unit < shares.size(); ++unit) {
      const Share& share = shares[unit];
      for (const Selected& part : parts_at(units_[unit], share.places))
        arrays.push_back(selected_values(*units_[unit].source, part, column));
      if (order.size() < at + share.slots.size()) order.resize(at + share.slots.size());
      for (const std::uint32_t slot : share.slots) {
        if (order.size() <= slot) order.resize(slot + 1);
        order[slot] = at++;
      }
    }
    std::vector<const Array*> all;
    for (const Array& array : arrays) all.push_back(&array);
    const Array joined = all.size() == 1 ? arrays.front() : model::array_concat(all);
    return std::ranges::is_sorted(order) ? joined : model::gather(joined, order);
  }

  Units units_;
  const Schema& schema_;
  const bool reverse_;
  const bool bodies_;
  std::vector<std::uint32_t> picks_;
  bool in_order_ = false;
  std::vector<std::uint64_t> starts_;  // of the units, among all rows
  std::vector<RowIds> ids_;
  std::uint64_t rows_ = 0;
  std::uint64_t at_ = 0;
};

Wanted everything(const Schema& schema, CommitNumber begun_after) {
  Wanted out = wanted_of({}, schema);
  out.begun_after = begun_after;
  return out;
}

}  // namespace

struct DocumentScan::State {
  ScanContext context;
  history::DatasetEntry dataset;
  DocumentWanted wanted;
  Walk walk;
  std::deque<Units> clusters{};
  std::optional<Cluster> rows{};

  std::optional<DocumentRows> next() {
    for (;;) {
      stop_point();
      if (rows) {
        auto found = rows->next(wanted.batch_rows);
        if (found && drop_old(*found)) continue;
        if (found) return found;
        rows.reset();
      }
      if (clusters.empty() && !next_partition()) return std::nullopt;
      rows.emplace(std::move(clusters.front()), *dataset.schema, context, wanted);
      clusters.pop_front();
    }
  }

 private:
  // A segment of many commits also holds rows of earlier ones; true where nothing is left.
  bool drop_old(DocumentRows& found) const {
    const auto old = [&](const RowId& row) { return row.begin <= wanted.begun_after; };
    if (std::ranges::none_of(found.row_ids, old)) return false;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < found.rows; ++row) {
      if (!old(found.row_ids[row])) kept.push_back(row);
    }
    found.rows = kept.size();
    for (Array* column : {&found.ids, &found.times, &found.bodies}) {
      if (column != &found.bodies || wanted.bodies) *column = model::gather(*column, kept);
    }
    std::erase_if(found.row_ids, old);
    return kept.empty();
  }

  // A collection has one.
  bool next_partition() {
    std::vector<Units> partition{walk.next()};
    if (partition.front().empty()) return false;
    if (!wanted.prefix.empty()) {
      const Filter filter(col(std::string(kDocumentId)).call("starts_with", {wanted.prefix}),
                          dataset.schema);
      filter.keep(partition, context.threads);
    }
    for (const document::Condition& where : wanted.where)
      DocumentFilter(where, dataset.schema).keep(partition.front(), context.threads);
    auto found = clusters_of(std::move(partition.front()), {dataset.schema.get(), Order::stored});
    if (wanted.reverse) std::ranges::reverse(found);
    for (Units& cluster : found) {
      if (rows_in(cluster) != 0) clusters.push_back(std::move(cluster));
    }
    return !clusters.empty() || next_partition();
  }
};

DocumentScan::DocumentScan(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
                           history::DatasetEntry dataset, DocumentWanted wanted) {
  Walk walk(context.store, std::move(snapshot), dataset,
            everything(*dataset.schema, wanted.begun_after), wanted.reverse);
  state_.reset(new State{.context = std::move(context),
                         .dataset = std::move(dataset),
                         .wanted = std::move(wanted),
                         .walk = std::move(walk)});
}
DocumentScan::DocumentScan(DocumentScan&&) noexcept = default;
DocumentScan::~DocumentScan() = default;

std::optional<DocumentRows> DocumentScan::next() { return state_->next(); }

}  // namespace otolith::scan
