#include "ingest/staged_snapshot.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"

namespace otolith::ingest {

using history::MarkSet;
using history::VisibleRows;
using Kind = VisibleRows::Kind;

namespace {

constexpr CommitNumber kStagedFirst{1ull << 62};  // no commit will ever have it

}  // namespace

VisibleRows without(const VisibleRows& shown, std::uint64_t rows, const RowSet& gone) {
  if (gone.empty() || shown.kind() == Kind::none) return shown;
  if (shown.kind() == Kind::all) {  // what is behind the last of them needs no set
    const std::uint64_t end = std::min(gone.end_row(), rows);
    return {otolith::without(RowSet{{0, end}}, gone), end, true, rows};
  }
  return {otolith::without(shown.slice({0, rows}), gone), rows, false, rows};
}

StagedSnapshot::StagedSnapshot(std::shared_ptr<const history::Snapshot> base, StagedChange change)
    : base_(std::move(base)), change_(std::move(change)) {}

// The base may be stored elsewhere by now; what is staged stays on top of it.
std::shared_ptr<const history::Snapshot> StagedSnapshot::renewed(
    const history::Renew& renew) const {
  auto base = base_ ? base_->renewed(renew) : nullptr;
  return base ? std::make_shared<const StagedSnapshot>(std::move(base), change_) : nullptr;
}

CommitNumber StagedSnapshot::number() const noexcept {
  return base_ ? base_->number() : CommitNumber{0};
}

CommitNumber StagedSnapshot::begin_of(std::size_t place) const noexcept {
  return CommitNumber{value_of(kStagedFirst) + place};
}

std::size_t StagedSnapshot::place_of(CommitNumber begin) const noexcept {
  return value_of(begin) - value_of(kStagedFirst);
}

std::vector<history::DatasetEntry> StagedSnapshot::datasets() const {
  return base_ ? base_->datasets() : std::vector{change_.dataset};
}

std::optional<history::DatasetEntry> StagedSnapshot::find(std::string_view name) const {
  if (base_) return base_->find(name);
  return name == change_.dataset.name ? std::optional(change_.dataset) : std::nullopt;
}

std::optional<history::DatasetEntry> StagedSnapshot::find(DatasetId dataset) const {
  auto found = base_ ? base_->find(dataset) : std::nullopt;
  if (found || !of(dataset)) return found;
  return change_.dataset;  // a collection that the commit will make, or no base at all
}

std::optional<history::DatasetEntry> StagedSnapshot::database() const {
  return base_ ? base_->database() : std::nullopt;
}

std::vector<history::SegmentEntry> StagedSnapshot::segments(DatasetId dataset) const {
  if (!base_) return with_staged(dataset, {});
  return with_staged(dataset, base_->segments(dataset));
}

std::vector<history::SegmentEntry> StagedSnapshot::segments_and_past(DatasetId dataset) const {
  if (!base_) return with_staged(dataset, {});
  return with_staged(dataset, base_->segments_and_past(dataset));
}

std::vector<history::SegmentEntry> StagedSnapshot::with_staged(
    DatasetId dataset, std::vector<history::SegmentEntry> out) const {
  if (!of(dataset)) return out;
  for (std::size_t i = 0; i < change_.rows.size(); ++i) {
    const StagedRows& rows = change_.rows[i];
    if (rows.segment) out.push_back({*rows.segment, begin_of(i), begin_of(i), false});
  }
  return out;
}

std::vector<history::TailEntry> StagedSnapshot::tail(DatasetId dataset) const {
  std::vector<history::TailEntry> out;
  if (base_) out = base_->tail(dataset);
  if (!of(dataset)) return out;
  for (std::size_t i = 0; i < change_.rows.size(); ++i) {
    const StagedRows& rows = change_.rows[i];
    if (rows.segment) continue;
    out.push_back({begin_of(i), rows.rows, rows.bytes, rows.time_min, rows.time_max});
  }
  return out;
}

std::vector<history::TailEntry> StagedSnapshot::tail_since(DatasetId dataset,
                                                           CommitNumber after) const {
  std::vector<history::TailEntry> out;
  if (base_) out = base_->tail_since(dataset, after);
  for (std::size_t i = 0; of(dataset) && i < change_.rows.size(); ++i) {
    const StagedRows& rows = change_.rows[i];
    if (!rows.segment && begin_of(i) > after)
      out.push_back({begin_of(i), rows.rows, rows.bytes, rows.time_min, rows.time_max});
  }
  return out;
}

std::optional<history::TailEntry> StagedSnapshot::tail_of(DatasetId dataset,
                                                          CommitNumber begin) const {
  if (base_ && begin < kStagedFirst) return base_->tail_of(dataset, begin);
  return Snapshot::tail_of(dataset, begin);
}

// Of the base: who keeps an index of a tail keeps none of what is staged.
std::optional<CommitNumber> StagedSnapshot::tail_first(DatasetId dataset) const {
  return base_ ? base_->tail_first(dataset) : std::nullopt;
}

bool StagedSnapshot::sees(DatasetId dataset, CommitNumber commit) const {
  return commit >= kStagedFirst || (base_ && base_->sees(dataset, commit));
}

// What is staged has no number yet that a mark of it could have.
std::vector<history::RowMark> StagedSnapshot::marks_of(DatasetId dataset, CommitNumber begin,
                                                       std::uint64_t ordinal) const {
  return base_ ? base_->marks_of(dataset, begin, ordinal) : std::vector<history::RowMark>{};
}

VisibleRows StagedSnapshot::visible(DatasetId dataset, CommitNumber begin,
                                    std::uint64_t rows) const {
  if (!of(dataset)) return base_ ? base_->visible(dataset, begin, rows) : VisibleRows{};
  if (begin >= kStagedFirst) return change_.rows.at(place_of(begin)).left;
  if (base_ == nullptr) return {};
  const VisibleRows shown = base_->visible(dataset, begin, rows);
  const std::vector<MarkSet>& sets = change_.ended.sets();
  const auto ended = std::ranges::lower_bound(sets, begin, {}, &MarkSet::begin);
  return ended == sets.end() || ended->begin != begin ? shown : without(shown, rows, ended->rows);
}

bool StagedSnapshot::shows(DatasetId dataset, const RowId& row) const {
  if (row.begin >= kStagedFirst) return Snapshot::shows(dataset, row);
  if (base_ == nullptr || !base_->shows(dataset, row)) return false;
  if (!of(dataset)) return true;
  const auto ended = std::ranges::lower_bound(change_.ended.sets(), row.begin, {}, &MarkSet::begin);
  return ended == change_.ended.sets().end() || ended->begin != row.begin ||
         !ended->rows.contains(row.ordinal);
}

bool StagedSnapshot::shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const {
  if (base_ == nullptr || last >= kStagedFirst || ends_any(dataset, first, last)) return false;
  return base_->shows_all(dataset, first, last);
}

// What is ended stays in the past.
bool StagedSnapshot::stands(DatasetId dataset, const history::SegmentEntry& entry,
                            CommitNumber first, CommitNumber last) const {
  if (base_ == nullptr) return false;
  const bool present = entry.side == history::Side::present;
  const bool whole = !present || mutant("staged-ends-shown") || !ends_any(dataset, first, last);
  if (!whole) return false;
  return base_->stands(dataset, entry, first, last);
}

bool StagedSnapshot::ends_any(DatasetId dataset, CommitNumber first, CommitNumber last) const {
  if (!of(dataset)) return false;
  const std::vector<MarkSet>& sets = change_.ended.sets();
  const auto ended = std::ranges::lower_bound(sets, first, {}, &MarkSet::begin);
  return ended != sets.end() && ended->begin <= last;
}

}  // namespace otolith::ingest
