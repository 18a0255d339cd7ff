// A user's codec through the public header, sound, failing and lying.
#include <doctest/doctest.h>

#include <stdexcept>

#include "base/error.h"
#include "base/limits.h"
#include "codec/lengths.h"
#include "codec/registry.h"
#include "codec/user_codec.h"
#include "model/array.h"
#include "test/budget.h"
#include "test/halves_codec.h"
#include "test/pages.h"
#include "test/random_batch.h"

namespace otolith::codec {

namespace {

using test::Halves;
using test::HalvesCodec;

std::unique_ptr<const Codec> codec_of(Halves how = {}) {
  return user_codec(std::make_unique<HalvesCodec>(how));
}

std::string refusal(std::unique_ptr<const UserCodec> codec) {
  try {
    otolith::codec_register(std::move(codec));
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    return error.message();
  }
  return {};
}

bool holds(const std::string& message, const std::string& part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

// One page of a codec, and what it says of it.
struct OnePage {
  EncodedChunk encoded;
  Page page;

  OnePage(const Codec& codec, const Array& chunk)
      : encoded(chunk_parts(codec, chunk, kPageRowsMax)) {
    page.parts.values = encoded.values;
    page.facts = {chunk.type, chunk.length, 0, false, 0};
  }
};

}  // namespace

TEST_CASE("user codec: numbers and text of every type come back, with nulls and without") {
  std::mt19937_64 random(test::seed());
  const auto codec = codec_of();
  for (const std::uint64_t rows : {1u, 1000u, 9000u}) {
    for (const Array& column : test::random_batch(random, rows).columns) {
      if (!codec->fits(column.type)) continue;
      const Array back = test::encoded_and_back(*codec, column, kPageRowsMax);
      REQUIRE(test::same_array(back, column));
    }
  }
}

TEST_CASE("user codec: one that lies about its rows is found out before memory is touched") {
  std::mt19937_64 random(test::seed());
  const Array numbers = test::random_array(random, {TypeKind::int64}, 500, false);
  const Array texts = test::random_array(random, {TypeKind::string}, 500, false);
  for (const Array& chunk : {numbers, texts}) {
    for (const Halves& how : {Halves{.short_rows = 1}, Halves{.short_values = 8}}) {
      const auto codec = codec_of(how);
      CHECK(page_flaw(*codec, OnePage(*codec, chunk).page) != "");
    }
    const auto sound = codec_of();
    CHECK(page_flaw(*sound, OnePage(*sound, chunk).page) == "");
  }
}

TEST_CASE("user codec: what it throws is a flaw of the page, or an error of the write") {
  const Array chunk = model::array_of_nulls({TypeKind::int64}, 5);
  const auto sound = codec_of();
  const OnePage one(*sound, chunk);
  const auto failing = codec_of({.throws = true});
  CHECK(holds(std::string(page_flaw(*failing, one.page)), "\"halves\" says: no"));
  try {
    codec_of({.throws = true})->encode(chunk, kPageRowsMax);
    FAIL("it was encoded");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(holds(error.message(), "could not encode a page: no"));
  }
}

TEST_CASE("user codec: every flipped bit and cut of a page ends in a flaw or in its room") {
  std::mt19937_64 random(test::seed());
  const auto codec = codec_of();
  for (const TypeKind kind : {TypeKind::int32, TypeKind::string}) {
    const OnePage one(*codec, test::random_array(random, {kind}, 40, false));
    const BytesView view = one.encoded.values.bytes;
    Bytes bytes(view.begin(), view.end());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      bytes[bit / 8] ^= mask;
      REQUIRE(test::stays_in_room(*codec, bytes, one.page.facts));
      bytes[bit / 8] ^= mask;
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(size);
      Page page = one.page;
      page.parts.values = buffer_of(Bytes(bytes.begin(), end));
      REQUIRE(page_flaw(*codec, page) != "");
    }
    store_le(bytes.data(), kPageTextBytesMax + 1);
    Page page = one.page;
    page.parts.values = buffer_of(bytes);
    CHECK(page_flaw(*codec, page) == kTextTooLong);
  }
}

TEST_CASE("user codec: registering says which ids and names are taken, reserved or impossible") {
  CHECK(holds(refusal(nullptr), "no codec"));
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.id = 1023})), "begin at 1024"));
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.name = "alp"})), "Otolith's"));
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.name = "a b"})), "letters"));
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.version = 0})), "begin at 1"));
  CHECK(refusal(std::make_unique<HalvesCodec>(Halves{.id = 2000, .name = "one"})).empty());
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.id = 2000, .name = "two"})), "taken"));
  CHECK(holds(refusal(std::make_unique<HalvesCodec>(Halves{.id = 2001, .name = "one"})), "taken"));
  CHECK(codec_asked("hot", {TypeKind::int64}) == nullptr);
  CHECK(codec_asked("codec:one", {TypeKind::int64})->name() == "one");
  CHECK_THROWS_AS(codec_asked("codec:none", {TypeKind::int64}), Error);
  CHECK_THROWS_AS(codec_asked("codec:one", {TypeKind::float32}), Error);
}

}  // namespace otolith::codec
