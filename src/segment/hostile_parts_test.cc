// Segments by hostile writers: slots of nulls, and in which part of a page a flaw is.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "test/segment_reseal.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using sample::open;

// Times, and a nullable column of this type under this profile; no partitions.
std::shared_ptr<const Schema> schema_of(TypeKind kind, const std::string& profile) {
  Schema schema;
  schema.partition = Partition::none;
  schema.codec = profile;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "x", .type = {kind}, .id = 2}};
  return std::make_shared<const Schema>(std::move(schema));
}

Bytes file_of(std::shared_ptr<const Schema> schema, Array x) {
  model::ArrayBuilder times({TypeKind::timestamp});
  for (std::uint64_t row = 0; row < x.length; ++row)
    times.append_value(static_cast<std::int64_t>(row));
  const Batch batch{.schema = schema, .rows = x.length, .columns = {times.finish(), std::move(x)}};
  const auto vfs = io::memory_vfs();
  const auto file = sample::file_of(*vfs, {});
  SegmentWriter writer(*file, sample::spec_of(schema));
  writer.begin_run({{0, batch.rows}});
  writer.append(batch);
  writer.end_run();
  writer.finish();
  return sample::bytes_of(*file);
}

struct Told {
  std::string message;
  std::uint64_t offset = 0;
};

// What a read of column 2 says of these bytes, mapped and not, with checksums put right.
Told read_of(Bytes bytes, bool resealed = true) {
  if (resealed) test::reseal(bytes);
  const auto vfs = io::memory_vfs();
  std::vector<Told> told(2);
  for (const bool map : {false, true}) {
    try {
      open(*vfs, bytes, map)->chunk(0, 1);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      told[map] = {error.message(), error.where().offset.value_or(0)};
    }
  }
  CHECK(told[0].message == told[1].message);
  CHECK(told[0].offset == told[1].offset);
  return told[0];
}

bool holds(const std::string& message, const std::string& part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

ChunkEntry chunk_of(BytesView bytes) {
  const auto vfs = io::memory_vfs();
  return open(*vfs, bytes)->index(1).chunks.at(0);
}

Array texts_with_null(std::uint64_t rows) {
  model::ArrayBuilder builder({TypeKind::string});
  std::mt19937_64 random(3);
  for (std::uint64_t row = 0; row < rows; ++row) {
    if (row == 1) {
      builder.append_null();
      continue;
    }
    builder.append_text("https://example.org/" + std::to_string(random()));
  }
  return builder.finish();
}

// Booleans whose nulls have bytes that are none.
Array odd_booleans() {
  Bytes values{std::byte{1}, std::byte{7}, std::byte{0}, std::byte{0xff}, std::byte{1}};
  return {.type = {TypeKind::boolean},
          .length = 5,
          .null_count = 2,
          .validity = buffer_of({std::byte{0b10101}}),
          .values = buffer_of(std::move(values))};
}

}  // namespace

TEST_CASE("segment: slots of null booleans are written as 0 or 1, whatever a caller left there") {
  for (const char* const profile : {"raw", "hot"}) {
    const Bytes bytes = file_of(schema_of(TypeKind::boolean, profile), odd_booleans());
    const auto vfs = io::memory_vfs();
    const auto reader = open(*vfs, bytes);
    reader->verify();
    const Array back = reader->chunk(0, 1);
    if (std::string(profile) == "raw") CHECK(back.zero_copy);
    REQUIRE(back.null_count == 2);
    for (const std::byte value : back.values.bytes) CHECK(value <= std::byte{1});
    CHECK(back.value<std::uint8_t>(0) == 1);
    CHECK(back.value<std::uint8_t>(2) == 0);
    CHECK(back.value<std::uint8_t>(4) == 1);
  }
}

TEST_CASE("segment: a hostile writer's byte in the slot of a null boolean is not served") {
  Bytes bytes = file_of(schema_of(TypeKind::boolean, "raw"), odd_booleans());
  CHECK(read_of(bytes).message.empty());
  const std::uint64_t values = chunk_of(bytes).values.offset;
  bytes[values + 3] = std::byte{2};
  CHECK(holds(read_of(bytes).message, "it holds a boolean that is neither 0 nor 1"));
}

TEST_CASE("segment: a damaged page is pointed at in the part that the damage is in") {
  const std::uint64_t rows = kPageRowsMax + 1000;
  const Bytes sound = file_of(schema_of(TypeKind::string, "raw"), texts_with_null(rows));
  const ChunkEntry chunk = chunk_of(sound);
  const std::uint64_t second = kPageRowsMax;  // row of the page that is damaged
  const auto with = [&](std::uint64_t at, std::byte value) {
    Bytes bytes = sound;
    bytes[at] ^= value;
    return bytes;
  };
  const std::uint64_t bits = chunk.validity.offset + second / 8;
  const Told nulls = read_of(with(bits + 2, std::byte{1}));
  CHECK(holds(nulls.message, "its nulls are not as many"));
  CHECK(nulls.offset == bits);
  const std::uint64_t offsets = chunk.offsets.offset + second * 8;
  const Told texts = read_of(with(offsets + 8 * 10 + 7, std::byte{1}));
  CHECK(holds(texts.message, "page 1 of row group 0 of column 2 is damaged: its offsets"));
  CHECK(texts.offset == offsets);
  const std::uint64_t values = chunk.values.offset + load_le<std::uint64_t>(&sound[offsets]);
  const Told letters = read_of(with(values, std::byte{0x80}));
  CHECK(holds(letters.message, "not UTF-8"));
  CHECK(letters.offset == values);
  CHECK(read_of(with(values, std::byte{1}), false).offset == values);  // a checksum tells no more
}

TEST_CASE("segment: damage of what pages share, or of pages without text, is pointed at there") {
  model::ArrayBuilder few({TypeKind::string});
  for (int row = 0; row < 3000; ++row) few.append_text(row % 7 == 0 ? "AAPL" : "MSFT");
  for (const auto& [codec, rows] : {std::pair(codec::CodecId::text, texts_with_null(3000)),
                                    std::pair(codec::CodecId::dictionary, few.finish())}) {
    Bytes packed = file_of(schema_of(TypeKind::string, "hot"), rows);
    const ChunkEntry chunk = chunk_of(packed);
    REQUIRE(chunk.codec.id == codec);
    packed[chunk.offsets.offset + 3] ^= std::byte{0xff};
    const Told table = read_of(packed);
    CHECK(table.message != "");
    CHECK(table.offset == chunk.offsets.offset);
  }
  model::ArrayBuilder empty({TypeKind::string});
  for (int row = 0; row < 5; ++row) empty.append_text("");
  Bytes bare = file_of(schema_of(TypeKind::string, "raw"), empty.finish());
  const ChunkEntry none = chunk_of(bare);
  REQUIRE(none.values.bytes == 0);
  bare[none.offsets.offset + 8] ^= std::byte{1};
  const Told failed = read_of(bare, false);
  CHECK(holds(failed.message, "fails its checksum"));
  CHECK(failed.offset == none.offsets.offset);
}

}  // namespace otolith::segment
