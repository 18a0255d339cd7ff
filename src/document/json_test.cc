// JSON text in and out: what is taken, what is refused and where, and that nothing is lost between.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "document/builder.h"
#include "document/canonical.h"
#include "document/json_documents.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "document/value.h"
#include "test/budget.h"
#include "test/refusal.h"

namespace otolith::document {

namespace {

using test::tells;

std::string again(std::string_view text, const JsonStyle& style = {}) {
  std::string out;
  to_json(from_json(text), out, style);
  return out;
}

std::string refusal(std::string_view text, ErrorCode code = ErrorCode::invalid_argument) {
  return test::refusal_of([&] { (void)from_json(text); }, code);
}

// The value of {"x": <text>}.
std::string number(std::string_view text) {
  const std::string whole = again(fmt::format("{{\"x\":{}}}", text));
  return whole.substr(5, whole.size() - 6);
}

std::string nested(std::size_t levels) {
  std::string out = "{\"x\":";
  out.append(levels - 1, '[').append("1").append(levels - 1, ']');
  return out + "}";
}

}  // namespace

TEST_CASE("JSON: numbers are as they are written: integers whole, floats floats") {
  CHECK(number("1") == "1");
  CHECK(number("1.0") == "1.0");
  CHECK(number("-0") == "0");
  CHECK(number("-0.0") == "-0.0");
  CHECK(number("1e2") == "100.0");
  CHECK(number("0.1") == "0.1");
  CHECK(number("9007199254740993") == "9007199254740993");
  CHECK(number("9223372036854775807") == "9223372036854775807");
  CHECK(number("-9223372036854775808") == "-9223372036854775808");
  CHECK(number("18446744073709551615") == "18446744073709551615");
  CHECK(number("1e22") == "1e+22");
  CHECK(number("1.7976931348623157e308") == "1.7976931348623157e+308");
  CHECK(number("5e-324") == "5e-324");
  CHECK(number("1e-400") == "0.0");
  CHECK(number("-1e-99999999999") == "-0.0");
  CHECK(number("0." + std::string(400, '0') + "1") == "0.0");
  CHECK(number("0." + std::string(400, '0') + "1e401") == "1.0");
}

TEST_CASE("JSON: numbers that no 64 bits hold are refused, and the place is told") {
  CHECK(tells(refusal("{\"x\": 18446744073709551616}"), "JSON line 1, column 7: the integer"));
  CHECK(tells(refusal("{\"x\": -9223372036854775809}"), "more than 64 bits"));
  CHECK(tells(refusal("{\"x\": 1" + std::string(30, '0') + "}"), "more than 64 bits"));
  CHECK(tells(refusal("{\"x\": 1" + std::string(400, '0') + "}"), "beyond what a float64 holds"));
  CHECK(tells(refusal("{\"x\": 1e309}"), "JSON line 1, column 7: a number is beyond"));
  CHECK(tells(refusal("{\"x\": 1.8e308}"), "beyond what a float64 holds"));
  CHECK(tells(refusal("{\"x\": 1" + std::string(320, '0') + ".0}"), "float64"));
}

TEST_CASE("JSON: texts that RFC 8259 takes are taken") {
  for (const std::string_view text :
       {"{}", " \t\r\n{ } \n", "{\"\":0}", "{\"a\":[]}", "{\"a\":{}}",
        "{\"a\":[1,2,[3,{\"b\":null}]]}", "{\"a\":true,\"b\":false}",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"a\":\"\\u0000\"}",
        "{\"\\u0061\":\"\\uD83D\\uDE00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}", "{\"a\":\"\x7f\"}",
        "{\"a\":0e0}", "{\"a\":1E+2}", "{\"a\":1.5e-3}", "{\"a\":-1}", "{\"a\":\"\xe2\x80\xa8\"}",
        "{\"a\":\"\\uFFFF\"}"}) {
    CAPTURE(text);
    CHECK(refusal(text) == "accepted");
    CHECK(again(again(text)) == again(text));
  }
}

TEST_CASE("JSON: texts that RFC 8259 does not take are refused") {
  const std::string_view texts[] = {"",
                                    " ",
                                    "[]",
                                    "1",
                                    "\"a\"",
                                    "null",
                                    "{",
                                    "}",
                                    "{}}",
                                    "{} {}",
                                    "{\"a\"}",
                                    "{\"a\":}",
                                    "{\"a\":1,}",
                                    "{,}",
                                    "{\"a\":1 \"b\":2}",
                                    "{a:1}",
                                    "{'a':1}",
                                    "{\"a\":01}",
                                    "{\"a\":+1}",
                                    "{\"a\":.5}",
                                    "{\"a\":1.}",
                                    "{\"a\":1e}",
                                    "{\"a\":0x1}",
                                    "{\"a\":--1}",
                                    "{\"a\":NaN}",
                                    "{\"a\":Infinity}",
                                    "{\"a\":-Infinity}",
                                    "{\"a\":tru}",
                                    "{\"a\":True}",
                                    "{\"a\":[1,]}",
                                    "{\"a\":[1 2]}",
                                    "{\"a\":[}",
                                    "{\"a\":\"\n\"}",
                                    "{\"a\":\"\\x\"}",
                                    "{\"a\":\"\\u12\"}",
                                    "{\"a\":\"b}",
                                    "{\"a\":1}//",
                                    "/**/{}",
                                    "\xef\xbb\xbf{}",
                                    "{1:2}",
                                    "{\"a\":\"\\uD800\"}",
                                    "{\"a\":\"\\uDC00\"}",
                                    "{\"a\":\"\\uD800\\uD800\"}",
                                    "{\"\\uDC00\":1}",
                                    "{\"a\":\"\xff\"}",
                                    "{\"a\":\"\xc0\x80\"}",
                                    "{\"a\":\"\xed\xa0\x80\"}",
                                    "{\"\xff\":1}",
                                    "{\"a\":1,\"a\":2}",
                                    "{\"a\":1,\"\\u0061\":2}"};
  for (const std::string_view text : texts) {
    CAPTURE(text);
    CHECK(refusal(text) != "accepted");
  }
  using namespace std::string_view_literals;
  CHECK(tells(refusal("{}\0{}"sv), "NUL"));
  CHECK(refusal("{\"a\":\"\0\"}"sv) != "accepted");
}

TEST_CASE("JSON: an error says line and column, in characters") {
  CHECK(tells(refusal("{\n  \"\xc3\xa4\": tru\n}"), "JSON line 2, column"));
  CHECK(tells(refusal("{\"a\": 1,\n \"b\": 2, \"a\": 3}"),
              "JSON line 2, column 10: the key \"a\" is there twice"));
  CHECK(tells(refusal("{\"\xc3\xa4\": {\"\\\"\": 1, \"\\\"\": 2}}"), "column 17: the key"));
  CHECK(tells(refusal("[1]"), "a document is an object"));
  CHECK(tells(refusal("{\"a\": \"\\ud800 \"}"), "JSON line 1"));
  CHECK(tells(refusal("{\"a\":\n\"\\udc00\"}"), "JSON line 2, column 1: a text is no UTF-8"));
}

TEST_CASE("JSON: 128 levels are taken; ten thousand end in an error, not in the stack") {
  CHECK(again(nested(kDocumentDepthMax)) == nested(kDocumentDepthMax));
  CHECK(tells(refusal(nested(kDocumentDepthMax + 1), ErrorCode::limit), "128 levels"));
  CHECK(tells(refusal(nested(1'000'000), ErrorCode::limit), "128 levels"));
  std::string maps;
  for (int i = 0; i < 10'000; ++i) maps += "{\"a\":";
  CHECK(tells(refusal(maps, ErrorCode::limit), "128 levels"));
}

TEST_CASE("JSON: a document beyond 16 MiB is refused with its place") {
  const std::string text = "{\"a\":\"" + std::string(kDocumentBytesMax, 'x') + "\"}";
  CHECK(tells(refusal(text, ErrorCode::limit), "JSON line 1"));
  CHECK(refusal("{\"a\":\"" + std::string(kDocumentBytesMax - 8, 'x') + "\"}") == "accepted");
}

TEST_CASE("JSON text: styles") {
  const std::string_view text = R"({"a":[1,{"b":[]}],"c":{},"d":"x"})";
  CHECK(again(text) == text);
  CHECK(again(text, {.indent = 2}) == R"({
  "a": [
    1,
    {
      "b": []
    }
  ],
  "c": {},
  "d": "x"
})");
  CHECK_THROWS_AS(again(text, {.indent = 17}), Error);
  CHECK(again("{\"a\":\"\\u0001\\u001f\\\"\\\\\\/\\n\\u007f\xc3\xa4\"}") ==
        "{\"a\":\"\\u0001\\u001f\\\"\\\\/\\n\x7f\xc3\xa4\"}");
}

TEST_CASE("JSON text: what JSON has no words for") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Builder out;
  out.begin_map();
  out.key("a.b");
  out.begin_array();
  out.float64(1);
  out.float64(std::nan(""));
  out.float64(kInfinity);
  out.float64(-kInfinity);
  out.end();
  out.end();
  const Bytes body = out.take();
  const auto shown = [&](JsonStyle::NotFinite how) {
    std::string text;
    to_json(body, text, {.not_finite = how});
    return text;
  };
  CHECK(shown(JsonStyle::NotFinite::null) == R"({"a.b":[1.0,null,null,null]})");
  CHECK(shown(JsonStyle::NotFinite::words) == R"({"a.b":[1.0,NaN,Infinity,-Infinity]})");
  try {
    (void)shown(JsonStyle::NotFinite::refuse);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(tells(error.message(), "nan at \"a.b\".1"));
  }
  Builder rest;
  rest.begin_array();
  rest.timestamp({1'500'000'000});
  for (const std::string_view bytes : {"", "f", "fo", "foo", "foob"})
    rest.binary(as_bytes_view(bytes));
  rest.end();
  std::string text;
  to_json(rest.take(), text);
  CHECK(text == R"(["1970-01-01T00:00:01.500Z","","Zg==","Zm8=","Zm9v","Zm9vYg=="])");
}

// ----------------------------------------------------------------------------- many documents

namespace {

// "line:text" of each document, whatever windows the text comes in.
std::string documents(std::string_view text, std::size_t step) {
  JsonDocuments reader("notes.json");
  std::string out;
  std::size_t begin = 0;
  for (std::size_t end = std::min(step, text.size());; end = std::min(end + step, text.size())) {
    const bool last = end == text.size();
    std::size_t at = 0;
    while (true) {
      try {
        const auto found = reader.next(text.substr(begin, end - begin), at, last);
        if (!found) break;
        out += fmt::format("{}:", found->line);
        to_json(found->body, out);
      } catch (const Error& error) {
        out += error.message().substr(0, error.message().find(": ")) + "!";
        if (!error.message().contains(": it is no JSON:")) return out;
      }
      out += " ";
    }
    begin += at;
    if (last) break;
  }
  return out;
}

std::string documents(std::string_view text) {
  const std::string whole = documents(text, text.size());
  for (const std::size_t step : {1u, 2u, 3u, 7u, 100u}) {
    CAPTURE(step);
    CHECK(documents(text, step) == whole);
  }
  return whole;
}

}  // namespace

TEST_CASE("JSON documents: lines, an array and one behind another give the same") {
  CHECK(documents("{\"a\":1}\n{\"a\":\"}\"}\n\n{\"a\":3}") ==
        "1:{\"a\":1} 2:{\"a\":\"}\"} 4:{\"a\":3} ");
  CHECK(documents("[{\"a\":1},\n{\"a\":\"]\\\"}\"}\n,\n {\"a\":3}]\n") ==
        "1:{\"a\":1} 2:{\"a\":\"]\\\"}\"} 4:{\"a\":3} ");
  CHECK(documents("{\n\"a\":1\n}{\"a\":2}\n  {\"a\":3}  ") ==
        "1:{\"a\":1} 3:{\"a\":2} 4:{\"a\":3} ");
  CHECK(documents("") == "");
  CHECK(documents(" \n ") == "");
  CHECK(documents("[]") == "");
}

TEST_CASE("JSON documents: what is wrong is told with name and line, and passed over") {
  CHECK(documents("{\"a\":1}\n{\"a\":}\n{\"a\":3}\n") ==
        "1:{\"a\":1} notes.json:2:6! 3:{\"a\":3} ");
  CHECK(documents("{\"a\":1}\nxyz\n{\"a\":3}\n") == "1:{\"a\":1} notes.json:2:1! 3:{\"a\":3} ");
  CHECK(documents("{\"a\":1}\n{\"a\"") == "1:{\"a\":1} notes.json:2:5! ");
  CHECK(documents("[{\"a\":1}") == "1:{\"a\":1} notes.json!");
  CHECK(documents("[{\"a\":1},\n]") == "1:{\"a\":1} notes.json:2!");
  CHECK(documents("[{\"a\":1}\n{\"a\":1}]") == "1:{\"a\":1} notes.json:2!");
  CHECK(documents("[]\n[]") == "notes.json:2!");
  CHECK(documents("{\"a\":1}\n5") == "1:{\"a\":1} notes.json:2:1!");
}

// --------------------------------------------------------------------------------------- at random

namespace {

// A generator of its own: src/io's is not for this room.
struct Dice {
  std::uint64_t state;
  std::uint64_t next() noexcept {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return state >> 16;
  }
  std::uint64_t below(std::uint64_t end) noexcept { return next() % end; }
};

void put_random(Dice& dice, Builder& out, unsigned depth) {
  switch (dice.below(depth == 0 ? 6 : 9)) {
    case 0:
      return out.null();
    case 1:
      return out.boolean(dice.below(2) == 1);
    case 2:
      return out.integer(static_cast<std::int64_t>(dice.next() << 16 ^ dice.next()) >>
                         dice.below(64));
    case 3:
      return out.unsigned_integer(dice.next() << 16 ^ dice.next());
    case 4: {
      const auto number = std::bit_cast<double>(dice.next() << 16 ^ dice.next());
      return out.float64(std::isfinite(number) ? number : 0.5);
    }
    case 5: {
      constexpr std::string_view kParts[] = {"a", "\"", "\\", "\n",  "\xc3\xa4", "\xf0\x9f\x98\x80",
                                             " ", "/",  "{",  "\x01"};
      std::string text;
      for (std::uint64_t i = dice.below(40); i != 0; --i) text += kParts[dice.below(10)];
      return out.string(text);
    }
    case 6: {
      out.begin_array();
      for (std::uint64_t i = dice.below(20); i != 0; --i) put_random(dice, out, depth - 1);
      return out.end();
    }
    default: {
      out.begin_map();
      for (std::uint64_t i = dice.below(20); i != 0; --i) {
        out.key(fmt::format("key \"{}\"", i));
        put_random(dice, out, depth - 1);
      }
      return out.end();
    }
  }
}

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("JSON: any document is the same after it was text, in every style") {
    const test::Budget budget;
    Dice dice{test::seed()};
    for (std::uint64_t round = 0; budget.left(); ++round) {
      CAPTURE(test::seed());
      CAPTURE(round);
      Builder out;
      out.begin_map();
      out.key("x");
      put_random(dice, out, 4);
      out.end();
      const Bytes body = out.take();
      REQUIRE(canonical(body) == body);
      std::string text;
      to_json(body, text, {.indent = static_cast<unsigned>(dice.below(3))});
      REQUIRE(from_json(text) == body);
    }
  }
}

}  // namespace otolith::document
