#include <doctest/doctest.h>

#include "base/limits.h"
#include "codec/raw.h"
#include "test/peak_memory.h"
#include "test/segment_reseal.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using sample::open;
using sample::Row;

// Four rows of two keys and two hours: what is patched into them, by a writer that is hostile.
struct Hostile {
  std::unique_ptr<io::Vfs> vfs = io::memory_vfs();
  std::shared_ptr<const Schema> schema;
  Bytes bytes;
  bool many = false;

  explicit Hostile(bool of_many) : many(of_many) {
    Schema made;
    made.partition = Partition::hour;
    made.keys = {"k"};
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "k", .type = {TypeKind::string}, .nullable = false, .id = 2},
                    {.name = "flag", .type = {TypeKind::boolean}, .id = 3},
                    {.name = "price", .type = {TypeKind::decimal, 4, 2}, .id = 4}};
    schema = std::make_shared<const Schema>(made);
    const test::Value yes = std::uint64_t{1};
    const test::Value price = decimal_of(9999);
    const std::vector<Row> rows{{1, "aa", yes, price},
                                {1, "bb", yes, price},
                                {2, "bb", yes, price},
                                {sample::kHour, "aa", yes, price}};
    SegmentSpec spec = sample::spec_of(schema);
    spec.many = many;
    spec.codec = &codec::raw_codec();  // so that a value is where its row says
    Batch batch = test::batch_of(schema, rows);
    if (many) {
      model::ArrayBuilder begins({TypeKind::uint64});
      model::ArrayBuilder ordinals({TypeKind::uint64});
      for (std::uint64_t row = 0; row < rows.size(); ++row) {
        begins.append_value(std::uint64_t{5});
        ordinals.append_value(row);
      }
      batch.columns.push_back(begins.finish());
      batch.columns.push_back(ordinals.finish());
    }
    const auto file = sample::file_of(*vfs, {});
    SegmentWriter writer(*file, spec);
    writer.begin_run(sample::run_of(made, rows));
    writer.append(batch);
    writer.end_run();
    writer.finish();
    bytes = sample::bytes_of(*file);
  }

  SegmentExpect expect() const {
    SegmentExpect out;
    out.schema = schema;
    if (many) out.begins = {CommitNumber{5}, CommitNumber{5}};
    return out;
  }

  // Puts a value into a column of a row group, and checksums right; zone maps where they are to be.
  template <typename T>
  void put(ColumnId id, std::size_t group, std::uint64_t row, T value, bool zones = true) {
    {
      const auto reader = open(*vfs, bytes);
      const std::size_t column = *reader->find(id);
      const ColumnEntry& entry = reader->shape().columns[column];
      const std::uint64_t values = load_le<std::uint64_t>(
          &bytes[entry.index_offset + kIndexHeadBytes + group * kChunkEntryBytes + 40]);
      store_le(&bytes[values + row * sizeof(T)], value);
    }
    test::reseal(bytes);
    if (zones) test::reseal_zones(bytes);
  }
  // Mapped and with pread: what is found is the same.
  std::string read() {
    return both([&](bool map) { sample::read_all(*open(*vfs, bytes, map, expect())); });
  }
  std::string verify() {
    return both([&](bool map) { open(*vfs, bytes, map, expect())->verify(); });
  }
  template <typename Call>
  static std::string both(Call call) {
    const std::string mapped = told([&] { call(true); });
    CHECK(told([&] { call(false); }) == mapped);
    return mapped;
  }
  template <typename Call>
  static std::string told(Call call) {
    try {
      call();
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      CHECK(error.where().file == "sample.seg");
      return error.message();
    }
    return "sound";
  }
};

