#include "codec/codec.h"

#include "model/array.h"

namespace otolith::codec {

PageExtents page_extents(const Codec& codec, const PageFacts& facts, std::uint64_t first,
                         const PagePlace& place, const PagePlace& last) {
  PageExtents out;
  out.values = {place.values_at, last.values_at + last.values_bytes - place.values_at};
  if (!codec.mappable()) return out;
  if (facts.chunk_has_nulls) out.validity = {first / 8, model::bitmap_bytes(facts.rows)};
  if (model::is_text(facts.type)) {
    out.offsets = {first * sizeof(std::int64_t), (facts.rows + 1) * sizeof(std::int64_t)};
  }
  return out;
}

}  // namespace otolith::codec
