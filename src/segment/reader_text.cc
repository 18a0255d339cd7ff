// One text of a page by itself: what a look-up by id ends with.
#include "base/error.h"
#include "base/mutant.h"
#include "codec/compress.h"
#include "codec/registry.h"
#include "model/array.h"
#include "model/sound.h"
#include "segment/reader_state.h"

namespace otolith::segment {

namespace {

// A look-up needs a dictionary of some 100 kB; with this room 600 chunks, of 40 M documents, keep
// theirs. Of others it is made at each look-up.
constexpr std::uint64_t kPreparedBytesMax = 64 << 20;

}  // namespace

std::atomic<std::uint64_t>& KeptRoom::taken_in_all() noexcept {
  static std::atomic<std::uint64_t> taken = 0;
  return taken;
}

bool KeptRoom::take(std::uint64_t bytes) noexcept {
  std::atomic<std::uint64_t>& taken = taken_in_all();
  const std::uint64_t before = taken.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes > kPreparedBytesMax && !mutant("prepared-without-bound")) {
    taken.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  bytes_ = bytes;
  return true;
}

// Under a mapping it is made once a chunk, where its codec says so, and kept while there is room.
std::shared_ptr<const codec::Prepared> SegmentReader::State::prepared(const PageBytes& bytes,
                                                                      bool borrowed) const {
  if (bytes.codec->mappable()) return nullptr;
  const auto make = [&] { return bytes.codec->prepare(bytes.parts.offsets.bytes); };
  if (!source.mapped() || !bytes.codec->tells_one()) return make();
  SharedOnce& kept = columns[bytes.column].shared[bytes.row_group];
  std::shared_ptr<const codec::Prepared> made;
  std::call_once(kept.once, [&] {
    made = make();
    if (made && kept.room.take(made->memory())) kept.prepared = made;
  });
  if (kept.prepared && borrowed) return {std::shared_ptr<const void>(), kept.prepared.get()};
  if (kept.prepared) return kept.prepared;
  return made ? made : make();
}

// One page under a mapping, of a codec that tells one: for the length of a call, without a share in
// anything, since counting the shares takes as long as finding the text.
PageBytes SegmentReader::State::borrow(std::size_t row_group, std::size_t index,
                                       std::uint64_t page) const {
  const ChunkEntry& chunk = columns[index].index.chunks[row_group];
  PageBytes out = place(row_group, index, {page, 1});
  const auto part = [&](const Part& of, const codec::Extent& extent) {
    return extent.bytes == 0 ? Buffer{}
                             : Buffer{nullptr, source.view(of.offset + extent.at, extent.bytes)};
  };
  out.parts = {part(chunk.validity, out.extents.validity), part(chunk.offsets, out.extents.offsets),
               part(chunk.values, out.extents.values), out.extents.values.at};
  out.parts.prepared = prepared(out, true);
  return out;
}

// nullopt where the page has to be decoded, and judged as a whole.
std::optional<std::string> SegmentReader::State::picked(std::size_t row_group, std::size_t index,
                                                        std::uint64_t row) {
  const std::uint64_t page = row / footer.page_rows;
  const LoadedColumn& loaded = column(index);
  const ChunkEntry& chunk = loaded.index.chunks[row_group];
  const bool told = codec::codec_for(chunk.codec, source.name(), chunk.values.offset).tells_one();
  if (!told || !model::unsound_words(footer.columns[index].type).empty()) return std::nullopt;
  const PageBytes bytes =
      source.mapped() ? borrow(row_group, index, page) : read(row_group, index, {page, 1});
  std::atomic<bool>& hashed = columns[index].hashed[chunk.page_first + page];
  if (!hashed.load(std::memory_order_acquire)) {
    if (!verified(bytes, page)) check_hash(bytes, page, bytes.parts);
    hashed.store(source.mapped(), std::memory_order_release);
  }
  std::string out;
  switch (codec::page_pick(*bytes.codec, {bytes.parts, bytes.facts}, row % footer.page_rows, out)) {
    case codec::Picked::told:
      return out;
    case codec::Picked::flawed:
      (void)check_page(bytes, page, true);  // says which flaw it is
      codec::bytes_changed();
    default:
      return std::nullopt;
  }
}

std::optional<std::string> SegmentReader::picked(std::size_t row_group, std::size_t column,
                                                 std::uint64_t row) const {
  OTO_INVARIANT(column < state_->footer.columns.size() &&
                row < state_->footer.row_groups.at(row_group).rows);
  return state_->picked(row_group, column, row);
}

std::string SegmentReader::text(std::size_t row_group, std::size_t column,
                                std::uint64_t row) const {
  if (auto one = picked(row_group, column, row)) return *std::move(one);
  return std::string(rows(row_group, column, row, 1).text(0));
}

void SegmentReader::prefetch(std::size_t row_group, std::size_t index, std::uint64_t row) const {
  if (!state_->source.mapped()) return;
  const ColumnIndex& in = state_->column(index).index;
  const ChunkEntry& chunk = in.chunks.at(row_group);
  const codec::Codec& codec =
      codec::codec_for(chunk.codec, state_->source.name(), chunk.values.offset);
  const std::uint64_t page_rows = state_->footer.page_rows;
  const codec::PagePlace& place = in.pages.at(chunk.page_first + row / page_rows).place;
  const std::uint64_t at = codec.pick_at(row % page_rows);
  if (!codec.tells_one() || at >= place.values_bytes) return;
  __builtin_prefetch(state_->source.view(chunk.values.offset + place.values_at + at, 1).data());
}

}  // namespace otolith::segment
