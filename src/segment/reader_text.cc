// One text of a page by itself: what a look-up by id ends with.
#include "base/error.h"
#include "codec/compress.h"
#include "codec/registry.h"
#include "model/array.h"
#include "model/sound.h"
#include "segment/reader_state.h"

namespace otolith::segment {

// Under a mapping it is made once a chunk, where its codec says so.
std::shared_ptr<const codec::Prepared> SegmentReader::State::prepared(
    const PageBytes& bytes) const {
  if (bytes.codec->mappable()) return nullptr;
  const auto make = [&] { return bytes.codec->prepare(bytes.parts.offsets.bytes); };
  if (!source.mapped() || !bytes.codec->tells_one()) return make();
  SharedOnce& kept = columns[bytes.column].shared[bytes.row_group];
  std::call_once(kept.once, [&] { kept.prepared = make(); });
  return kept.prepared;
}

// nullopt where the page has to be decoded, and judged as a whole.
std::optional<std::string> SegmentReader::State::picked(std::size_t row_group, std::size_t index,
                                                        std::uint64_t row) {
  const std::uint64_t page = row / footer.page_rows;
  const LoadedColumn& loaded = column(index);
  const ChunkEntry& chunk = loaded.index.chunks[row_group];
  const bool told = codec::codec_for(chunk.codec, source.name(), chunk.values.offset).tells_one();
  if (!told || !model::unsound_words(footer.columns[index].type).empty()) return std::nullopt;
  const PageBytes bytes = read(row_group, index, {page, 1});
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

std::string SegmentReader::text(std::size_t row_group, std::size_t column,
                                std::uint64_t row) const {
  OTO_INVARIANT(column < state_->footer.columns.size() &&
                row < state_->footer.row_groups.at(row_group).rows);
  if (auto one = state_->picked(row_group, column, row)) return *std::move(one);
  return std::string(rows(row_group, column, row, 1).text(0));
}

}  // namespace otolith::segment