bool holds(const std::string& message, const std::string& part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("segment: a hostile writer's text that is no UTF-8 and its -2^63 are not handed out") {
  Hostile text(false);
  CHECK(text.read() == "sound");
  CHECK(text.verify() == "sound");
  text.put(ColumnId{2}, 0, 1, std::uint8_t{0xff});
  CHECK(holds(text.read(), "row group 0 of column 2 is damaged: it holds text that is not UTF-8"));
  CHECK(holds(text.verify(), "not UTF-8"));
  Hostile time(false);
  time.put(ColumnId{1}, 1, 0, std::int64_t{INT64_MIN}, false);
  CHECK(holds(time.read(), "row group 1 of column 1 is damaged: it holds -2^63"));
  CHECK(holds(time.verify(), "-2^63"));
}

TEST_CASE("segment: a page that expands a thousandfold is a limit error within stated memory") {
  // Says zstd, and writes a page of three rows of 64 MiB that is as small as its lengths.
  class Bomb final : public codec::Codec {
   public:
    codec::CodecKey key() const noexcept override { return {codec::CodecId::zstd, 1}; }
    std::string_view name() const noexcept override { return "bomb"; }
    bool fits(Type) const noexcept override { return true; }
    std::optional<std::uint64_t> analyze(const Array&) const override { return 0; }
    codec::EncodedChunk encode(const Array& chunk, std::uint32_t) const override {
      ByteWriter page;
      if (!model::is_text(chunk.type)) return codec::raw_codec().encode(chunk, kPageRowsMax);
      page.put(std::uint32_t{192} << 20);
      page.put(std::uint32_t{8});
      page.put_zeros(64);
      codec::EncodedChunk out;
      out.pages.push_back({0, page.size()});
      out.values = buffer_of(page.take());
      return out;
    }
    std::string_view flaw(const codec::Parts&, const codec::PageFacts&) const override {
      return {};
    }
  };
  const auto vfs = io::memory_vfs();
  Schema made;
  made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                  {.name = "note", .type = {TypeKind::string}, .nullable = false, .id = 2}};
  const auto schema = std::make_shared<const Schema>(made);
  const std::vector<Row> rows{{1, "a"}, {2, "b"}, {3, "c"}};
  const Bomb bomb;
  SegmentSpec spec = sample::spec_of(schema);
  spec.codec = &bomb;
  const auto reader = segment::open(*vfs, sample::bytes_of_run(spec, rows));
  try {
    reader->chunk(0, 1);
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::limit);
    CHECK(holds(error.message(), "column 2: its text is longer than 32 MiB"));
    CHECK(error.where().file == "sample.seg");
  }
}

TEST_CASE(
    "segment: a hostile writer's booleans that are neither and longer decimals are not served") {
  Hostile flag(false);
  flag.put(ColumnId{3}, 0, 1, std::uint8_t{2});
  CHECK(
      holds(flag.read(), "row group 0 of column 3 is damaged: it holds a boolean that is neither"));
  CHECK(holds(flag.verify(), "neither 0 nor 1"));
  Hostile price(false);
  price.put(ColumnId{4}, 1, 0, std::uint64_t{10'000});
  CHECK(
      holds(price.read(), "row group 1 of column 4 is damaged: it holds a decimal of more digits"));
  CHECK(holds(price.verify(), "more digits"));
}

TEST_CASE("segment: verify finds rows out of order and outside their partition, and says where") {
  Hostile keys(false);
  keys.put(ColumnId{2}, 0, 0, std::uint8_t{'z'});  // "za" before "bb"
  CHECK(keys.read() == "sound");
  CHECK(holds(keys.verify(), "row group 0 is damaged: its rows are out of order"));
  Hostile times(false);
  times.put(ColumnId{1}, 0, 1, std::int64_t{3});
  CHECK(holds(times.verify(), "row group 0 is damaged: its rows are out of order"));
  Hostile equal(false);
  equal.put(ColumnId{1}, 0, 1, std::int64_t{2});
  CHECK(holds(equal.verify(), "no rows share keys and time, and some do"));
  Hostile partition(false);
  partition.put(ColumnId{1}, 1, 0, std::int64_t{2 * sample::kHour});
  CHECK(holds(partition.verify(), "row group 1 is damaged: its rows are not of its partition"));
}

TEST_CASE("segment: verify finds rows out of order where pages and row groups meet") {
  Schema made;
  made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1}};
  const auto schema = std::make_shared<const Schema>(made);
  std::vector<Row> rows;
  for (std::int64_t row = 0; row < kRowGroupRowsMax + 2; ++row) rows.push_back({row});
  const auto vfs = io::memory_vfs();
  SegmentSpec spec = sample::spec_of(schema);
  spec.codec = &codec::raw_codec();  // so that the column lies in one piece
  const Bytes sound = sample::bytes_of_run(spec, rows);
  open(*vfs, sound)->verify();
  const auto index = open(*vfs, sound)->index(0);
  for (const std::uint64_t row : {kPageRowsMax, kRowGroupRowsMax}) {
    Bytes bytes = sound;
    store_le(&bytes[index.chunks[0].values.offset + row * 8], static_cast<std::int64_t>(row - 2));
    test::reseal(bytes);
    test::reseal_zones(bytes);
    const std::string told = Hostile::told([&] { open(*vfs, bytes)->verify(); });
    CHECK(holds(told, row == kPageRowsMax ? "row group 0 is damaged: its rows are out of order"
                                          : "row group 1 is damaged: its rows are out of order"));
  }
}

