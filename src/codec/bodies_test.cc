// Bodies of documents, one by one.
#include "codec/bodies.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/limits.h"
#include "codec/body_dictionary.h"
#include "codec/lengths.h"
#include "codec/registry.h"
#include "model/array.h"
#include "test/budget.h"
#include "test/pages.h"

namespace otolith::codec {

namespace {

std::string body(std::mt19937_64& random, std::uint64_t row) {
  constexpr const char* kCities[] = {"Oslo", "Rome", "Lima", "Kyoto", "Accra"};
  std::string out = "{name: Ana, number: " + std::to_string(row) + ", address: {city: ";
  out += kCities[random() % 5];
  out += ", street: north street " + std::to_string(random() % 1000) + "}, visits: [";
  for (int i = 0; i < 3; ++i) out += std::to_string(random() % 1000) + ", ";
  out += "], note: ";
  constexpr const char* kWords[] = {"late ", "order ", "paid ", "again ", "never ", "north "};
  for (int i = 0; i < 20; ++i) out += kWords[random() % 6];
  return out + ", key: " + std::to_string(random() % 1'000'000) + "}";
}

Array bodies_of(std::uint64_t rows, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  model::ArrayBuilder builder({TypeKind::binary});
  for (std::uint64_t row = 0; row < rows; ++row) builder.append_text(body(random, row));
  return builder.finish();
}

// What one page of a chunk of 1,024 rows at most is made of, to be changed.
struct Hostile {
  Bytes shared;
  Bytes page;
  PageFacts facts;

