#include <doctest/doctest.h>

#include <random>

#include "base/bytes.h"
#include "model/array.h"
#include "otolith/batch.h"
#include "otolith/error.h"
#include "otolith/timestamp.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

namespace {

std::shared_ptr<const Schema> notes_schema() {
  return std::make_shared<const Schema>(
      Schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                         {.name = "text", .type = {TypeKind::string}},
                         {.name = "size", .type = {TypeKind::int16}}}});
}

Batch notes(std::uint64_t rows, bool nulls) {
  ArrayBuilder time({TypeKind::timestamp});
  ArrayBuilder text({TypeKind::string});
  ArrayBuilder size({TypeKind::int16});
  for (std::uint64_t i = 0; i < rows; ++i) {
    time.append_value<std::int64_t>(static_cast<std::int64_t>(i));
    nulls&& i % 3 == 1 ? text.append_null() : text.append_text(std::string(i % 5, 'x'));
    nulls&& i % 7 == 2 ? size.append_null() : size.append_value(static_cast<std::int16_t>(i));
  }
  return {notes_schema(), rows, {time.finish(), text.finish(), size.finish()}};
}

bool same_rows(const Array& a, std::uint64_t first, const Array& b) {
  for (std::uint64_t i = 0; i < b.length; ++i) {
    if (a.is_null(first + i) != b.is_null(i)) return false;
    if (is_text(a.type) ? a.text(first + i) != b.text(i)
                        : a.value<std::int16_t>(first + i) != b.value<std::int16_t>(i)) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("batch: sound columns with and without nulls pass the check") {
  batch_check(notes(0, false));
  batch_check(notes(100, false));
  batch_check(notes(100, true));
}

TEST_CASE("batch: buffers are aligned to 64 bytes, also empty ones") {
  for (const std::size_t bytes : {0u, 1u, 64u, 1000u}) {
    std::byte* data = nullptr;
    const Buffer buffer = buffer_allocate(bytes, &data);
    CHECK(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
    CHECK(buffer.bytes.size() == bytes);
  }
}

TEST_CASE("batch: each way to contradict the schema is refused") {
  Batch bad = notes(10, false);
  SUBCASE("a column missing") { bad.columns.pop_back(); }
  SUBCASE("another type") { bad.columns[2].type = {TypeKind::uint16}; }
  SUBCASE("another length") { bad.columns[2].length = 9; }
  SUBCASE("values cut short") {
    bad.columns[2].values.bytes = bad.columns[2].values.bytes.first(19);
  }
  SUBCASE("values not aligned") {
    std::byte* data = nullptr;
    bad.columns[2].values = buffer_allocate(32, &data);
    bad.columns[2].values.bytes = bad.columns[2].values.bytes.subspan(1);
  }
  SUBCASE("nulls said but not shown") { bad.columns[2].null_count = 2; }
  SUBCASE("a null in the time column") {
    bad.columns[0] = array_of_nulls({TypeKind::timestamp}, 10);
  }
  SUBCASE("a time that is no time") {
    ArrayBuilder time({TypeKind::timestamp});
    for (int i = 0; i < 10; ++i) time.append_value(i == 7 ? kNotATime : std::int64_t{i});
    bad.columns[0] = time.finish();
  }
  SUBCASE("offsets that decrease") {
    std::byte* data = nullptr;
    bad.columns[1].offsets = buffer_allocate(88, &data);
    for (std::int64_t i = 0; i <= 10; ++i) store_le(data + i * 8, i == 4 ? std::int64_t{0} : i);
  }
  SUBCASE("offsets behind the bytes") {
    bad.columns[1].values.bytes = bad.columns[1].values.bytes.first(3);
  }
  SUBCASE("text that is no UTF-8") {
    ArrayBuilder text({TypeKind::string});
    for (int i = 0; i < 10; ++i) text.append_text(i == 5 ? "\xff" : "ok");
    bad.columns[1] = text.finish();
  }
  SUBCASE("a character cut in two by an offset") {
    ArrayBuilder text({TypeKind::string});
    for (int i = 0; i < 10; ++i) text.append_text(i == 5 ? "\xc3" : i == 6 ? "\xa9" : "ok");
    bad.columns[1] = text.finish();
  }
  CHECK_THROWS_AS(batch_check(bad), Error);
}

TEST_CASE("batch: a null key is refused, and a null where the column is required") {
  Batch bad = notes(10, true);
  Schema schema = *bad.schema;
  SUBCASE("key") { schema.keys = {"text"}; }
  SUBCASE("required") { schema.columns[2].nullable = false; }
  bad.schema = std::make_shared<const Schema>(schema);
  CHECK_THROWS_AS(batch_check(bad), Error);
}

TEST_CASE("array: a slice at any place holds the rows of its place, and slices join to the whole") {
  std::mt19937_64 random(test::seed());
  for (const bool nulls : {false, true}) {
    const Batch whole = notes(200, nulls);
    for (int round = 0; round < 200; ++round) {
      std::vector<Batch> parts;
      for (std::uint64_t at = 0; at < whole.rows;) {
        const std::uint64_t count = std::min<std::uint64_t>(random() % 40, whole.rows - at);
        parts.push_back(batch_slice(whole, at, count));
        batch_check(parts.back());
        REQUIRE(same_rows(whole.columns[1], at, parts.back().columns[1]));
        REQUIRE(same_rows(whole.columns[2], at, parts.back().columns[2]));
        at += count;
      }
      const Batch joined = batch_concat(parts);
      batch_check(joined);
      REQUIRE(joined.rows == whole.rows);
      REQUIRE(joined.columns[1].null_count == whole.columns[1].null_count);
      REQUIRE(same_rows(whole.columns[1], 0, joined.columns[1]));
      REQUIRE(same_rows(whole.columns[2], 0, joined.columns[2]));
    }
  }
}

TEST_CASE("array: rows appended from other arrays, and copies, are those rows") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 100; ++round) {
    const Batch whole = notes(100, round % 2 == 0);
    const std::uint64_t first = random() % 50;
    const std::uint64_t rows = random() % 50;
    const Batch copy = batch_copy(whole, first, rows);
    batch_check(copy);
    for (std::size_t c = 0; c < 3; ++c) {
      const Array slice = array_slice(whole.columns[c], first, rows);
      REQUIRE(copy.columns[c].null_count == slice.null_count);
      if (c > 0) REQUIRE(same_rows(whole.columns[c], first, copy.columns[c]));
      ArrayBuilder builder(slice.type);
      for (std::uint64_t at = 0; at < rows;) {
        const std::uint64_t count = std::min<std::uint64_t>(1 + random() % 9, rows - at);
        builder.append_rows(whole.columns[c], first + at, count);
        at += count;
      }
      const Array built = builder.finish();
      REQUIRE(built.null_count == slice.null_count);
      if (c > 0) REQUIRE(same_rows(whole.columns[c], first, built));
    }
  }
}

TEST_CASE("array: nulls only is a column of any type") {
  for (const Type type : test::all_types()) {
    const Array array = array_of_nulls(type, 13);
    CHECK(array.null_count == 13);
    CHECK(bitmap_nulls(array.validity.bytes, 13) == 13);
    CHECK(array.is_null(12));
  }
}

TEST_CASE("batch: booleans that are neither, and decimals of too many digits, are refused") {
  const auto check = [](Type type, auto value, bool null) {
    ArrayBuilder times({TypeKind::timestamp});
    ArrayBuilder values(type);
    for (int row = 0; row < 3; ++row) {
      times.append_value(std::int64_t{row});
      values.append_value(decltype(value){});
    }
    times.append_value(std::int64_t{3});
    values.append_value(value);
    Batch batch{.schema = std::make_shared<const Schema>(
                    Schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                       {.name = "x", .type = type}}}),
                .rows = 4,
                .columns = {times.finish(), values.finish()}};
    if (null) {
      batch.columns[1].null_count = 1;
      batch.columns[1].validity = buffer_of({std::byte{7}});
    }
    try {
      batch_check(batch);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_argument);
      return std::string(error.what());
    }
    return std::string();
  };
  const Type price{TypeKind::decimal, 4, 2};
  CHECK(check({TypeKind::boolean}, std::uint8_t{1}, false) == "");
  CHECK(check({TypeKind::boolean}, std::uint8_t{2}, false).find("column \"x\": row 3 is 2") !=
        std::string::npos);
  CHECK(check({TypeKind::boolean}, std::uint8_t{2}, true) == "");
  CHECK(check(price, decimal_of(9999), false) == "");
  CHECK(check(price, decimal_of(-10'000), false)
            .find("row 3 is -100.00, which has more digits "
                  "than decimal(4,2)") != std::string::npos);
  CHECK(check(price, decimal_of(10'000), true) == "");
  CHECK(check(price, Decimal{0, INT64_MIN}, false) != "");
  CHECK(check({TypeKind::decimal, 38, 0}, Decimal{~0ull, INT64_MAX}, false) != "");
}

}  // namespace otolith::model