TEST_CASE("segment: verify finds row ids out of order and of other commits") {
  Hostile begin(true);
  CHECK(begin.verify() == "sound");
  begin.put(kBeginColumn, 1, 0, std::uint64_t{6});
  CHECK(holds(begin.verify(), "row group 1 is damaged: it holds rows of other commits"));
  Hostile ordinal(true);
  ordinal.put(ColumnId{1}, 0, 1, std::int64_t{2});  // now equal to the next but for the ordinal
  CHECK(holds(ordinal.verify(), "no rows share keys and time"));
  ordinal.put(kOrdinalColumn, 0, 1, std::uint64_t{7});
  CHECK(holds(ordinal.verify(), "row group 0 is damaged: its rows are out of order"));
}

TEST_CASE("segment: verify finds other keys than the dataset's") {
  Hostile other(false);
  Schema schema = *other.schema;
  schema.keys.clear();
  other.schema = std::make_shared<const Schema>(schema);
  CHECK(holds(other.verify(), "its keys and time are not those of the dataset"));
}

TEST_CASE("segment: verify finds a zone map that does not fit, and says where") {
  Hostile zone(false);
  const auto reader = open(*zone.vfs, zone.bytes);
  const ColumnEntry entry = reader->shape().columns[1];
  zone.bytes[entry.index_offset + kIndexHeadBytes + 2 * kChunkEntryBytes + kPageEntryBytes + 24] =
      std::byte{'0'};
  test::reseal(zone.bytes);
  CHECK(holds(zone.verify(), "the zone map of page 0 of row group 1 of column 2 does not fit"));
}

