#include "model/wire.h"

#include <doctest/doctest.h>

#include <random>

#include "model/array.h"

#include "otolith/error.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

using test::random_batch;
using test::random_layout;
using test::same_values;

TEST_CASE("wire: rows of every type, with and without nulls, come back as they went") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const Batch batch = random_batch(random, 1 + random() % 50);
    const RowLayout layout = random_layout(random, batch.rows);
    const auto bytes = std::make_shared<const Bytes>(wire_encode(batch, layout));
    const StoredRows rows = wire_decode(*bytes, bytes);
    REQUIRE(rows.layout == layout);
    REQUIRE(same_values(conform(rows, batch.schema), batch));
    REQUIRE(same_values(conform(wire_decode(*bytes, nullptr), batch.schema), batch));
  }
}

TEST_CASE("wire: arrays view the frame's bytes where they can") {
  std::mt19937_64 random(test::seed());
  const Batch batch = random_batch(random, 20);
  const auto bytes = std::make_shared<const Bytes>(wire_encode(batch, random_layout(random, 20)));
  const StoredRows rows = wire_decode(*bytes, bytes);
  const std::byte* const at = rows.find(ColumnId{1})->values.bytes.data();
  CHECK(at > bytes->data());
  CHECK(at < bytes->data() + bytes->size());
}

TEST_CASE("wire: a frame cut at any byte, or longer, is corrupt") {
  std::mt19937_64 random(test::seed());
  const Batch batch = random_batch(random, 9);
  Bytes bytes = wire_encode(batch, random_layout(random, 9));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_THROWS_AS(wire_decode(BytesView(bytes).first(size), nullptr), Error);
  }
  bytes.push_back(std::byte{0});
  CHECK_THROWS_AS(wire_decode(bytes, nullptr), Error);
}

TEST_CASE("wire: any bit flipped is refused, or is another encoding of its own") {
  std::mt19937_64 random(test::seed());
  const Batch batch = random_batch(random, 5);
  const Bytes sound = wire_encode(batch, random_layout(random, 5));
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    Bytes bytes = sound;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    try {
      const StoredRows rows = wire_decode(bytes, nullptr);
      Schema schema;
      for (const StoredColumn& column : rows.columns) {
        schema.columns.push_back({.type = column.array.type, .id = value_of(column.id)});
      }
      const auto shared = std::make_shared<const Schema>(schema);
      CHECK(wire_encode(conform(rows, shared), rows.layout) == bytes);
    } catch (const Error& error) {
      CHECK((error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format));
    }
  }
}

TEST_CASE("wire: rows are read under a schema that widened, added, dropped and renamed columns") {
  ArrayBuilder a({TypeKind::int32});
  a.append_value(std::int32_t{7});
  a.append_null();
  ArrayBuilder b({TypeKind::string});
  b.append_text("x");
  b.append_text("y");
  const auto old_schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "b", .type = {TypeKind::string}, .id = 9},
                         {.name = "a", .type = {TypeKind::int32}, .id = 2}}});
  const RowLayout layout{{{{.bucket = -3, .rows = 2}}}};
  const Bytes bytes = wire_encode({old_schema, 2, {b.finish(), a.finish()}}, layout);
  const auto new_schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "new", .type = {TypeKind::string}, .id = 10},
                         {.name = "a2", .type = {TypeKind::int64}, .id = 2}}});
  const Batch read = conform(wire_decode(bytes, nullptr), new_schema);
  CHECK(read.columns[0].null_count == 2);
  CHECK(read.columns[1].value<std::int64_t>(0) == 7);
  CHECK(read.columns[1].is_null(1));
  const auto narrow = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "a", .type = {TypeKind::int8}, .id = 2}}});
  CHECK(conform(wire_decode(bytes, nullptr), narrow).columns[0].value<std::int8_t>(0) == 7);
  for (const Type other :
       {Type{TypeKind::string}, Type{TypeKind::uint64}, Type{TypeKind::float32}}) {
    const auto unlike =
        std::make_shared<const Schema>(Schema{.columns = {{.name = "a", .type = other, .id = 2}}});
    CHECK_THROWS_AS(conform(wire_decode(bytes, nullptr), unlike), Error);
  }
}

TEST_CASE("wire: a value that a narrower column never held is damage") {
  const Column column{.name = "a", .type = {TypeKind::int8}, .id = 2};
  ArrayBuilder a({TypeKind::int32});
  a.append_value(std::int32_t{300});
  const Array stored = a.finish();
  try {
    conform_column(&stored, column, 1);
    FAIL("was not refused");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message().find("300") != std::string::npos);
  }
}

TEST_CASE("wire: a hostile count of rows neither reserves memory nor takes time") {
  ByteWriter out;
  out.put(std::uint8_t{1});
  layout_write(out, {{{{.bucket = 0, .rows = 1ull << 40}}}});
  out.put_varint(1);
  out.put_varint(1);
  out.put(TypeKind::string);
  out.put_zeros(20);
  CHECK_THROWS_AS(wire_decode(out.view(), nullptr), Error);
}

TEST_CASE("row layout: what no writer makes is refused") {
  for (const RowLayout& layout :
       {RowLayout{{{}}}, RowLayout{{{{0, 0}}}}, RowLayout{{{{1, 1}, {1, 1}}}},
        RowLayout{{{{1, 1}, {0, 1}}}}, RowLayout{{{{0, 1ull << 40}, {1, 1}}}}}) {
    ByteWriter out;
    layout_write(out, layout);
    out.put_zeros(8);
    ByteReader in(out.view());
    CHECK_THROWS_AS(layout_read(in), Error);
  }
}

}  // namespace otolith::model
