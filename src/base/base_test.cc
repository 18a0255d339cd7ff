#include <doctest/doctest.h>
#include <xxhash.h>

#include <random>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "test/budget.h"

namespace otolith {

TEST_CASE("bytes: a varint written is the varint read, and a longer form of it is refused") {
  for (const std::uint64_t value : {0ull, 1ull, 127ull, 128ull, 300ull, ~0ull}) {
    ByteWriter out;
    out.put_varint(value);
    ByteReader in(out.view());
    CHECK(in.get_varint() == value);
    in.expect_end();
  }
  const std::array<std::byte, 2> padded{std::byte{0x80}, std::byte{0}};
  ByteReader in(padded);
  CHECK_THROWS_AS(in.get_varint(), Error);
}

TEST_CASE("bytes: a reader never passes the end, and a hostile count never reserves memory") {
  ByteWriter out;
  out.put_varint(1ull << 40);
  ByteReader counts(out.view());
  CHECK_THROWS_AS(counts.get_count(1), Error);
  ByteReader short_one(out.view());
  CHECK_THROWS_AS(short_one.get_bytes(100), Error);
}

TEST_CASE("hash: XXH3 of any length is the library's, whatever vectors there are") {
  std::mt19937_64 random(test::seed());
  Bytes bytes(70'000);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (const std::size_t size : {0u, 7u, 1023u, 1024u, 1025u, 4096u, 65'536u, 69'999u}) {
    for (const std::uint64_t seed : {std::uint64_t{0}, random()}) {
      CHECK(xxh3(BytesView(bytes).first(size), seed) ==
            XXH3_64bits_withSeed(bytes.data(), size, seed));
    }
  }
}

TEST_CASE("hash: BLAKE3 of nothing and XXH3 of nothing are the published values") {
  CHECK(hex(blake3({}).view()) ==
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  CHECK(xxh3({}) == 0x2d06800538d394c2ull);
}

TEST_CASE("hash: pieces hash as the whole") {
  const Bytes bytes(100'000, std::byte{7});
  Blake3 pieces;
  for (std::size_t at = 0; at < bytes.size(); at += 7777) {
    pieces.add(BytesView(bytes).subspan(at, std::min<std::size_t>(7777, bytes.size() - at)));
  }
  CHECK(pieces.finish() == blake3(bytes));
}

TEST_CASE("error: the message names the thing, the place and the code") {
  try {
    throw_corrupt("log/00000001.log", 64, "frame 3 fails its checksum");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(std::string(error.what()) ==
          "corrupt: frame 3 fails its checksum [file log/00000001.log, offset 64]");
  }
}

TEST_CASE("error: a long name is cut between characters") {
  std::string name;
  for (int i = 0; i < 30; ++i) name += "日";
  const std::string cut = quoted(name);
  CHECK(cut == "\"" + name.substr(0, 63) + "…\" (90 bytes)");
}

TEST_CASE("error: the nearest name is offered, a far one is not") {
  CHECK(nearest_hint("fligths", {"flights", "weather"}) == " (did you mean \"flights\"?)");
  CHECK(nearest_hint("xyz", {"flights", "weather"}).empty());
  CHECK(nearest_hint("FLIGHTS", {"weather", "flights"}) == " (did you mean \"flights\"?)");
  CHECK(nearest_hint("S", {"p", "s"}) == " (did you mean \"s\"?)");
  CHECK(nearest_hint("z", {"p", "s"}).empty());
}

TEST_CASE("ids: the text of an id parses back, other texts do not") {
  Id128 id;
  id.bytes[3] = std::byte{0xab};
  Id128 back;
  CHECK(id128_parse(id.text(), back));
  CHECK(back == id);
  CHECK_FALSE(id128_parse("0123", back));
}

TEST_CASE("bytes: leading bytes order texts as their bytes do, wherever they lie in memory") {
  const std::string letters(
      "\0\x01"
      "az\x7f\x80\xff",
      7);
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t at = i; at != 0; at /= letters.size()) text += letters[at % letters.size()];
    texts.push_back(text);
    texts.push_back(text + "0123456789");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& a = texts[i];
    const std::string longer = a + "12345678";
    const std::uint64_t head = leading_bytes(a, as_bytes_view(a));
    CHECK(head ==
          leading_bytes(std::string_view(longer).substr(0, a.size()), as_bytes_view(longer)));
    const std::string& b = texts[i * 7919 % texts.size()];
    const std::uint64_t other = leading_bytes(b, as_bytes_view(b));
    if (head != other)
      CHECK((head < other) == (a < b));
    else if (a.size() == b.size() && a.size() <= 8)
      CHECK(a == b);
  }
}

}  // namespace otolith
