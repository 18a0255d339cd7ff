// The bytes of msgpack: heads, canonical form, and what is refused.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "document/builder.h"
#include "document/canonical.h"
#include "document/msgpack.h"
#include "document/value.h"
#include "test/refusal.h"

namespace otolith::document {

namespace {

using test::tells;

Bytes hex_bytes(std::string_view digits) {
  Bytes out;
  std::string pair;
  for (const char c : digits) {
    if (c == ' ') continue;
    pair += c;
    if (pair.size() < 2) continue;
    out.push_back(static_cast<std::byte>(std::stoul(pair, nullptr, 16)));
    pair.clear();
  }
  return out;
}

std::string hex_text(BytesView bytes) {
  std::string out;
  for (const std::byte byte : bytes)
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  return out;
}

std::string form_of(std::string_view digits) { return hex_text(canonical(hex_bytes(digits))); }

std::string refusal(const Bytes& bytes, ErrorCode code = ErrorCode::invalid_argument) {
  return test::refusal_of([&] { (void)canonical(bytes); }, code);
}

template <typename Put>
std::string written(Put put) {
  Builder out;
  put(out);
  return hex_text(out.take());
}

// Maps or arrays within one another.
Bytes nested(std::size_t levels) {
  Bytes out(levels, std::byte{0x91});
  out.push_back(std::byte{0xc0});
  return out;
}

}  // namespace

TEST_CASE("canonical: integers take their shortest form, from 0 on the unsigned one") {
  CHECK(form_of("d3 00 00 00 00 00 00 00 05") == "05");
  CHECK(form_of("d0 7f") == "7f");
  CHECK(form_of("d1 00 80") == "cc 80");
  CHECK(form_of("cf 00 00 00 00 00 00 01 00") == "cd 01 00");
  CHECK(form_of("cf 00 00 00 00 ff ff ff ff") == "ce ff ff ff ff");
  CHECK(form_of("cf ff ff ff ff ff ff ff ff") == "cf ff ff ff ff ff ff ff ff");
  CHECK(form_of("d3 ff ff ff ff ff ff ff ff") == "ff");
  CHECK(form_of("d1 ff e0") == "e0");
  CHECK(form_of("d2 ff ff ff df") == "d0 df");
  CHECK(form_of("d3 ff ff ff ff ff ff ff 7f") == "d1 ff 7f");
  CHECK(form_of("d3 ff ff ff ff 80 00 00 00") == "d2 80 00 00 00");
  CHECK(form_of("d3 80 00 00 00 00 00 00 00") == "d3 80 00 00 00 00 00 00 00");
}

TEST_CASE("canonical: floats have 64 bits, and there is one NaN") {
  CHECK(form_of("ca 3f c0 00 00") == "cb 3f f8 00 00 00 00 00 00");
  CHECK(form_of("ca 80 00 00 00") == "cb 80 00 00 00 00 00 00 00");
  CHECK(form_of("cb ff f8 00 00 00 00 00 01") == "cb 7f f8 00 00 00 00 00 00");
  CHECK(form_of("ca 7f a0 00 00") == "cb 7f f8 00 00 00 00 00 00");
  CHECK(form_of("cb 7f f0 00 00 00 00 00 00") == "cb 7f f0 00 00 00 00 00 00");
}

TEST_CASE("canonical: lengths and counts take their shortest form") {
  CHECK(form_of("db 00 00 00 01 61") == "a1 61");
  CHECK(form_of("da 00 01 61") == "a1 61");
  CHECK(form_of("c6 00 00 00 01 61") == "c4 01 61");
  CHECK(form_of("dd 00 00 00 01 c0") == "91 c0");
  CHECK(form_of("dc 00 01 c0") == "91 c0");
  CHECK(form_of("df 00 00 00 01 a1 61 de 00 00") == "81 a1 61 80");
  Builder out;
  const std::string text(300, 'x');
  out.begin_array();
  for (int i = 0; i < 20; ++i) out.string(text);
  out.end();
  const Bytes long_one = out.take();
  CHECK(hex_text(BytesView(long_one).first(6)) == "dc 00 14 da 01 2c");
  CHECK(canonical(long_one) == long_one);
}

TEST_CASE("canonical: times take their shortest form") {
  CHECK(form_of("d6 ff 00 00 00 01") == "d6 ff 00 00 00 01");
  CHECK(form_of("c7 04 ff 00 00 00 01") == "d6 ff 00 00 00 01");
  CHECK(form_of("c7 0c ff 00 00 00 00 00 00 00 00 00 00 00 01") == "d6 ff 00 00 00 01");
  CHECK(form_of("d7 ff 00 00 00 04 00 00 00 01") == "d7 ff 00 00 00 04 00 00 00 01");
  CHECK(form_of("c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff") ==
        "c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff");
  for (const std::int64_t ns :
       {kTimestampMin.ns, kTimestampMin.ns + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
        4'294'967'296'000'000'000, kTimestampMax.ns}) {
    Builder out;
    out.timestamp({ns});
    const Bytes bytes = out.take();
    CHECK(Value(bytes).timestamp().ns == ns);
    CHECK(canonical(bytes) == bytes);
  }
}

TEST_CASE("canonical: what is no document's value is refused, with its byte") {
  CHECK(tells(refusal(hex_bytes("")), "byte 0"));
  CHECK(tells(refusal(hex_bytes("c1")), "byte 0"));
  CHECK(tells(refusal(hex_bytes("c0 c0")), "something follows"));
  CHECK(tells(refusal(hex_bytes("92 01 d4 05 00")), "byte 2"));
  CHECK(tells(refusal(hex_bytes("d4 05 00")), "extension"));
  CHECK(tells(refusal(hex_bytes("d4 ff 00")), "timestamp"));
  CHECK(tells(refusal(hex_bytes("d7 ff ff ff ff ff 00 00 00 01")), "timestamp"));
  CHECK(tells(refusal(hex_bytes("c7 0c ff 00 00 00 00 00 00 00 03 00 00 00 00")), "2262"));
  CHECK(tells(refusal(hex_bytes("81 01 02")), "key is no text"));
  CHECK(tells(refusal(hex_bytes("81 a1 ff 02")), "UTF-8"));
  CHECK(tells(refusal(hex_bytes("a3 ed a0 80")), "UTF-8"));
  CHECK(tells(refusal(hex_bytes("82 a1 61 01 a1 61 02")), "msgpack at byte 4: the key \"a\""));
  CHECK(tells(refusal(hex_bytes("92 01 cd")), "byte 2"));
  CHECK(tells(refusal(hex_bytes("cd 01")), "byte 0"));
}

TEST_CASE("canonical: claims beyond the bytes left take no memory") {
  for (const std::string_view claim :
       {"c6 40 00 00 00", "db 40 00 00 00", "dd 40 00 00 00", "df 40 00 00 00", "c9 40 00 00 00 ff",
        "dd ff ff ff ff", "df ff ff ff ff", "91 df 7f ff ff ff"}) {
    Bytes bytes = hex_bytes(claim);
    bytes.resize(20);
    CHECK(tells(refusal(bytes), "bytes left"));
    CHECK_THROWS_AS((void)Value(bytes).bytes(), Error);
  }
}

TEST_CASE("canonical: a key twice is found among few and among many") {
  for (const int keys : {2, 12, 13, 14, 40, 1000}) {
    for (const int again : {0, 1, keys / 2, keys - 1}) {
      Builder out;
      out.begin_map();
      for (int i = 0; i < keys; ++i) {
        out.key(fmt::format("key {}", i));
        out.integer(i);
      }
      out.key(fmt::format("key {}", again), 7);
      out.null();
      const auto twice = out.end_or_twice();
      REQUIRE(twice);
      CHECK(twice->mark == 7);
      CHECK(twice->key == fmt::format("key {}", again));
      CHECK_THROWS_AS(out.end(), Error);
    }
  }
}

TEST_CASE("canonical: 128 levels are taken, more are too deep, however many") {
  CHECK(canonical(nested(kDocumentDepthMax)) == nested(kDocumentDepthMax));
  CHECK(tells(refusal(nested(kDocumentDepthMax + 1), ErrorCode::limit), "128 levels"));
  CHECK(tells(refusal(nested(1'000'000), ErrorCode::limit), "128 levels"));
  CHECK(value_size(nested(1'000'000)) == 1'000'001);
}

TEST_CASE("canonical: 16 MiB are taken, a byte more is too much") {
  Builder out;
  const std::string text(kDocumentBytesMax - 5, 'x');
  out.string(text);
  const Bytes most = out.take();
  CHECK(most.size() == kDocumentBytesMax);
  CHECK(canonical(most) == most);
  const auto more = [&] {
    out.string(text + "x");
    (void)out.take();
  };
  CHECK_THROWS_AS(more(), Error);
  out.clear();
  const auto many = [&] {
    out.begin_array();
    for (std::size_t i = 0; i < kDocumentBytesMax; ++i) out.null();
    out.end();
    (void)out.take();
  };
  CHECK_THROWS_AS(many(), Error);
}

TEST_CASE("builder: a count that is known, unknown or wrong gives the same bytes") {
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 65'535u, 65'536u}) {
    const auto put = [&](std::optional<std::size_t> said) {
      return written([&](Builder& out) {
        out.begin_map();
        out.key("before");
        out.integer(1);
        out.key("items");
        out.begin_array(said);
        for (std::size_t i = 0; i < count; ++i) out.integer(static_cast<std::int64_t>(i % 100));
        out.end();
        out.key("behind");
        out.string("b");
        out.end();
      });
    };
    const std::string known = put(count);
    CHECK(put({}) == known);
    CHECK(put(0) == known);
    CHECK(put(70'000) == known);
    CHECK(hex_text(canonical(hex_bytes(known))) == known);
  }
}

TEST_CASE("builder: headers that grow within one another keep all keys and values") {
  Builder out;
  constexpr int kLevels = 100;
  for (int level = 0; level < kLevels; ++level) {
    out.begin_map();
    for (int i = 0; i < 20; ++i) {
      out.key(fmt::format("k{}", i));
      out.integer(i);
    }
    out.key("in");
  }
  out.null();
  for (int level = 0; level < kLevels; ++level) out.end();
  const Bytes bytes = out.take();
  CHECK(canonical(bytes) == bytes);
  Value value(bytes);
  for (int level = 0; level < kLevels; ++level) {
    CHECK(value.size() == 21);
    CHECK(value.find("k19")->integer() == 19);
    value = *value.find("in");
  }
  CHECK(value.is_null());
}

}  // namespace otolith::document