  explicit Hostile(const Array& chunk) {
    const EncodedChunk encoded = chunk_parts(bodies_codec(), chunk, kBlockRows);
    shared.assign(encoded.offsets.bytes.begin(), encoded.offsets.bytes.end());
    page.assign(encoded.values.bytes.begin(), encoded.values.bytes.end());
    facts = {chunk.type, chunk.length, 0, false, shared.size()};
  }
  Page made() const { return {{{}, buffer_of(shared), buffer_of(page), 0}, facts}; }
  std::string flaw() const { return std::string(page_flaw(bodies_codec(), made())); }
  void put(std::size_t at, std::uint32_t value) { store_le(page.data() + at, value); }
  std::uint32_t get(std::size_t at) const { return load_le<std::uint32_t>(page.data() + at); }
};

}  // namespace

TEST_CASE("bodies: each row alone is what all rows give, and is small") {
  const Array chunk = bodies_of(5000, test::seed());
  const EncodedChunk encoded = chunk_parts(bodies_codec(), chunk, kBlockRows);
  const auto pages = test::pages_of(bodies_codec(), chunk, encoded, kBlockRows);
  std::uint64_t row = 0;
  for (const Page& page : pages) {
    REQUIRE(page_flaw(bodies_codec(), page) == "");
    for (std::uint64_t i = 0; i < page.facts.rows; ++i, ++row) {
      std::string out = "of before";
      REQUIRE(page_pick(bodies_codec(), page, i, out) == Picked::told);
      REQUIRE(out == chunk.text(row));
    }
  }
  CHECK(row == chunk.length);
  CHECK(encoded.offsets.bytes.size() + encoded.values.bytes.size() <
        chunk.values.bytes.size() * 6 / 10);
  CHECK(test::same_plain(test::encoded_and_back(bodies_codec(), chunk, kBlockRows), chunk));
}

TEST_CASE("bodies: rows of every small size are told one by one, into a string that is new") {
  const Array others = bodies_of(2000, test::seed());
  model::ArrayBuilder builder(others.type);
  for (std::uint64_t row = 0; row < others.length; ++row) {
    builder.append_text(others.text(row));
    builder.append_text(others.text(0).substr(0, row % 128));
  }
  const Array chunk = builder.finish();
  const EncodedChunk encoded = chunk_parts(bodies_codec(), chunk, kBlockRows);
  std::uint64_t row = 0;
  for (const Page& page : test::pages_of(bodies_codec(), chunk, encoded, kBlockRows)) {
    for (std::uint64_t i = 0; i < page.facts.rows; ++i, ++row) {
      std::string out;
      REQUIRE(page_pick(bodies_codec(), page, i, out) == Picked::told);
      REQUIRE(out == chunk.text(row));
    }
  }
  CHECK(row == chunk.length);
}

TEST_CASE("bodies: few bytes, and texts that are too long for a page, are left to others") {
  CHECK_FALSE(bodies_codec().analyze(bodies_of(300)));
  CHECK(bodies_codec().analyze(bodies_of(2000)));
  CHECK_FALSE(bodies_codec().fits({TypeKind::string}));
  model::ArrayBuilder builder({TypeKind::binary});
  for (int i = 0; i < 33; ++i) builder.append_text(std::string(1 << 20, 'x'));
  CHECK(codec_choose(Profile::small, builder.finish()).name() == "raw");
}

TEST_CASE("bodies: whether texts are too long for a page is judged by the rows that it has") {
  std::mt19937_64 random(1);
  model::ArrayBuilder builder({TypeKind::binary});
  for (int i = 0; i < 8192; ++i) {  // 5 KiB each: 40 MiB of 8,192 rows, 5 of 1,024
    std::string text;
    while (text.size() < 5 << 10) text += fmt::format("word {} ", random() % 1000);
    builder.append_text(text);
  }
  const Array chunk = builder.finish();
  CHECK(codec_choose(Profile::hot, chunk).name() == "raw");
  const Codec& chosen = codec_choose(Profile::hot, chunk, kBlockRows);
  CHECK(chosen.name() != "raw");
  const EncodedChunk encoded = chunk_parts(chosen, chunk, kBlockRows);
  CHECK(encoded.values.bytes.size() < chunk.values.bytes.size() * 6 / 10);
  CHECK(test::same_plain(test::encoded_and_back(chosen, chunk, kBlockRows), chunk));
}

TEST_CASE("bodies: documents are stored so under hot, noise and tables' words are not") {
  CHECK(&codec_choose(Profile::hot, bodies_of(20'000)) == &bodies_codec());
  CHECK(&codec_choose(Profile::raw, bodies_of(2000)) != &bodies_codec());
  std::mt19937_64 random(1);
  model::ArrayBuilder noise({TypeKind::binary});
  for (int i = 0; i < 2000; ++i) {
    std::string text(200, ' ');
    for (char& byte : text) byte = static_cast<char>(random());
    noise.append_text(text);
  }
  CHECK(&codec_choose(Profile::hot, noise.finish()) != &bodies_codec());
}

TEST_CASE("bodies: a page that lies about its texts has a flaw, and its rows alone have") {
  const Array chunk = bodies_of(900);
  const auto flawed_row = [](const Hostile& of, std::uint64_t row) {
    std::string out;
    return page_pick(bodies_codec(), of.made(), row, out) == Picked::flawed;
  };
  REQUIRE(Hostile(chunk).flaw() == "");
  Hostile fewer(chunk);
  fewer.put(0, fewer.get(0) - 1);
  CHECK(fewer.flaw() == "its texts have another size than it says");
  Hostile more(chunk);
  more.put(0, more.get(0) + 1);
  CHECK(more.flaw() == "its texts have another size than it says");
  Hostile unordered(chunk);
  unordered.put(8 + 4 * 10, unordered.get(8 + 4 * 12));
  CHECK(unordered.flaw() != "");
  CHECK(flawed_row(unordered, 11));
  Hostile beyond(chunk);
  beyond.put(8 + 4 * 10, UINT32_MAX);
  CHECK(beyond.flaw() == "the ends of its texts are not in order");
  CHECK(flawed_row(beyond, 10));
  CHECK(flawed_row(beyond, 11));
  Hostile large(chunk);
  large.put(0, kPageTextBytesMax + 1);
  CHECK(large.flaw() == kTextTooLong);
  CHECK(flawed_row(large, 0));
  Hostile small(chunk);
  small.put(0, 4);
  CHECK(flawed_row(small, 0));
  Hostile dictionary(chunk);
  dictionary.shared[0] = std::byte{0xff};
  CHECK(dictionary.flaw() == "its dictionary has a wrong size");
  CHECK(flawed_row(dictionary, 0));
}

TEST_CASE("bodies: every flipped bit and every cut of a page is a flaw or in its room") {
  Hostile of(bodies_of(40, test::seed()));
  const auto flip_all = [&](Bytes& bytes, std::size_t step) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += step) {
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      bytes[bit / 8] ^= mask;
      REQUIRE(test::stays_in_room(bodies_codec(), of.page, of.facts, of.shared));
      bytes[bit / 8] ^= mask;
    }
  };
  flip_all(of.page, 3);
  flip_all(of.shared, 7);
  for (std::size_t size = 0; size < of.page.size(); ++size) {
    Hostile cut = of;
    cut.page.resize(size);
    REQUIRE(cut.flaw() != "");
    std::string out;
    REQUIRE(page_pick(bodies_codec(), cut.made(), 3, out) == Picked::flawed);
  }
}

TEST_CASE("bodies: a frame that says 64 MiB is refused by what the page says") {
  // A frame of one block that repeats a byte, of a size of 8 bytes, without its magic.
  ByteWriter frame;
  frame.put(std::uint8_t{0xe0});
  frame.put(std::uint64_t{1} << 26);
  frame.put(std::uint8_t{0x03});
  frame.put(std::uint16_t{0});
  frame.put(std::uint8_t{'x'});
  ByteWriter page;
  page.put(std::uint32_t{1 << 20});
  page.put(static_cast<std::uint32_t>(frame.size()));
  page.put(static_cast<std::uint32_t>(frame.size()));
  page.put_bytes(frame.view());
  page.align(8);
  const PageFacts facts{{TypeKind::binary}, 1, 0, false, 8};
  const Page made{{{}, buffer_of(Bytes(8)), buffer_of(page.take()), 0}, facts};
  CHECK(page_flaw(bodies_codec(), made) == "its texts have another size than it says");
  std::string out;
  CHECK(page_pick(bodies_codec(), made, 0, out) == Picked::flawed);
}

}  // namespace otolith::codec
