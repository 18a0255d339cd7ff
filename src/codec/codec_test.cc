#include <doctest/doctest.h>

#include <functional>

#include "base/limits.h"
#include "codec/raw.h"
#include "codec/registry.h"
#include "test/budget.h"
#include "test/random_batch.h"
#include "test/swap_codec.h"

namespace otolith::codec {

namespace {

PageFacts facts_of(const Array& page, const Array& chunk) {
  return {page.type, page.length, page.null_count, chunk.null_count != 0};
}

Buffer piece(const Buffer& part, Extent extent) {
  return extent.bytes == 0 ? Buffer{}
                           : Buffer{part.owner, part.bytes.subspan(extent.at, extent.bytes)};
}

// The parts of rows first..first+page.length-1, which are whole pages.
Parts parts_of(const Codec& codec, const EncodedChunk& chunk, const PageFacts& facts,
               std::uint64_t first, std::uint32_t page_rows) {
  const PagePlace& place = chunk.pages[first / page_rows];
  const PagePlace& last = chunk.pages[(first + facts.rows - 1) / page_rows];
  const PageExtents at = page_extents(codec, facts, first, place, last);
  return {piece(chunk.validity, at.validity), piece(chunk.offsets, at.offsets),
          piece(chunk.values, at.values), at.values.at};
}

Array rows_of(const Codec& codec, const Page& page) {
  return codec.mappable() ? pages_view(codec, page) : pages_decode(codec, {&page, 1});
}

// Every page of a chunk comes back value for value.
void round_trip(const Codec& codec, const Array& chunk) {
  const std::uint32_t page_rows = kBlockRows;
  const EncodedChunk encoded = chunk_parts(codec, chunk, page_rows);
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const Array page =
        model::array_slice(chunk, first, std::min<std::uint64_t>(page_rows, chunk.length - first));
    const PageFacts facts = facts_of(page, chunk);
    const Parts parts = parts_of(codec, encoded, facts, first, page_rows);
    REQUIRE(page_flaw(codec, {parts, facts}) == "");
    REQUIRE(test::same_array(rows_of(codec, {parts, facts}), page));
  }
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::cancelled;
}

}  // namespace

TEST_CASE(
    "codec: every type comes back value for value, whole chunks and pages, with nulls and "
    "without") {
  std::mt19937_64 random(test::seed());
  const test::SwapCodec swap;
  for (const std::uint64_t rows : {1u, 7u, 1024u, 1025u, 5000u}) {
    const Batch batch = test::random_batch(random, rows);
    for (const Array& column : batch.columns) {
      round_trip(raw_codec(), column);
      round_trip(swap, column);
      if (rows > 9) round_trip(raw_codec(), model::array_slice(column, 9, rows - 9));
    }
  }
}

TEST_CASE("codec: raw changes nothing: the parts of a chunk are its own memory") {
  std::mt19937_64 random(test::seed());
  const Array numbers = test::random_array(random, {TypeKind::int64}, 3000, false);
  const EncodedChunk encoded = chunk_parts(raw_codec(), numbers, kBlockRows);
  CHECK(encoded.values.bytes.data() == numbers.values.bytes.data());
  CHECK(raw_codec().analyze(numbers) == 24'000);
  const Array texts = test::random_array(random, {TypeKind::string}, 3000, true);
  CHECK(raw_codec().encode(texts, kBlockRows).values.bytes.data() == texts.values.bytes.data());
}

TEST_CASE("codec: raw names what is wrong with hostile bytes") {
  std::mt19937_64 random(test::seed());
  const Array chunk = test::random_array(random, {TypeKind::string}, 100, true);
  const EncodedChunk encoded = chunk_parts(raw_codec(), chunk, kBlockRows);
  const PageFacts facts = facts_of(chunk, chunk);
  const Parts sound = parts_of(raw_codec(), encoded, facts, 0, kBlockRows);
  REQUIRE(page_flaw(raw_codec(), {sound, facts}) == "");
  const auto flawed = [&](auto change) {
    Parts parts = sound;
    PageFacts said = facts;
    change(parts, said);
    return !page_flaw(raw_codec(), {parts, said}).empty();
  };
  const auto with_offset = [&](std::uint64_t row, std::int64_t offset) {
    Bytes bytes(sound.offsets.bytes.begin(), sound.offsets.bytes.end());
    store_le(&bytes[row * 8], offset);
    return buffer_of(std::move(bytes));
  };
  CHECK(flawed([&](Parts& parts, PageFacts&) { parts.offsets = with_offset(50, 1 << 20); }));
  CHECK(flawed([&](Parts& parts, PageFacts&) { parts.offsets = with_offset(0, -1); }));
  CHECK(flawed([&](Parts& parts, PageFacts&) { parts.offsets = with_offset(100, INT64_MAX); }));
  CHECK(
      flawed([&](Parts& parts, PageFacts&) { parts.values.bytes = parts.values.bytes.first(1); }));
  CHECK(flawed([&](Parts& parts, PageFacts&) { parts.validity = {}; }));
  CHECK(flawed([&](Parts&, PageFacts& said) { ++said.null_count; }));
  CHECK(flawed([&](Parts&, PageFacts& said) { ++said.rows; }));
  CHECK(flawed([&](Parts&, PageFacts& said) { said.chunk_has_nulls = false; }));
  CHECK(flawed([&](Parts& parts, PageFacts&) {
    Bytes bytes(parts.validity.bytes.begin(), parts.validity.bytes.end());
    bytes.back() |= std::byte{0x80};  // behind the hundredth row
    parts.validity = buffer_of(std::move(bytes));
  }));
}

TEST_CASE("codec: a chunk that needs an unknown codec or a later version says which") {
  const auto ask = [](std::uint16_t id, std::uint16_t version) {
    return code_of([&] { codec_for({CodecId{id}, version}, "segments/x.seg", 160); });
  };
  CHECK(ask(1, 1) == ErrorCode::cancelled);
  CHECK(ask(1, 2) == ErrorCode::unsupported_format);
  CHECK(ask(1, 0) == ErrorCode::unsupported_format);
  CHECK(ask(2, 1) == ErrorCode::cancelled);
  CHECK(ask(2, 2) == ErrorCode::unsupported_format);
  CHECK(ask(100, 1) == ErrorCode::unsupported_format);
  try {
    codec_for({CodecId{0x9000}, 1}, "segments/x.seg", 160, "turbo");
    FAIL("it was found");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("codec \"turbo\" (id 36864") != std::string::npos);
    CHECK(error.where().file == "segments/x.seg");
  }
}

TEST_CASE(
    "codec: a user's codec is found once it is registered; our ids and taken ones are refused") {
  const auto key = test::kSwapCodec;
  CHECK(code_of([&] { codec_for(key, "f", 0); }) == ErrorCode::unsupported_format);
  codec_register(std::make_unique<test::SwapCodec>());
  CHECK(codec_for(key, "f", 0).name() == "swap");
  CHECK(codec_for({key.id, 1}, "f", 0).name() == "swap");
  CHECK(code_of([&] { codec_for({key.id, 4}, "f", 0); }) == ErrorCode::unsupported_format);
  CHECK(code_of([] { codec_register(std::make_unique<test::SwapCodec>()); }) ==
        ErrorCode::invalid_argument);
  CHECK(code_of([&] { codec_for(key, "f", 0, "swap"); }) == ErrorCode::cancelled);
  CHECK(code_of([&] { codec_for(key, "f", 0, "other"); }) == ErrorCode::unsupported_format);
  CHECK(code_of([] { profile_of("fast"); }) == ErrorCode::invalid_argument);
}

}  // namespace otolith::codec
