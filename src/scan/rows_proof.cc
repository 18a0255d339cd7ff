#include "scan/rows_proof.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/stopping.h"
#include "history/rows_view.h"
#include "io/large_memory.h"
#include "model/gather.h"
#include "model/leaf.h"
#include "scan/prune.h"
#include "scan/row_ids.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

// Rows whose ordinals follow each other where they stand.
struct Stretch {
  std::uint64_t ordinal = 0;
  std::uint64_t rows = 0;
  std::uint64_t place = 0;  // among all rows, unit by unit
  std::int64_t bucket = 0;
  std::uint32_t run = 0;
};

class Rows {
 public:
  Rows(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
       const history::DatasetEntry& dataset, const history::RowsProof& proof)
      : threads_(context.threads), schema_(dataset.schema), proof_(proof) {
    std::vector<history::RowsOfBegin> all(1);
    all.front().begin = proof.commit;
    all.front().rows.append({0, proof.rows});
    Walk walk(context.store, std::make_shared<history::RowsView>(snapshot, dataset, std::move(all)),
              dataset, wanted_of({}, *schema_), false);
    for (auto units = walk.next(); !units.empty(); units = walk.next()) {
      stop_point();
      for (Unit& unit : units) add(std::move(unit));
    }
    std::ranges::sort(stretches_, {}, &Stretch::ordinal);
  }

  /// Whether each ordinal is there once.
  bool complete() const {
    std::uint64_t next = 0;
    for (const Stretch& stretch : stretches_) {
      if (stretch.ordinal != next) return false;
      next += stretch.rows;
    }
    return next == proof_.rows;
  }

  /// Whether it is known where each run began.
  bool runs_known() const { return runs_stored_ || proof_.one_run || runs_told(); }

  Hash256 root() const {
    model::ContentHasher content(model::leaf_columns(*schema_));
    for (const model::Run& run : layout().runs) content.add_run(run);
    model::LeafHasher hasher(proof_.salt);
    for (std::size_t c = 0; c < content.columns().size(); ++c) {
      const ColumnId id = content.columns()[c].id;
      io::Scratch memory;
      const Array values = in_order(id, memory);
      for (std::uint64_t leaf = 0; leaf < content.places().size(); ++leaf) {
        stop_point();
        const model::LeafPlace& place = content.places()[leaf];
        content.put(c, leaf, hasher.hash(id, leaf, place, values, place.first_row));
      }
    }
    return content.rows_root();
  }

 private:
  void add(Unit unit) {
    const RowIds ids(unit);
    std::uint64_t row = 0;
    for (const Selected& part : unit.parts) {
      const Piece& piece = unit.source->pieces()[part.piece];
      for (std::uint64_t left = part.ranges.rows(); left != 0; --left, ++row)
        add(ids.ordinal(row), rows_ + row, piece);
    }
    runs_stored_ = runs_stored_ && unit.source->begin().has_value();
    rows_ += unit.rows;
    units_.push_back(std::move(unit));
  }

  void add(std::uint64_t ordinal, std::uint64_t place, const Piece& piece) {
    if (!stretches_.empty()) {
      Stretch& last = stretches_.back();
      const bool on = ordinal == last.ordinal + last.rows && place == last.place + last.rows &&
                      piece.bucket == last.bucket && piece.run == last.run;
      if (on) return void(++last.rows);
    }
    stretches_.push_back({ordinal, 1, place, piece.bucket, piece.run});
  }

  bool runs_told() const { return !proof_.runs.empty() && !mutant("history-runs-untold"); }

  // Stretches cut where the log says that a run began.
  std::vector<Stretch> by_run() const {
    if (!runs_told()) return stretches_;
    std::vector<Stretch> out;
    std::uint32_t run = 0;
    std::uint64_t end = proof_.runs.front();
    for (Stretch left : stretches_) {
      while (left.rows != 0) {
        if (left.ordinal == end) end += proof_.runs[++run];
        const std::uint64_t rows = std::min(left.rows, end - left.ordinal);
        out.push_back({left.ordinal, rows, left.place, left.bucket, run});
        left.ordinal += rows;
        left.place += rows;
        left.rows -= rows;
      }
    }
    return out;
  }

  model::RowLayout layout() const {
    model::RowLayout out;
    const std::vector<Stretch> stretches = by_run();
    const Stretch* before = nullptr;
    for (const Stretch& stretch : stretches) {
      const bool cut = runs_stored_ || runs_told();
      const bool new_run = before == nullptr || (cut && stretch.run != before->run);
      if (new_run) out.runs.emplace_back();
      model::Run& run = out.runs.back();
      if (new_run || run.back().bucket != stretch.bucket)
        run.push_back({stretch.bucket, stretch.rows});
      else
        run.back().rows += stretch.rows;
      before = &stretch;
    }
    return out;
  }

  Array in_order(ColumnId id, io::Scratch& memory) const {
    const auto column = std::ranges::find_if(
        schema_->columns, [&](const Column& of) { return ColumnId{of.id} == id; });
    Array values = units_values(units_, *column, threads_, memory);
    if (std::ranges::is_sorted(stretches_, {}, &Stretch::place)) return values;
    std::vector<std::uint32_t> places;
    for (const Stretch& stretch : stretches_) {
      for (std::uint64_t row = 0; row < stretch.rows; ++row)
        places.push_back(static_cast<std::uint32_t>(stretch.place + row));
    }
    return model::gather(values, places);
  }

  const unsigned threads_;
  const std::shared_ptr<const Schema> schema_;
  const history::RowsProof& proof_;
  std::vector<Unit> units_;
  std::vector<Stretch> stretches_;  // by ordinal
  std::uint64_t rows_ = 0;
  bool runs_stored_ = true;
};

}  // namespace

RowsVerdict rows_verdict(const ScanContext& context,
                         const std::shared_ptr<const history::Snapshot>& snapshot,
                         const history::DatasetEntry& dataset, const history::RowsProof& proof) {
  const Rows rows(context, snapshot, dataset, proof);
  if (!rows.complete()) return RowsVerdict::differ;
  if (rows.root() == proof.root || mutant("history-not-hashed")) return RowsVerdict::same;
  return rows.runs_known() ? RowsVerdict::differ : RowsVerdict::unknown;
}

}  // namespace otolith::scan
