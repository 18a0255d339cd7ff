// Values, paths, ids, and documents split from their ids.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "document/builder.h"
#include "document/difference.h"
#include "document/document_id.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "document/patch.h"
#include "document/path.h"
#include "document/split.h"
#include "document/value.h"

namespace otolith::document {

namespace {

std::string json(BytesView body) {
  std::string out;
  to_json(body, out);
  return out;
}

// Any value, not only an object.
Bytes value_of(std::string_view text) {
  const Bytes whole = from_json(fmt::format("{{\"x\":{}}}", text));
  const BytesView bytes = Value(whole).find("x")->bytes();
  return {bytes.begin(), bytes.end()};
}

std::string at(const Bytes& body, std::string_view path) {
  const auto found = at_path(Value(body), path);
  const auto again = Path(path).in(Value(body));
  CHECK(found.has_value() == again.has_value());
  return found ? json(found->bytes()) : "nothing";
}

template <typename Call>
std::string refusal(Call call, ErrorCode code = ErrorCode::invalid_argument) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.message();
  }
  return "accepted";
}

bool tells(const std::string& message, std::string_view words) {
  const bool found = message.find(words) != std::string::npos;
  if (!found) MESSAGE(message);
  return found;
}

IdEntropy entropy(unsigned char byte) {
  IdEntropy out{};
  out.fill(std::byte{byte});
  return out;
}

}  // namespace

TEST_CASE("value: kinds, and what they hold") {
  const Bytes body =
      from_json(R"({"n":null,"t":true,"i":-5,"u":18446744073709551615,"f":1.5,"s":"\u00e4",)"
                R"("a":[1,[2],3],"m":{"k":0}})");
  const Value value(body);
  CHECK(value.kind() == Kind::map);
  CHECK(value.size() == 8);
  CHECK(value.find("n")->is_null());
  CHECK(value.find("t")->boolean());
  CHECK(value.find("i")->integer() == -5);
  CHECK(value.find("u")->unsigned_integer() == UINT64_MAX);
  CHECK(value.find("f")->float64() == 1.5);
  CHECK(value.find("s")->string() == "\xc3\xa4");
  CHECK(value.find("a")->item(2)->integer() == 3);
  CHECK_FALSE(value.find("a")->item(3));
  CHECK_FALSE(value.find("zz"));
  CHECK_FALSE(value.find("i")->find("x"));
  CHECK_FALSE(value.item(0));
  std::string keys;
  for (const Field& field : value.fields()) keys += field.key;
  CHECK(keys == "ntiufsam");
  CHECK(Value().is_null());
  CHECK(value.find("i")->bytes().size() == 1);
}

TEST_CASE("value: msgpack that is cut anywhere ends in an error, never beyond its end") {
  const Bytes body = from_json(R"({"a":[1,{"b":"text"},2.5],"c":{"d":[null,true]}})");
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(refusal([&] { (void)json(cut); }, ErrorCode::corrupt) != "accepted");
    CHECK(refusal([&] { (void)Value(cut).bytes(); }, ErrorCode::corrupt) != "accepted");
  }
}

TEST_CASE("path: keys, places, and keys in quotes") {
  const Bytes body = from_json(
      R"({"user":{"city":"Oslo","first.name":"Ana","":1,"a\"b":2},"tags":["x",{"y":3}],"0":4})");
  CHECK(at(body, "user.city") == "\"Oslo\"");
  CHECK(at(body, "tags.0") == "\"x\"");
  CHECK(at(body, "tags.1.y") == "3");
  CHECK(at(body, "0") == "4");
  CHECK(at(body, "user.\"first.name\"") == "\"Ana\"");
  CHECK(at(body, "\"user\".\"\"") == "1");
  CHECK(at(body, "user.\"a\"\"b\"") == "2");
  for (const std::string_view none : {"tags.2", "tags.01", "tags.\"0\"", "tags.-1", "tags.x", "zz",
                                      "user.city.x", "tags.99999999999", "user.first.name"}) {
    CAPTURE(none);
    CHECK(at(body, none) == "nothing");
  }
  for (const std::string_view wrong : {"", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "zz.\"a"}) {
    CAPTURE(wrong);
    CHECK(tells(refusal([&] { (void)at_path(Value(body), wrong); }), "is no path"));
    CHECK(tells(refusal([&] { (void)Path(wrong); }), "is no path"));
  }
}

TEST_CASE("path: a path that was put together leads where it says") {
  const Bytes body = from_json(R"({"a.b":{"\"":[5,{"":6}]}})");
  const std::string path =
      path_with(path_with(path_with(path_with("", "a.b"), "\""), std::size_t{1}), "");
  CHECK(path == "\"a.b\".\"\"\"\".1.\"\"");
  CHECK(at(body, path) == "6");
}

