#include "scan/segment_ids.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <ranges>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mutant.h"
#include "io/environment.h"
#include "io/large_memory.h"

namespace otolith::scan {

namespace {

constexpr std::uint64_t kBucketEntries = 4;  // of the mean size, at least
constexpr std::uint64_t kBucketLargest = 2;  // of the largest
constexpr std::size_t kBucketBytesMin = 64;
constexpr std::uint64_t kFull = 3;  // parts, of which two are taken

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
  if (out->source_->rows() >= UINT32_MAX) return nullptr;
  Bytes texts;
  std::vector<Given> given;  // in the order of rows
  const auto& pieces = out->source_->pieces();
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    const Array ids = out->source_->values(piece, column, 0, pieces[piece].rows);
    if (!out->add_piece(ids, texts, given, bytes_max)) return nullptr;
  }
  out->firsts_.push_back(out->rows_);
  out->fill(texts, given);
  return out->memory() <= bytes_max ? out : nullptr;
}

// False where it would take more, or an id is longer than any of a document.
bool SegmentIds::add_piece(const Array& ids, Bytes& texts, std::vector<Given>& given,
                           std::uint64_t bytes_max) {
  const std::size_t first = given.size();
  firsts_.push_back(rows_);
  for (std::uint64_t i = 0; i < ids.length; ++i, ++rows_) {
    const std::string_view id = ids.text(i);
    const bool again = given.size() > first && id == ids.text(i - 1);
    if (again && given.back().entry.more != UINT16_MAX) {
      ++given.back().entry.more;
      continue;
    }
    taken_ += IdTable::stored(id.size());
    largest_ = std::max<std::uint64_t>(largest_, IdTable::stored(id.size()));
    const bool fits = taken_ <= bytes_max && texts.size() + id.size() <= UINT32_MAX;
    if (id.size() > UINT16_MAX || !fits) return false;
    const auto bytes = static_cast<std::uint16_t>(id.size());
    given.push_back({{IdTable::tag_of(hash_of(id)), rows_, 0, bytes}, texts.size()});
    texts.insert(texts.end(), as_bytes_view(id).begin(), as_bytes_view(id).end());
  }
  return true;
}

// The last piece comes first: of the revisions of an id it mostly has the one that is shown. There
// are so many buckets that one has room for the largest entry, however full the others are: were
// all fuller than room - largest, they would hold more than is to be put.
void SegmentIds::fill(const Bytes& texts, const std::vector<Given>& given) {
  ids_ = given.size();
  const std::uint64_t mean = taken_ / std::max<std::uint64_t>(ids_, 1) + 1;
  const std::uint64_t largest = mutant("segment-ids-no-room") ? 0 : largest_;
  const std::uint64_t wanted =
      IdTable::kHeadBytes + std::max(kBucketEntries * mean, kBucketLargest * largest);
  table_.bucket_bytes_ = std::bit_ceil(std::max<std::uint64_t>(wanted, kBucketBytesMin));
  const std::uint64_t room = table_.bucket_bytes_ - IdTable::kHeadBytes;
  const std::uint64_t enough = taken_ / (room - largest);
  table_.count_ = std::max(taken_ * kFull / 2 / room, enough) + 2;
  const std::uint64_t bytes = table_.count_ * table_.bucket_bytes_ + IdTable::kLineBytes;
  memory_ = io::large_memory(bytes);
  std::memset(memory_.get(), 0, bytes);
  table_.first_ = memory_.get();
  for (std::uint64_t bucket = 0; bucket < table_.count_; ++bucket) {
    std::byte* const start = memory_.get() + bucket * table_.bucket_bytes_;
    store_le(start, static_cast<std::uint16_t>(IdTable::kHeadBytes));
  }
  for (const Given& one : std::views::reverse(given))
    put(one.entry, as_text(BytesView(texts).subspan(one.at, one.entry.bytes)));
}

void SegmentIds::put(const IdEntry& entry, std::string_view id) {
  std::uint64_t bucket = table_.home(hash_of(id));
  std::byte* start = memory_.get() + bucket * table_.bucket_bytes_;
  for (std::uint64_t left = table_.count_;
       load_le<std::uint16_t>(start) + IdTable::stored(id.size()) > table_.bucket_bytes_; --left) {
    OTO_INVARIANT(left != 0);
    store_le(start + sizeof(std::uint16_t),
             static_cast<std::uint16_t>(mutant("segment-ids-bucket-ends") ? 0 : 1));
    bucket = table_.behind(bucket);
    start = memory_.get() + bucket * table_.bucket_bytes_;
  }
  const auto used = load_le<std::uint16_t>(start);
  std::byte* const at = start + used;
  store_le(start, static_cast<std::uint16_t>(used + IdTable::stored(id.size())));
  store_le(at, entry.tag);
  store_le(at + 4, entry.row);
  store_le(at + 8, entry.more);
  store_le(at + 10, entry.bytes);
  if (id.size() <= IdTable::kInlineMax) {
    std::ranges::copy(as_bytes_view(id), at + IdTable::kEntryBytes);
    return;
  }
  store_le(at + IdTable::kEntryBytes, static_cast<std::uint32_t>(long_ids_.size()));
  long_ids_.insert(long_ids_.end(), as_bytes_view(id).begin(), as_bytes_view(id).end());
}

IdRows SegmentIds::rows_of(const IdEntry& entry) const noexcept {
  const auto piece_end = std::ranges::upper_bound(firsts_, entry.row);
  const auto piece = static_cast<std::size_t>(piece_end - firsts_.begin()) - 1;
  const std::uint64_t rows = mutant("segment-ids-one-row") ? 1 : entry.more + std::uint64_t{1};
  return {piece, entry.row - firsts_[piece], rows};
}

std::uint64_t SegmentIds::memory() const noexcept {
  return table_.count_ * table_.bucket_bytes_ + long_ids_.capacity() +
         firsts_.capacity() * sizeof(std::uint64_t);
}

}  // namespace otolith::scan
