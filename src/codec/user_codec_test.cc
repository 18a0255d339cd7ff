// A user's codec through the public header, sound, failing and lying.
#include <doctest/doctest.h>

#include <new>
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

template <typename Call>
std::string told(ErrorCode code, Call call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.message();
  }
  return {};
}

std::string told_encoding(const Codec& codec, const Array& chunk, ErrorCode code) {
  return told(code, [&] { (void)codec.encode(chunk, kPageRowsMax); });
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
  const auto plain = codec_of({.fails = [] { throw std::runtime_error("no"); }});
  CHECK(page_flaw(*plain, one.page) == "codec \"halves\" says: no");
  CHECK(told_encoding(*plain, chunk, ErrorCode::invalid_argument) ==
        "codec \"halves\" could not encode a page: no");
  const auto foreign = codec_of({.fails = [] { throw 7; }});  // NOLINT: users may
  CHECK(holds(std::string(page_flaw(*foreign, one.page)), "\"halves\" says: an exception of a"));
  CHECK(holds(told_encoding(*foreign, chunk, ErrorCode::invalid_argument), "an exception of a"));
  const auto typed = codec_of({.fails = [] { throw Error(ErrorCode::cancelled, "stop"); }});
  CHECK(told_encoding(*typed, chunk, ErrorCode::cancelled) ==
        "codec \"halves\" could not encode a page: stop");
  CHECK(told(ErrorCode::cancelled, [&] { (void)page_flaw(*typed, one.page); }) ==
        "codec \"halves\" says: stop");
}

TEST_CASE("user codec: too little memory is a limit and no damage, writing or reading") {
  const Array chunk = model::array_of_nulls({TypeKind::int64}, 5);
  const OnePage one(*codec_of(), chunk);
  const auto poor = codec_of({.fails = [] { throw std::bad_alloc(); }});
  const std::string words = "codec \"halves\" has no memory for a page; free some and try again";
  CHECK(told_encoding(*poor, chunk, ErrorCode::limit) == words);
  CHECK(told(ErrorCode::limit, [&] { (void)page_flaw(*poor, one.page); }) == words);
}

TEST_CASE("user codec: what it throws at a page that it decoded before names it, too") {
  const Array chunk = model::array_of_nulls({TypeKind::int64}, 5);
  bool second = false;
  const auto codec = codec_of({.fails = [&] {
    if (second) throw std::runtime_error("no more");
  }});
  const OnePage one(*codec, chunk);
  REQUIRE(page_flaw(*codec, one.page) == "");
  second = true;
  CHECK(told(ErrorCode::corrupt, [&] { (void)pages_decode(*codec, {&one.page, 1}); }) ==
        "codec \"halves\" says: no more");
}

TEST_CASE("user codec: what it is handed begins at a multiple of 8, wherever the page lies") {
  // Notes where everything began that it was handed.
  class Wary final : public UserCodec {
   public:
    explicit Wary(bool* sound) : sound_(sound) {}
    std::uint16_t id() const noexcept override { return kUserCodecFirst + 30; }
    std::uint16_t version() const noexcept override { return 1; }
    std::string_view name() const noexcept override { return "wary"; }
    bool fits(Type) const noexcept override { return true; }
    std::vector<std::byte> encode(const Array& page) const override {
      look(page.values.bytes);
      look(page.offsets.bytes);
      return halves_.encode(page);
    }
    Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const override {
      look(bytes);
      return halves_.decode(bytes, type, rows);
    }

   private:
    void look(BytesView bytes) const {
      *sound_ &= bytes.empty() || reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0;
    }
    bool* sound_;
    HalvesCodec halves_;
  };
  std::mt19937_64 random(test::seed());
  bool sound = true;
  const auto codec = user_codec(std::make_unique<Wary>(&sound));
  const auto moved = [](const Buffer& from) {  // one byte on
    Bytes bytes(from.bytes.size() + 1);
    std::ranges::copy(from.bytes, bytes.begin() + 1);
    Buffer out = buffer_of(std::move(bytes));
    out.bytes = out.bytes.subspan(1);
    return out;
  };
  for (const TypeKind kind : {TypeKind::int64, TypeKind::string}) {
    const Array chunk = test::random_array(random, {kind}, 40, false);
    OnePage one(*codec, chunk);
    one.page.parts.values = moved(one.page.parts.values);
    REQUIRE(page_flaw(*codec, one.page) == "");
    (void)pages_decode(*codec, {&one.page, 1});
    CHECK(sound);
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