TEST_CASE("document id: new ids of one process ascend, within a millisecond too") {
  const Timestamp now{1'767'225'600'123'000'000};
  const std::string first = new_id(now, entropy(0x5a));
  CHECK(first.starts_with("019b76da-a87b-7"));
  CHECK(first.size() == 36);
  CHECK(first[14] == '7');
  CHECK(std::string_view("89ab").contains(first[19]));
  std::string before = first;
  std::set<std::string> seen{first};
  for (int i = 0; i < 1000; ++i) {
    // Random bits that fall, and a clock that slips back by a millisecond now and then.
    const Timestamp slipped{now.ns - (i % 3 == 0 ? 1'000'000 : 0)};
    const std::string id = new_id(slipped, entropy(static_cast<unsigned char>(250 - i % 250)));
    CHECK(id > before);
    CHECK(seen.insert(id).second);
    before = id;
  }
  const std::string later = new_id({now.ns + 60'000'000'000}, entropy(0));
  CHECK(later > before);
  CHECK(later.starts_with("019b76db-92db-7000-8000"));
  check_id(first);
}

TEST_CASE("document id: what is none is refused by name") {
  check_id("a");
  check_id("\xc3\xa4 b/..");
  check_id(std::string(kDocumentIdBytesMax, 'x'));
  CHECK(tells(refusal([] { check_id(""); }), "empty"));
  CHECK(
      tells(refusal([] { check_id(std::string(kDocumentIdBytesMax + 1, 'x')); }, ErrorCode::limit),
            "1025 bytes"));
  CHECK(tells(refusal([] { check_id("a\xff"); }), "UTF-8"));
  CHECK(tells(refusal([] { check_id("a\nb"); }), "control"));
  CHECK(tells(refusal([] { check_id("a\xc2\x85"); }), "control"));
}

TEST_CASE("split: the id is taken out of a document, and stands first again") {
  const Parts parts = split_id(from_json(R"({"a":1,"_id":"x","b":2})"));
  CHECK(parts.id == "x");
  CHECK(json(parts.body) == R"({"a":1,"b":2})");
  CHECK(json(joined("x", parts.body)) == R"({"_id":"x","a":1,"b":2})");
  const Parts none = split_id(from_json(R"({"a":1})"));
  CHECK_FALSE(none.id);
  CHECK(json(none.body) == R"({"a":1})");
  Builder out;
  out.begin_map();
  for (int i = 0; i < 15; ++i) {
    out.key(fmt::format("{}", i));
    out.null();
  }
  out.end();
  const Bytes fifteen = out.take();
  const Bytes sixteen = joined(std::string(40, 'y'), fifteen);
  CHECK(Value(sixteen).size() == 16);
  CHECK(split_id(sixteen).body == fifteen);
  CHECK(split_id(sixteen).id == std::string(40, 'y'));
}

TEST_CASE("split: an _id that is no text, a _time and what is no map are refused") {
  const auto split = [](std::string_view text) {
    return refusal([&] { (void)split_id(value_of(text)); });
  };
  CHECK(tells(split(R"({"_id":5})"), "this one's is an integer"));
  CHECK(tells(split(R"({"_id":null})"), "this one's is null"));
  CHECK(tells(split(R"({"_id":""})"), "empty"));
  CHECK(tells(split(R"({"_time":"2026-01-05"})"), "_time"));
  CHECK(tells(split("[1]"), "this is an array"));
}

TEST_CASE("merge patch: the examples of RFC 7396, appendix A") {
  struct Example {
    std::string_view target, patch, result;
  };
  const Example examples[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      // Of section 3, and what is told of merging.
      {R"({"a":{"x":1,"y":2}})", R"({"a":{"y":3}})", R"({"a":{"x":1,"y":3}})"},
  };
  for (const Example& example : examples) {
    CAPTURE(example.target);
    CAPTURE(example.patch);
    CHECK(json(merge_patch(value_of(example.target), value_of(example.patch))) == example.result);
  }
}

TEST_CASE("merge patch: fields that stay keep their places, new ones follow") {
  const auto merged = [](std::string_view target, std::string_view patch) {
    return json(merge_patch(from_json(target), from_json(patch)));
  };
  CHECK(merged(R"({"a":1,"b":2,"c":3})", R"({"z":9,"c":4,"a":null,"y":8,"b":5})") ==
        R"({"b":5,"c":4,"z":9,"y":8})");
  std::string many = "{";
  for (int i = 0; i < 30; ++i) many += fmt::format("\"{}\":{},", i, i);
  many.back() = '}';
  CHECK(merged(many, many) == many);
  CHECK(merged(R"({"7":0})", many).starts_with(R"({"7":7,"0":0,"1":1)"));
  CHECK(merged(many, R"({"29":null,"30":{"x":null}})").ends_with(R"("28":28,"30":{}})"));
}

TEST_CASE("difference: the deepest paths that were added, removed and changed") {
  const auto told = [](std::string_view before, std::string_view after) {
    const Bytes older = value_of(before);
    const Bytes newer = value_of(after);
    std::string out;
    for (const Difference& at : differences(Value(older), Value(newer))) {
      constexpr std::string_view kSigns[] = {"+", "-", "~"};
      out += fmt::format("{}{} {}>{};", kSigns[static_cast<std::size_t>(at.kind)], at.path,
                         json(at.before.bytes()), json(at.after.bytes()));
    }
    return out;
  };
  CHECK(told(R"({"a":1})", R"({"a":1})") == "");
  CHECK(told(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"c":5,"e":6},"f":7})") ==
        "-a 1>null;~b.c 2>5;-b.d 3>null;+b.e null>6;+f null>7;");
  CHECK(told(R"({"t":[1,2,3]})", R"({"t":[1,9]})") == "~t.1 2>9;-t.2 3>null;");
  CHECK(told(R"({"t":[1]})", R"({"t":[1,{"x":2}]})") == "+t.1 null>{\"x\":2};");
  CHECK(told(R"({"a":{"x":1}})", R"({"a":[1]})") == "~a {\"x\":1}>[1];");
  CHECK(told(R"({"a":1})", R"({"a":1.0})") == "~a 1>1.0;");
  CHECK(told(R"({"a":null})", R"({})") == "-a null>null;");
  CHECK(told(R"({"a.b":1})", R"({"a.b":2})") == "~\"a.b\" 1>2;");
  CHECK(told(R"({"a":1,"b":2})", R"({"b":2,"a":1})") == "");
  CHECK(told("1", "2") == "~ 1>2;");
}

}  // namespace otolith::document