// Sizes at fixed places of the footer (docs/format/segment.md).
TEST_CASE("segment: a footer that claims 2^63 rows or absurd counts is corrupt, in little memory") {
  const Hostile sound(false);
  const std::uint64_t footer = sound.bytes.size() - kTrailerBytes -
                               load_le<std::uint64_t>(&sound.bytes[sound.bytes.size() - 32]);
  const std::uint64_t before = test::peak_bytes();
  const auto refused = [&](std::uint64_t at, auto value) {
    Hostile hostile(false);
    store_le(&hostile.bytes[footer + at], value);
    test::reseal(hostile.bytes);
    const std::string said = hostile.read();
    CHECK(said != "sound");
    return said;
  };
  CHECK(holds(refused(8, std::uint64_t{1} << 63), "do not add up to the rows"));
  for (const std::uint64_t count : {16u, 20u, 24u, 40u}) {  // row groups, columns, runs, keys
    CAPTURE(count);
    refused(count, std::uint32_t{0xffff'ffff});
    refused(count, std::uint32_t{1} << 28);
  }
  for (const std::uint32_t page_rows : {0u, 1024u, 1u << 20, 0xffff'fc00u}) {
    CAPTURE(page_rows);
    Hostile hostile(false);
    store_le(&hostile.bytes[footer + 28], page_rows);
    test::reseal(hostile.bytes);
    CHECK((hostile.read() == "sound") == (page_rows == 1024));
  }
  const std::uint64_t groups = sound.bytes.size() - kTrailerBytes - 2 * kRowGroupEntryBytes;
  Hostile rows(false);  // the row groups agree with the footer, and the data do not
  store_le(&rows.bytes[groups + 4], std::uint32_t{65'536});
  store_le(&rows.bytes[groups + kRowGroupEntryBytes + 16], std::uint64_t{65'536});
  store_le(&rows.bytes[footer + 8], std::uint64_t{65'537});
  test::reseal(rows.bytes);
  CHECK(holds(rows.read(), "column 1"));
  CHECK(test::peak_bytes() - before < (16u << 20));
}

TEST_CASE("segment: a footer with impossible digits, or a key twice, is corrupt") {
  const Hostile sound(false);
  const std::uint64_t footer = sound.bytes.size() - kTrailerBytes -
                               load_le<std::uint64_t>(&sound.bytes[sound.bytes.size() - 32]);
  const std::uint64_t price = footer + kFooterHeadBytes + 8 + 3 * kColumnEntryBytes;
  REQUIRE(sound.bytes[price + 4] == static_cast<std::byte>(TypeKind::decimal));
  const auto with_digits = [&](std::uint64_t column, std::uint8_t precision, std::uint8_t scale) {
    Hostile hostile(false);
    store_le(&hostile.bytes[column + 5], precision);
    store_le(&hostile.bytes[column + 6], scale);
    test::reseal(hostile.bytes);
    return hostile.read();
  };
  for (const auto& [precision, scale] : {std::pair{0, 0}, {0, 2}, {39, 2}, {4, 5}}) {
    CAPTURE(precision);
    const auto digits = static_cast<std::uint8_t>(precision);
    CHECK(holds(with_digits(price, digits, static_cast<std::uint8_t>(scale)),
                "impossible precision or scale"));
  }
  CHECK(holds(with_digits(price - kColumnEntryBytes, 1, 0), "impossible precision or scale"));
  // Room for a second key: the zeros behind the first.
  for (const std::uint32_t key : {2u, 1u}) {
    Hostile hostile(false);
    store_le(&hostile.bytes[footer + 40], 2u);
    store_le(&hostile.bytes[footer + kFooterHeadBytes + 4], key);
    test::reseal(hostile.bytes);
    CHECK(holds(hostile.read(), "a key column comes twice, or is the time column"));
  }
}

TEST_CASE("segment: a footer of more columns than a segment can have is corrupt") {
  const Hostile sound(false);
  const auto reader = open(*sound.vfs, sound.bytes);
  for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
    Footer footer = reader->shape();
    for (std::uint32_t id = 5; footer.columns.size() < kSegmentColumnsMax + more; ++id) {
      footer.columns.push_back(footer.columns.back());
      footer.columns.back().id = ColumnId{id};
    }
    const Bytes bytes = footer_write(footer);
    const std::string told = Hostile::told([&] { footer_parse(bytes, "sample.seg", 0); });
    CHECK(holds(told, more == 0 ? "sound" : "more columns than a segment can have"));
  }
}

TEST_CASE("segment: a writer refuses more columns than a segment can have, and names the table") {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1}};
  for (std::uint32_t id = 2; id <= kSegmentColumnsMax + 1; ++id)
    schema.columns.push_back({.name = "x", .type = {TypeKind::int8}, .id = id});
  const auto vfs = io::memory_vfs();
  SegmentSpec spec = sample::spec_of(std::make_shared<const Schema>(schema));
  spec.dataset = "wide";
  const auto file = sample::file_of(*vfs, {});
  CHECK_THROWS_WITH_AS(SegmentWriter(*file, spec), doctest::Contains("kSegmentColumnsMax"), Error);
}

TEST_CASE("segment: a chunk whose codec does not take the type of its column is corrupt") {
  const auto file_of = [](const char* codec) {
    Schema schema;
    schema.codec = codec;
    schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                      {.name = "x", .type = {TypeKind::float64}, .id = 2}};
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 2000; ++i)
      rows.push_back({i * 1'000'000'000, double(i * 7 % 300) / 100});
    return sample::bytes_of_run(sample::spec_of(std::make_shared<const Schema>(schema)), rows);
  };
  int by_type = 0;  // the others have zone maps that their type cannot have
  for (const char* const codec : {"hot", "small"}) {
    const Bytes sound = file_of(codec);
    REQUIRE(open(*io::memory_vfs(), sound)->shape().columns.size() == 2);
    for (const TypeKind kind : {TypeKind::int8, TypeKind::binary, TypeKind::string}) {
      Bytes hostile = sound;
      const std::uint64_t columns =
          sound.size() - kTrailerBytes - kRowGroupEntryBytes - 2 * kColumnEntryBytes;
      REQUIRE(hostile[columns + kColumnEntryBytes + 4] ==
              static_cast<std::byte>(TypeKind::float64));
      hostile[columns + kColumnEntryBytes + 4] = static_cast<std::byte>(kind);
      test::reseal(hostile);
      const auto vfs = io::memory_vfs();
      const std::string told = Hostile::told([&] { open(*vfs, hostile, false)->verify(); });
      CHECK(holds(told, "column 2"));
      by_type += told.find("does not take the type") != std::string::npos ? 1 : 0;
    }
  }
  CHECK(by_type >= 1);
}

TEST_CASE("segment: a column said to be of another width is corrupt and named") {
  const Hostile sound(false);
  const std::uint64_t columns =
      sound.bytes.size() - kTrailerBytes - 2 * kRowGroupEntryBytes - 4 * kColumnEntryBytes;
  for (const TypeKind kind : {TypeKind::int8, TypeKind::float64, TypeKind::uint16}) {
    Hostile hostile(false);  // plain text, said to be numbers
    store_le(&hostile.bytes[columns + kColumnEntryBytes + 4], kind);
    test::reseal(hostile.bytes);
    CHECK(holds(hostile.read(), "column 2"));
  }
}

TEST_CASE("segment: a chunk index with absurd offsets or sizes is corrupt and its column named") {
  const Hostile sound(false);
  const auto reader = open(*sound.vfs, sound.bytes);
  const std::uint64_t index = reader->shape().columns[1].index_offset;
  for (const std::uint64_t at : {0u, 4u, 12u, 16u, 24u, 32u, 40u, 48u, 56u}) {
    for (const std::uint64_t value :
         {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{1} << 40}) {
      CAPTURE(at);
      Hostile hostile(false);
      store_le(&hostile.bytes[index + at], value);
      test::reseal(hostile.bytes);
      CHECK(holds(hostile.read(), "column 2"));
    }
  }
}

// A column for each codec that encodes, a page each.
Bytes encoded_columns(io::Vfs& vfs, std::vector<Row>* rows) {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "same", .type = {TypeKind::uint8}, .id = 2},
                    {.name = "frame", .type = {TypeKind::int32}, .id = 3},
                    {.name = "delta", .type = {TypeKind::int64}, .id = 4},
                    {.name = "alp", .type = {TypeKind::float64}, .id = 5},
                    {.name = "text", .type = {TypeKind::string}, .id = 6}};
  test::Random random(1);
  for (std::int64_t i = 0, sum = 0; i < 3000; ++i) {
    sum += i % 100 == 99 ? 1'000'000 : 40 + i * 13 % 30;
    rows->push_back({i * 1'000'000, std::uint64_t{7}, i * i % 11, sum, double(i * 37 % 90) / 100,
                     i % 4 == 0 ? "cellar" : "attic"});
  }
  const auto file = sample::file_of(vfs, {});
  sample::write(*file, sample::spec_of(std::make_shared<const Schema>(schema)), {*rows}, random);
  return sample::bytes_of(*file);
}

TEST_CASE(
    "segment: pages of any codec that claim to be huge are refused by column, in little memory") {
  const auto vfs = io::memory_vfs();
  std::vector<Row> rows;
  const Bytes sound = encoded_columns(*vfs, &rows);
  const auto reader = open(*vfs, sound);
  REQUIRE(test::same_rows(sample::read_all(*reader), rows));
  const std::uint64_t before = test::peak_bytes();
  std::uint64_t refused = 0;
  for (std::size_t column = 0; column < reader->shape().columns.size(); ++column) {
    const ChunkEntry& chunk = reader->index(column).chunks[0];
    for (const Part& part : {chunk.offsets, chunk.values}) {
      for (std::uint64_t at = 0; at + 4 <= std::min<std::uint64_t>(part.bytes, 96); at += 4) {
        for (const std::uint32_t value : {0xffff'ffffu, 0x7fff'ffffu, 0x1000'0000u, 0x10'0000u}) {
          CAPTURE(column);
          CAPTURE(at);
          Bytes bytes = sound;
          store_le(&bytes[part.offset + at], value);
          test::reseal(bytes);
          const auto hostile = open(*vfs, bytes, at % 8 == 0);
          try {
            const Array values = hostile->chunk(0, column);
            REQUIRE(values.length == rows.size());  // a value like another
          } catch (const Error& error) {
            ++refused;
            REQUIRE(error.code() == ErrorCode::corrupt);
            REQUIRE(holds(error.message(), fmt::format("column {}", column + 1)));
          }
        }
      }
    }
  }
  CHECK(refused > 100);
  CHECK(test::peak_bytes() - before < (64u << 20));
}

TEST_CASE("segment: text that repeats expands a thousandfold within its limits, a page at a time") {
  const auto vfs = io::memory_vfs();
  Schema schema;
  schema.partition = Partition::none;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "text", .type = {TypeKind::string}, .nullable = false, .id = 2}};
  const std::uint64_t rows = 2 * kPageRowsMax;
  const std::string text(kDictionaryTextBytesMax, 'x');
  Batch batch{.schema = std::make_shared<const Schema>(schema), .rows = rows};
  model::ArrayBuilder times({TypeKind::timestamp});
  model::ArrayBuilder texts({TypeKind::string});
  for (std::uint64_t row = 0; row < rows; ++row) {
    times.append_value(static_cast<std::int64_t>(row));
    texts.append_text(text);
  }
  batch.columns = {times.finish(), texts.finish()};
  const auto file = sample::file_of(*vfs, {});
  SegmentWriter writer(*file, sample::spec_of(batch.schema));
  writer.begin_run({{0, rows}});
  writer.append(batch);
  writer.end_run();
  writer.finish();
  Bytes bytes = sample::bytes_of(*file);
  batch = {};
  CHECK(bytes.size() < 16'384);
  const Part dictionary = open(*vfs, bytes)->index(1).chunks[0].offsets;
  REQUIRE(dictionary.bytes != 0);
  const Array page = open(*vfs, bytes)->rows(0, 1, 0, 10);  // one page is decoded, no more
  CHECK(page.text(9) == text);
  CHECK(page.values.bytes.size() <= kPageRowsMax * kDictionaryTextBytesMax);
  store_le(&bytes[dictionary.offset + 8], static_cast<std::uint32_t>(kDictionaryTextBytesMax + 1));
  test::reseal(bytes);
  CHECK_THROWS_WITH_AS(open(*vfs, bytes)->rows(0, 1, 0, 10), doctest::Contains("of column 2"),
                       Error);
}

}  // namespace otolith::segment
