#include "scan/segment_ids.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mutant.h"
#include "io/environment.h"

namespace otolith::scan {

namespace {

constexpr std::size_t kHeadBytes = sizeof(std::uint32_t) + sizeof(std::uint16_t);  // of a record

std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

// At most two of three are taken.
std::uint64_t slots_for(std::uint64_t rows) noexcept { return std::bit_ceil(rows + rows / 2 + 1); }

// Of this process, so that nobody can choose ids which all fall into one place of the table.
std::uint64_t process_seed() noexcept {
  static const std::uint64_t seed = [] {
    std::array<std::byte, sizeof(std::uint64_t)> bytes{};
    try {
      io::system_environment()->random(bytes);
    } catch (const Error& error) {  // an index that is slower for the wicked is better than none
      log_line(LogLevel::warning, error.what());
    }
    return load_le<std::uint64_t>(bytes.data());
  }();
  return mutant("ids-unseeded") ? 0 : seed;
}

}  // namespace

std::uint64_t SegmentIds::hash_of(std::string_view id) noexcept {
  return xxh3(as_bytes_view(id), process_seed());
}

std::shared_ptr<const SegmentIds> SegmentIds::of(std::shared_ptr<const RowSource> source,
                                                 ColumnId column, std::uint64_t bytes_max) {
  std::shared_ptr<SegmentIds> out(new SegmentIds(std::move(source)));
  const std::uint64_t rows = out->source_->rows();
  const std::uint64_t table = slots_for(rows) * sizeof(Slot);
  if (rows >= kNone || table > bytes_max) return nullptr;
  const std::uint64_t records = std::min<std::uint64_t>(bytes_max - table, kNone);
  const auto& pieces = out->source_->pieces();
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    const Array ids = out->source_->values(piece, column, 0, pieces[piece].rows);
    if (!out->add_piece(ids, records)) return nullptr;
  }
  out->firsts_.push_back(rows);
  out->records_.shrink_to_fit();
  out->fill();
  return out;
}

// False where the records would take more, or an id is longer than any of a document.
bool SegmentIds::add_piece(const Array& ids, std::uint64_t bytes_max) {
  const std::uint64_t first = rows_;
  firsts_.push_back(first);
  for (std::uint64_t row = 0; row < ids.length; ++row) {
    const BytesView id = as_bytes_view(ids.text(row));
    const std::size_t at = records_.size();
    if (id.size() > UINT16_MAX || at + kHeadBytes + id.size() >= bytes_max) return false;
    records_.resize(at + kHeadBytes + id.size());
    store_le(&records_[at], static_cast<std::uint32_t>(first + row));
    store_le(&records_[at + sizeof(std::uint32_t)], static_cast<std::uint16_t>(id.size()));
    std::ranges::copy(id, records_.begin() + static_cast<std::ptrdiff_t>(at + kHeadBytes));
  }
  rows_ += ids.length;
  return true;
}

void SegmentIds::fill() {
  slots_.resize(slots_for(firsts_.back()));
  auto first = firsts_.begin();
  std::string_view before;
  for (std::uint32_t at = 0; at < records_.size(); at = behind(at)) {
    const Record of = record(at);
    const bool begins = of.row == *first;
    if (begins) ++first;
    if (begins || of.id != before) add(at, of.id);
    before = of.id;
  }
}

void SegmentIds::add(std::uint32_t at, std::string_view id) {
  const std::uint64_t hash = hash_of(id);
  std::uint64_t slot = hash & (slots_.size() - 1);
  while (slots_[slot].at != kNone) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {tag_of(hash), at};
}

SegmentIds::Record SegmentIds::record(std::uint32_t at) const noexcept {
  const std::byte* const bytes = &records_[at];
  return {load_le<std::uint32_t>(bytes),
          as_text({bytes + kHeadBytes, load_le<std::uint16_t>(bytes + sizeof(std::uint32_t))})};
}

std::uint32_t SegmentIds::behind(std::uint32_t at) const noexcept {
  return at + static_cast<std::uint32_t>(kHeadBytes + record(at).id.size());
}

IdRows SegmentIds::rows_from(std::uint32_t at) const noexcept {
  const Record first = record(at);
  const auto piece_end = std::ranges::upper_bound(firsts_, first.row);
  std::uint64_t end = first.row + 1;
  for (at = behind(at); end < *piece_end && record(at).id == first.id; at = behind(at)) ++end;
  const auto piece = static_cast<std::size_t>(piece_end - firsts_.begin()) - 1;
  return {piece, first.row - firsts_[piece], mutant("segment-ids-one-row") ? 1 : end - first.row};
}

void SegmentIds::find(std::string_view of, std::uint64_t hash, std::vector<IdRows>& out) const {
  for (std::uint64_t slot = hash & (slots_.size() - 1); slots_[slot].at != kNone;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag != tag_of(hash)) continue;
    if (record(slots_[slot].at).id == of || mutant("segment-ids-hash-believed"))
      out.push_back(rows_from(slots_[slot].at));
  }
}

std::uint64_t SegmentIds::memory() const noexcept {
  return records_.capacity() + slots_.size() * sizeof(Slot) +
         firsts_.capacity() * sizeof(std::uint64_t);
}

}  // namespace otolith::scan
