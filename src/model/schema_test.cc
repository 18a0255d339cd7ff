#include <doctest/doctest.h>

#include "base/limits.h"
#include "model/utf8.h"
#include "otolith/error.h"
#include "otolith/schema.h"

namespace otolith {

namespace {

Schema quotes() {
  return {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                      {.name = "symbol", .type = {TypeKind::string}},
                      {.name = "bid", .type = {TypeKind::float64}}},
          .keys = {"symbol"}};
}

ErrorCode refusal(const Schema& schema) {
  try {
    schema_check(schema);
  } catch (const Error& error) {
    return error.code();
  }
  FAIL("the schema was accepted");
  return {};
}

}  // namespace

TEST_CASE("schema: a table of time, key and value is accepted, hostile but printable names too") {
  schema_check(quotes());
  Schema odd = quotes();
  odd.columns[2].name = "..";
  schema_check(odd);
  odd.columns[2].name = "a/b";
  schema_check(odd);
  odd.columns[2].name = std::string(kNameBytesMax, 'x');
  schema_check(odd);
  odd.columns[2].name = "\xe2\x80\xaekcab";  // a bidi mark is data
  schema_check(odd);
}

TEST_CASE("schema: names that are empty, long, not UTF-8 or hold control characters are refused") {
  for (const std::string& name :
       {std::string(), std::string(kNameBytesMax + 1, 'x'), std::string(65536, 'x'),
        std::string("a\0b", 3), std::string("a\nb"), std::string("a\x7f"), std::string("\xc2\x85"),
        std::string("\xff"), std::string("\xc0\x80"), std::string("\xed\xa0\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("\xe2\x80")}) {
    Schema schema = quotes();
    schema.columns[2].name = name;
    CHECK(refusal(schema) == ErrorCode::invalid_argument);
  }
}

TEST_CASE(
    "utf8: text that is printable ASCII at a glance is so byte by byte, wherever one is not") {
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string text(length, 'x');
    CHECK(model::printable_ascii(text));
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string other = text;
        other[at] = static_cast<char>(byte);
        REQUIRE(model::printable_ascii(other) == (byte >= 0x20 && byte < 0x7f));
      }
    }
  }
}

TEST_CASE("schema: there is exactly one time column, and it is a timestamp") {
  Schema schema = quotes();
  schema.time = "tiem";
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
  schema = quotes();
  schema.columns[0].type = {TypeKind::int64};
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
  schema = quotes();
  schema.columns[1].name = "time";
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
}

TEST_CASE("schema: keys exist, differ, are not the time and can be compared") {
  for (const std::vector<std::string>& keys :
       {std::vector<std::string>{"nosuch"}, {"time"}, {"symbol", "symbol"}, {"bid"}}) {
    Schema schema = quotes();
    schema.keys = keys;
    CHECK(refusal(schema) == ErrorCode::invalid_argument);
  }
}

TEST_CASE("schema: unknown types, impossible digits, unknown codecs and policies are refused") {
  using enum TypeKind;
  for (const Type type : {Type{decimal}, Type{decimal, 0, 0}, Type{decimal, 39, 2},
                          Type{decimal, 2, 3}, Type{int64, 1, 0}, Type{binary, 0, 1},
                          Type{TypeKind{0}}, Type{TypeKind{16}}, Type{TypeKind{255}}}) {
    Schema schema = quotes();
    schema.columns[2].type = type;
    CHECK(refusal(schema) == ErrorCode::invalid_argument);
    CHECK_FALSE(type_supported(type));
  }
  Schema schema = quotes();
  schema.codec = "hott";
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
  schema = quotes();
  schema.columns[2].codec = "zip";
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
  schema = quotes();
  schema.partition = Partition{9};
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
  schema = quotes();
  schema.duplicates = Duplicates{9};
  CHECK(refusal(schema) == ErrorCode::invalid_argument);
}

TEST_CASE("schema: too many columns and too much metadata name their limits") {
  Schema schema = quotes();
  schema.columns.resize(kColumnsMax + 1, {.name = "x", .type = {TypeKind::int8}});
  CHECK(refusal(schema) == ErrorCode::limit);
  schema = quotes();
  schema.metadata["note"] = std::string(kMetadataBytesMax, 'x');
  CHECK(refusal(schema) == ErrorCode::limit);
}

TEST_CASE("schema: columns and keys are of any type, but for floats as keys") {
  using enum TypeKind;
  for (unsigned kind = 1; kind <= 15; ++kind) {
    Type type{static_cast<TypeKind>(kind)};
    if (type.kind == decimal) type = {decimal, 38, 38};
    CAPTURE(type_name(type));
    Schema schema = quotes();
    schema.columns[2].type = type;
    schema_check(schema);
    schema.keys = {"bid"};
    if (type.kind == float32 || type.kind == float64) {
      CHECK(refusal(schema) == ErrorCode::invalid_argument);
    } else {
      schema_check(schema);
    }
  }
}

TEST_CASE("schema: digits that no decimal has are told apart from what is no type") {
  const auto told = [](std::string_view text) {
    try {
      type_parse(text);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const char* text : {"decimal(39,2)", "decimal(0,0)", "decimal(2,3)", "decimal(300,2)",
                           "decimal(99999999999,2)"}) {
    CAPTURE(text);
    CHECK(told(text).find("1 to 38 digits") != std::string::npos);
  }
  CHECK(told("decimal(12)").find("is no type") != std::string::npos);
  CHECK(told("bol").find("did you mean \"bool\"?") != std::string::npos);
}

TEST_CASE("schema: every type is read back from its name, others are refused with the nearest") {
  for (unsigned kind = 1; kind <= 15; ++kind) {
    Type type{static_cast<TypeKind>(kind)};
    if (type.kind == TypeKind::decimal) type = {TypeKind::decimal, 12, 2};
    CHECK(type_parse(type_name(type)) == type);
  }
  for (const char* text : {"", "int", "decimal", "decimal(39,2)", "decimal(2,3)", "decimal(0,0)",
                           "decimal(12,2", "decimal(12)", "decimal(,)", "INT8", "int8 "}) {
    CAPTURE(text);
    CHECK_THROWS_AS(type_parse(text), Error);
  }
}

TEST_CASE("schema: as stored, time and keys are never null") {
  const Schema stored = schema_stored(quotes());
  CHECK_FALSE(stored.columns[0].nullable);
  CHECK_FALSE(stored.columns[1].nullable);
  CHECK(stored.columns[2].nullable);
}

}  // namespace otolith
