// Which paths of documents become columns, and what these hold.
#include "document/shred.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "document/builder.h"
#include "document/json_reader.h"
#include "document/path.h"
#include "model/array.h"

namespace otolith::document {

namespace {

Array bodies_of(const std::vector<Bytes>& documents) {
  model::ArrayBuilder out({TypeKind::binary});
  for (const Bytes& document : documents) out.append_text(as_text(document));
  return out.finish();
}

// "path type path type …"
std::string chosen(const std::vector<std::string>& documents) {
  std::vector<Bytes> bodies;
  for (const std::string& document : documents) bodies.push_back(from_json(document));
  std::string out;
  for (const Column& column : shredded_columns(bodies_of(bodies)))
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", column.name, type_name(column.type));
  return out;
}

// A document with more than the columns may cost.
std::string document(const std::string& fields) {
  return fmt::format(R"({{{},"of":["{}"]}})", fields, std::string(200, 'x'));
}

std::string chosen_of(const std::vector<std::string>& fields, int copies = 1) {
  std::vector<std::string> documents;
  for (int copy = 0; copy < copies; ++copy) {
    for (const std::string& one : fields) documents.push_back(document(one));
  }
  return chosen(documents);
}

std::string shown(const Array& values) {
  std::string out;
  for (std::uint64_t row = 0; row < values.length; ++row) {
    if (row != 0) out += ' ';
    if (values.is_null(row)) {
      out += '-';
      continue;
    }
    switch (values.type.kind) {
      case TypeKind::boolean:
        out += values.value<std::uint8_t>(row) != 0 ? "true" : "false";
        break;
      case TypeKind::float64:
        out += fmt::format("{}", values.value<double>(row));
        break;
      case TypeKind::string:
        out += values.text(row);
        break;
      default:
        out += fmt::format("{}", values.value<std::int64_t>(row));
    }
  }
  return out;
}

// What a column holds of documents, and whether any are strays.
std::string held(const std::string& path, TypeKind type, const std::vector<std::string>& values) {
  std::vector<Bytes> bodies;
  for (const std::string& value : values) bodies.push_back(from_json(value));
  const Shredder shredder({{.name = path, .type = {type}}});
  const Shredded found = shredder.shred(bodies_of(bodies), 0, bodies.size()).front();
  return shown(found.values) + (found.strays ? " and strays" : "");
}

}  // namespace

TEST_CASE("shred: paths of one kind are chosen through maps in the order of their appearance") {
  CHECK(chosen_of({R"("b":true,"user":{"city":"Oslo","age":5},"x":1.5,"_":null)"}) ==
        "b bool, user.city string, user.age int64, x float64");
  CHECK(chosen_of({R"("a.b":{"c d":{"":1}},"0":1,"list":[{"n":1}])"}) == R"("a.b".c d."" int64)");
  CHECK(chosen({}).empty());
  CHECK(chosen({"{}"}).empty());
}

TEST_CASE("shred: a path that few documents have or that is of many kinds is not chosen") {
  CHECK(chosen_of({R"("a":1,"b":1)", R"("a":1)", R"("a":1)", R"("a":1)"}) == "a int64, b int64");
  CHECK(chosen_of({R"("a":1,"b":1)", R"("a":1)", R"("a":1)", R"("a":1)", R"("a":1)"}) == "a int64");
  CHECK(chosen_of({R"("a":1,"b":"x")", R"("a":2,"b":7)"}) == "a int64");
  std::vector<std::string> few(20, R"("a":1)");
  few.push_back(R"("a":"one")");
  CHECK(chosen_of(few) == "a int64");
  CHECK(chosen_of({R"("a":null)", R"("a":{})", R"("a":[])"}).empty());
}

TEST_CASE("shred: integers beside floats are floats where these hold each of them") {
  CHECK(chosen_of({R"("a":1)", R"("a":2.5)"}) == "a float64");
  CHECK(chosen_of({R"("a":9007199254740993)", R"("a":2.5)"}).empty());
  CHECK(chosen_of({R"("a":9007199254740993)"}) == "a int64");
  CHECK(chosen_of({R"("a":18446744073709551615)"}).empty());
}

TEST_CASE("shred: long texts are not chosen and neither is more than half of what bodies take") {
  CHECK(chosen_of({fmt::format(R"("a":"{}")", std::string(64, 'x'))}) == "a string");
  CHECK(chosen_of({fmt::format(R"("a":"{}")", std::string(65, 'x'))}).empty());
  std::vector<std::string> documents;
  for (int i = 0; i < 100; ++i)
    documents.push_back(fmt::format(R"({{"a":"different {:>6}","n":{},"b":true}})", i, i));
  CHECK(chosen(documents) == "n int64, b bool");
  std::string wide = R"("a0":true)";
  for (int i = 1; i < 40; ++i) wide += fmt::format(R"(,"a{}":true)", i);
  CHECK(chosen_of({wide}).ends_with("a30 bool, a31 bool"));
}

TEST_CASE("shred: a choice looks at documents evenly spread and is the same however it is cut") {
  CHECK(shred_sample(3, 300) == std::vector<std::uint64_t>{0, 1, 2});
  const auto many = shred_sample(1'000'000, 200'000'000);
  CHECK(many.size() == kShredSampleRowsMax);
  CHECK(many[1] - many[0] == 488);
  CHECK(many.back() > 999'000);
  CHECK(shred_sample(1000, 16ull << 30).size() == 64);
  CHECK(shred_sample(0, 0).empty());
}

TEST_CASE("shred: columns hold values of their kind and tell of all others") {
  const std::vector<std::string> values{R"({"x":1})",   R"({"x":null})", R"({})",
                                        R"({"x":1.5})", R"({"x":"a"})",  R"({"x":true})",
                                        R"({"x":[1]})", R"({"x":{}})"};
  CHECK(held("x", TypeKind::int64, values) == "1 - - - - - - - and strays");
  CHECK(held("x", TypeKind::float64, values) == "1 - - 1.5 - - - - and strays");
  CHECK(held("x", TypeKind::string, values) == "- - - - a - - - and strays");
  CHECK(held("x", TypeKind::boolean, values) == "- - - - - true - - and strays");
  CHECK(held("x", TypeKind::int64, {R"({"x":1})", R"({"x":null})", R"({})"}) == "1 - -");
  CHECK(held("x", TypeKind::int64, {R"({"x":18446744073709551615})"}) == "- and strays");
  CHECK(held("x", TypeKind::float64, {R"({"x":9007199254740993})", R"({"x":4})"}) ==
        "- 4 and strays");
  const std::string longest(kShreddedTextBytesMax, 'a');
  CHECK(held("x", TypeKind::string, {fmt::format(R"({{"x":"{}"}})", longest)}) == longest);
  CHECK(held("x", TypeKind::string, {fmt::format(R"({{"x":"{}b"}})", longest)}) == "- and strays");
}

TEST_CASE("shred: a path is followed through maps whatever the order of their fields") {
  const std::string path = R"(user."first.name")";
  CHECK(held(path, TypeKind::string,
             {R"({"user":{"first.name":"Ana"}})", R"({"x":1,"user":{"y":{},"first.name":"Ben"}})",
              R"({"user":5,"first.name":"x"})", R"({"user":[{"first.name":"x"}]})"}) ==
        "Ana Ben - -");
  const Shredder shredder({{.name = "a", .type = {TypeKind::int64}},
                           {.name = "b.c", .type = {TypeKind::int64}},
                           {.name = "b", .type = {TypeKind::int64}}});
  std::vector<Bytes> bodies;
  for (const char* body : {R"({"a":1,"b":{"c":2}})", R"({"b":3,"a":4})", R"({"b":{"d":1,"c":6}})"})
    bodies.push_back(from_json(body));
  const auto found = shredder.shred(bodies_of(bodies), 0, 3);
  CHECK(shown(found[0].values) == "1 4 -");
  CHECK(shown(found[1].values) == "2 - 6");
  CHECK(shown(found[2].values) == "- 3 -");
  CHECK_FALSE(found[1].strays);
  CHECK(found[2].strays);
  CHECK(shown(shredder.shred(bodies_of(bodies), 1, 1)[0].values) == "4");
}

TEST_CASE("shred: times and NaN are values as any") {
  Builder one;
  one.begin_map();
  one.key("t");
  one.timestamp({5});
  one.key("x");
  one.float64(std::nan(""));
  one.end();
  const Array bodies = bodies_of({one.take()});
  const Shredder shredder(
      {{.name = "t", .type = {TypeKind::timestamp}}, {.name = "x", .type = {TypeKind::float64}}});
  const auto found = shredder.shred(bodies, 0, 1);
  CHECK(shown(found[0].values) == "5");
  CHECK(shown(found[1].values) == "nan");
}

TEST_CASE("path: one path has one plain text however it is written") {
  CHECK(Path(R"("user"."first.name")").plain_text() == R"(user."first.name")");
  CHECK(Path(R"(a."b""c".0)").plain_text() == R"(a."b""c".0)");
  CHECK(Path("a.b").keys() == std::vector<std::string>{"a", "b"});
  CHECK(names_place("10"));
  CHECK_FALSE(names_place("01"));
  CHECK_FALSE(names_place("x"));
}

}  // namespace otolith::document
