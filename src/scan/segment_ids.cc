#include "scan/segment_ids.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "base/mutant.h"

namespace otolith::scan {

namespace {

std::uint64_t hash_of(std::string_view id) noexcept { return xxh3(as_bytes_view(id)); }

std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

// At most two of three are taken.
std::uint64_t slots_for(std::uint64_t rows) noexcept { return std::bit_ceil(rows + rows / 2 + 1); }

}  // namespace

std::shared_ptr<const SegmentIds> SegmentIds::of(std::shared_ptr<const RowSource> source,
                                                 ColumnId column, std::uint64_t bytes_max) {
  std::shared_ptr<SegmentIds> out(new SegmentIds(std::move(source)));
  const std::uint64_t rows = out->source_->rows();
  const std::uint64_t least = rows * sizeof(std::uint32_t) + slots_for(rows) * sizeof(Slot);
  if (rows >= kNone || least > bytes_max) return nullptr;
  out->ends_.reserve(rows + 1);
  const auto& pieces = out->source_->pieces();
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    out->add_piece(out->source_->values(piece, column, 0, pieces[piece].rows));
    if (out->text_.size() > std::min<std::uint64_t>(bytes_max - least, UINT32_MAX)) return nullptr;
  }
  out->firsts_.push_back(rows);
  out->text_.shrink_to_fit();
  out->fill();
  return out;
}

void SegmentIds::add_piece(const Array& ids) {
  firsts_.push_back(ends_.size() - 1);
  for (std::uint64_t row = 0; row < ids.length; ++row) {
    const std::string_view text = ids.text(row);
    text_.insert(text_.end(), text.begin(), text.end());
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
}

void SegmentIds::fill() {
  slots_.resize(slots_for(firsts_.back()));
  for (std::size_t piece = 0; piece + 1 < firsts_.size(); ++piece) {
    for (std::uint64_t row = firsts_[piece]; row < firsts_[piece + 1]; ++row) {
      if (row == firsts_[piece] || id(row) != id(row - 1)) add(static_cast<std::uint32_t>(row));
    }
  }
}

void SegmentIds::add(std::uint32_t row) {
  const std::uint64_t hash = hash_of(id(row));
  std::uint64_t at = hash & (slots_.size() - 1);
  while (slots_[at].row != kNone) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {tag_of(hash), row};
}

std::string_view SegmentIds::id(std::uint64_t row) const noexcept {
  return {text_.data() + ends_[row], ends_[row + 1] - ends_[row]};
}

IdRows SegmentIds::rows_from(std::uint32_t row) const noexcept {
  const auto behind = std::ranges::upper_bound(firsts_, row);
  std::uint64_t end = row + 1;
  while (end < *behind && id(end) == id(row)) ++end;
  const auto piece = static_cast<std::size_t>(behind - firsts_.begin()) - 1;
  return {piece, row - firsts_[piece], mutant("segment-ids-one-row") ? 1 : end - row};
}

void SegmentIds::find(std::string_view of, std::vector<IdRows>& out) const {
  const std::uint64_t hash = hash_of(of);
  for (std::uint64_t at = hash & (slots_.size() - 1); slots_[at].row != kNone;
       at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.tag != tag_of(hash)) continue;
    if (id(slot.row) == of || mutant("segment-ids-hash-believed"))
      out.push_back(rows_from(slot.row));
  }
}

std::uint64_t SegmentIds::memory() const noexcept {
  return text_.capacity() + ends_.capacity() * sizeof(std::uint32_t) +
         slots_.size() * sizeof(Slot) + firsts_.capacity() * sizeof(std::uint64_t);
}

}  // namespace otolith::scan
