#include "codec/rle.h"

#include <doctest/doctest.h>

#include <limits>

#include "codec/block.h"
#include "test/pages.h"

namespace otolith::codec {

namespace {

// A page of int64 runs as a writer might lie about them.
Bytes page_of(std::uint32_t runs, const std::vector<std::uint64_t>& rows,
              const std::vector<std::uint64_t>& values) {
  ByteWriter out;
  out.put(runs);
  out.put(std::uint32_t{0});
  for (const auto* column : {&rows, &values}) {
    BlockValues block{};
    std::ranges::copy(*column, block.begin());
    block_encode(block, column->size(), 0, out);
  }
  return out.take();
}

PageFacts facts_of(std::uint64_t rows) { return {{TypeKind::int64}, rows, 0, false}; }

std::string_view flaw_of(Bytes bytes, std::uint64_t rows) {
  return page_flaw(rle_codec(), {{{}, {}, buffer_of(std::move(bytes)), 0}, facts_of(rows)});
}

std::vector<std::int64_t> decoded(Bytes bytes, std::uint64_t rows) {
  const Page page{{{}, {}, buffer_of(std::move(bytes)), 0}, facts_of(rows)};
  REQUIRE(page_flaw(rle_codec(), page) == "");
  const Array out = pages_decode(rle_codec(), std::span(&page, 1));
  const auto* values = out.values.as<std::int64_t>();
  return {values, values + out.length};
}

}  // namespace

TEST_CASE("rle: a page that cannot be has a flaw") {
  CHECK(flaw_of(page_of(2, {3, 2}, {7, 9}), 5) == "");
  CHECK(flaw_of(page_of(2, {3, 2}, {7, 9}), 6) == "its lengths do not add up");
  CHECK(flaw_of(page_of(2, {3, 2}, {7, 9}), 4) == "its lengths do not add up");
  CHECK(flaw_of(page_of(2, {UINT64_MAX, 6}, {7, 9}), 5) == "its lengths do not add up");
  CHECK(flaw_of(page_of(3, {1, 0, 0}, {7, 8, 9}), 1) == "it has more runs than rows");
  Bytes reserved = page_of(2, {3, 2}, {7, 9});
  reserved[7] = std::byte{1};
  CHECK(flaw_of(reserved, 5) == "a reserved byte is not zero");
  CHECK(flaw_of(Bytes(7), 1) == "it is cut short");
}

TEST_CASE("rle: a run of no rows is none") {
  CHECK(decoded(page_of(4, {0, 2, 0, 2}, {5, 7, 8, 9}), 4) ==
        std::vector<std::int64_t>{7, 7, 9, 9});
}

TEST_CASE("rle: a null stands in the run before it, or in the first") {
  model::ArrayBuilder builder({TypeKind::int64});
  builder.append_null();
  for (int i = 0; i < 3; ++i) builder.append_value<std::int64_t>(4);
  builder.append_null();
  builder.append_value<std::int64_t>(4);
  for (int i = 0; i < 3; ++i) builder.append_value<std::int64_t>(6);
  const Array chunk = builder.finish();
  const EncodedChunk encoded = rle_codec().encode(chunk, kPageRowsMax);
  CHECK(load_le<std::uint32_t>(encoded.values.bytes.data()) == 2);
  CHECK(test::same_plain(test::encoded_and_back(rle_codec(), chunk, kPageRowsMax), chunk));
}

TEST_CASE("rle: NaNs of one payload and zeros of one sign are one run, others are not") {
  model::ArrayBuilder builder({TypeKind::float64});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {nan, nan, -nan, 0.0, -0.0, -0.0}) builder.append_value(value);
  const Array chunk = builder.finish();
  const EncodedChunk encoded = rle_codec().encode(chunk, kPageRowsMax);
  CHECK(load_le<std::uint32_t>(encoded.values.bytes.data()) == 4);
  CHECK(test::same_plain(test::encoded_and_back(rle_codec(), chunk, kPageRowsMax), chunk));
}

TEST_CASE("rle: rows are selected and gathered by their runs") {
  model::ArrayBuilder builder({TypeKind::int64});
  for (std::int64_t row = 0; row < 1000; ++row) builder.append_value(row / 70);
  const Array chunk = builder.finish();
  const EncodedChunk encoded = rle_codec().encode(chunk, kPageRowsMax);
  const Parts parts{{}, {}, encoded.values, 0};
  const PageFacts facts = facts_of(chunk.length);
  model::Criterion test{.type = chunk.type, .kind = model::Criterion::Kind::range};
  test.integers = {3, 5};
  std::vector<std::uint64_t> bits(model::bit_words(chunk.length));
  REQUIRE(rle_codec().select(parts, facts, test, bits.data()));
  for (std::uint64_t row = 0; row < chunk.length; ++row) {
    CAPTURE(row);
    REQUIRE((bits[row / 64] >> (row % 64) & 1) == (row >= 210 && row < 420 ? 1 : 0));
  }
  const std::vector<std::uint32_t> rows{5, 74, 75, 999};  // counted from 5
  std::vector<std::int64_t> out(rows.size());
  REQUIRE(rle_codec().gather(parts, facts, {rows, 5}, reinterpret_cast<std::byte*>(out.data())));
  CHECK(out == std::vector<std::int64_t>{0, 0, 1, 14});
}

}  // namespace otolith::codec
