#include "segment/chunk.h"

#include <doctest/doctest.h>

#include "codec/raw.h"
#include "model/array.h"

namespace otolith::segment {

namespace {

Array numbers(std::uint64_t rows) {
  model::ArrayBuilder out({TypeKind::int64});
  for (std::uint64_t row = 0; row < rows; ++row)
    out.append_value(static_cast<std::int64_t>(row * row));
  return out.finish();
}

struct Sealed {
  EncodedChunkEntry chunk;
  std::vector<std::pair<std::uint64_t, std::vector<std::int64_t>>> leaves;
};

Sealed sealed(const Array& rows, std::uint32_t page_rows) {
  Sealed out{chunk_encode(rows, codec::raw_codec(), page_rows), {}};
  chunk_seal(out.chunk, rows, codec::raw_codec(), page_rows,
             [&](std::uint64_t block, const Array& leaf) {
               const auto* first = leaf.values.as<std::int64_t>();
               out.leaves.push_back({block, {first, first + leaf.length}});
             });
  return out;
}

}  // namespace

TEST_CASE("chunk: leaves are the same whatever the size of pages, and so is the chunk's zone") {
  for (const std::uint64_t count : {1ull, 1024ull, 4096ull, 5000ull, 20'001ull}) {
    const Array rows = numbers(count);
    const Sealed large = sealed(rows, kPageRowsMax);
    const Sealed small = sealed(rows, kDocumentPageRows);
    CHECK(large.leaves == small.leaves);
    CHECK(large.leaves.size() == (count + kLeafRows - 1) / kLeafRows);
    CHECK(large.chunk.entry.zone == small.chunk.entry.zone);
    CHECK(small.chunk.pages.size() == (count + kDocumentPageRows - 1) / kDocumentPageRows);
  }
}

}  // namespace otolith::segment
