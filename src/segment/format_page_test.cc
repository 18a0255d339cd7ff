#include <doctest/doctest.h>

#include <bit>
#include <cstdlib>
#include <random>
#include <set>

#include "test/hex_page.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using sample::Row;

const char* const kGolden = "test/golden/segment-v1-three-rows.seg";
const char* const kGoldenSmall = "test/golden/segment-v1-small.seg";
const char* const kGoldenEncoded = "test/golden/segment-v1-encoded.seg";
const char* const kGoldenMeasured = "test/golden/segment-v1-measured.seg";
const char* const kGoldenBodies = "test/golden/segment-v1-bodies.seg";
const char* const kGoldenStanding = "test/golden/segment-v1-standing.seg";
const char* const kEncodedSeed = "test/corpus/fuzz_segment/encoded";
const char* const kPage = "docs/format/segment.md";

std::shared_ptr<const Schema> three_row_schema() {
  Schema schema;
  schema.keys = {"symbol"};
  schema.codec = "raw";
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false, .id = 2},
                    {.name = "bid", .type = {TypeKind::float64}, .id = 3}};
  return std::make_shared<const Schema>(schema);
}

// 2026-01-05 (day 20,458), one and two seconds after 09:00 UTC.
std::vector<Row> three_rows() {
  const std::int64_t nine = (20'458ll * 24 + 9) * sample::kHour;
  return {{nine + 1'000'000'000, "AAPL", 187.5},
          {nine + 2'000'000'000, "AAPL", std::nullopt},
          {nine + 1'000'000'000, "MSFT", 402.25}};
}

Bytes file_of_rows(const std::shared_ptr<const Schema>& schema, const std::vector<Row>& rows) {
  return sample::bytes_of_run(sample::spec_of(schema), rows);
}

Bytes three_row_file() { return file_of_rows(three_row_schema(), three_rows()); }

// A column for each codec that encodes, under the profile that chooses.
std::shared_ptr<const Schema> encoded_schema(const char* profile = "hot") {
  Schema schema;
  schema.codec = profile;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "sensor", .type = {TypeKind::uint8}, .id = 2},
                    {.name = "state", .type = {TypeKind::int32}, .id = 3},
                    {.name = "count", .type = {TypeKind::int64}, .nullable = false, .id = 4},
                    {.name = "degrees", .type = {TypeKind::float64}, .id = 5},
                    {.name = "place", .type = {TypeKind::string}, .id = 6}};
  return std::make_shared<const Schema>(schema);
}

std::vector<Row> encoded_rows() {
  std::vector<Row> out;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < 1500; ++i) {
    const auto state = i % 7 == 0 ? test::Cell() : test::Cell(std::int64_t{i * i % 11});
    const auto degrees = i % 50 == 9 ? test::Cell() : test::Cell(double(2000 + i * 37 % 90) / 100);
    count += i % 100 == 99 ? 1'000'000 : 40 + i * 13 % 30;
    const auto place = i % 90 == 3 ? test::Cell() : test::Cell(i % 4 == 0 ? "cellar" : "attic");
    out.push_back({i * 1'000'000'000, std::uint64_t{7}, state, count, degrees, place});
  }
  return out;
}

// A column for each of the others that no library has a part in.
std::shared_ptr<const Schema> measured_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "share", .type = {TypeKind::float64}, .id = 2},
                    {.name = "noise", .type = {TypeKind::float64}, .id = 3},
                    {.name = "small noise", .type = {TypeKind::float32}, .id = 4},
                    {.name = "flag", .type = {TypeKind::boolean}, .id = 5},
                    {.name = "price", .type = {TypeKind::decimal, 12, 2}, .id = 6},
                    {.name = "units", .type = {TypeKind::decimal, 38, 4}, .id = 7},
                    {.name = "note", .type = {TypeKind::string}, .id = 8},
                    {.name = "blob", .type = {TypeKind::binary}, .id = 9}};
  return std::make_shared<const Schema>(schema);
}

// Floats by their bits, so that no library rounds them.
std::vector<Row> measured_rows() {
  std::vector<Row> out;
  std::mt19937_64 random(9);
  for (std::int64_t i = 0; i < 1500; ++i) {
    const std::uint64_t bits = random();
    const auto noise = std::bit_cast<double>((bits >> 12) | (1020 + bits % 4) << 52 | bits << 63);
    const auto less = std::bit_cast<float>(
        static_cast<std::uint32_t>((bits >> 41) | (120 + (bits >> 2) % 4) << 23));
    const auto share =
        i % 40 == 7 ? test::Cell() : test::Cell(double(random() >> 11) * 100 * 0x1p-53);
    const auto cents = static_cast<std::int64_t>(random() % 20'000) - 500;
    const Decimal units{random(), static_cast<std::int64_t>(random() % 1000) - 500};
    const std::string note = fmt::format("sensor {} reads {} of {}", bits % 97, bits % 9973, i);
    out.push_back({i * i * 1'000'003, share, noise, double{less}, std::uint64_t{bits % 3 == 0},
                   i % 9 == 4 ? test::Cell() : test::Cell(decimal_of(cents)), units, note,
                   note.substr(note.size() / 2)});
  }
  return out;
}

// Columns that stand for a while, of one thing, and times that stray from whole seconds.
std::shared_ptr<const Schema> standing_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "state", .type = {TypeKind::int16}, .id = 2},
                    {.name = "open", .type = {TypeKind::boolean}, .nullable = false, .id = 3},
                    {.name = "degrees", .type = {TypeKind::float64}, .id = 4},
                    {.name = "limit", .type = {TypeKind::float32}, .id = 5},
                    {.name = "price", .type = {TypeKind::decimal, 38, 2}, .id = 6},
                    {.name = "fee", .type = {TypeKind::decimal, 12, 2}, .id = 7}};
  return std::make_shared<const Schema>(schema);
}

std::vector<Row> standing_rows() {
  std::vector<Row> out;
  std::mt19937_64 random(17);
  std::int64_t time = 0;
  for (std::int64_t i = 0; i < 3000; ++i) {
    time += static_cast<std::int64_t>(1 + random() % 60) * 1'000'000'000;
    const std::int64_t stray = i % 400 == 399 ? 250'000'000 : 0;
    const auto state =
        i % 31 == 5 ? test::Cell() : test::Cell(std::int64_t{i / 60 * 7919 % 200 - 100});
    const double degrees = double(2000 + i / 20 * 37 % 90) / 100;
    const Decimal price{static_cast<std::uint64_t>(i / 100) * 25, i / 1500};
    out.push_back({time + stray, state, std::uint64_t{i / 300 % 2 == 0}, degrees,
                   double{static_cast<float>(i / 500) / 2}, price, decimal_of(125)});
  }
  return out;
}

// The codecs of the first row group.
std::set<codec::CodecId> codecs_of(const SegmentReader& reader, BytesView file) {
  const Footer& footer = reader.shape();
  std::set<codec::CodecId> used;
  for (std::size_t i = 0; i < footer.columns.size(); ++i) {
    const ColumnEntry& column = footer.columns[i];
    used.insert(index_parse(file.subspan(column.index_offset, column.index_bytes), "", footer, i,
                            footer.columns[0].index_offset)
                    .chunks[0]
                    .codec.id);
  }
  return used;
}

void dump_header(test::HexDump& dump) {
  dump.heading("header");
  dump.field(8, "magic");
  dump.field(2, "format version 1");
  dump.field(2, "bytes of the header");
  dump.field(4, "zero");
  dump.field(8, "required features: none");
  dump.field(8, "optional features: none");
  dump.field(16, "segment id");
  dump.field(16, "recorder id");
  dump.field(16, "database id");
  dump.field(8, "dataset: created by commit 1");
  dump.field(4, "dataset: index among those");
  dump.field(4, "zero");
  dump.field(16, "key id: not encrypted");
  dump.field(24, "nonce: not encrypted");
  dump.field(16, "zero");
  dump.field(8, "XXH3 of bytes 0 to 151");
}

void dump_data(test::HexDump& dump, BytesView bytes, const Footer& footer) {
  dump.heading("data: plain columns of the run, side by side, then the other parts as they come");
  struct Named {
    Part part;
    std::string what;
  };
  std::vector<Named> parts;
  for (std::size_t i = 0; i < footer.columns.size(); ++i) {
    const ColumnEntry& column = footer.columns[i];
    const ColumnIndex index = index_parse(bytes.subspan(column.index_offset, column.index_bytes),
                                          "page", footer, i, footer.columns[0].index_offset);
    const std::string name = fmt::format(" of column {}", value_of(column.id));
    parts.push_back({index.chunks[0].validity, "validity, a bit a row," + name});
    parts.push_back({index.chunks[0].offsets, "offsets" + name});
    parts.push_back({index.chunks[0].values, "values" + name});
  }
  std::ranges::sort(parts, {}, [](const Named& named) { return named.part.offset; });
  for (const Named& named : parts) {
    if (named.part.bytes == 0) continue;
    if (named.part.offset != dump.at()) dump.field(named.part.offset - dump.at(), "zero");
    dump.field(named.part.bytes, named.what);
  }
  dump.field(footer.columns[0].index_offset - dump.at(), "zero");
}

void dump_zone(test::HexDump& dump) {
  dump.field(16, "  zone: min");
  dump.field(16, "  zone: max");
  dump.field(16, "  zone: sum");
  dump.field(4, "  zone: nulls");
  dump.field(4, "  zone: flags, bytes of min, bytes of max, zero");
}

void dump_index(test::HexDump& dump, const ColumnEntry& column) {
  dump.heading(fmt::format("index of column {}", value_of(column.id)));
  dump.field(4, "chunks");
  dump.field(4, "pages");
  dump.field(4, "chunk: codec 1 (raw), version 1");
  dump.field(4, "  its first page");
  dump.field(16, "  validity: offset, bytes");
  dump.field(16, "  offsets: offset, bytes");
  dump.field(16, "  values: offset, bytes");
  dump_zone(dump);
  dump.field(8, "page: XXH3 of its pieces");
  dump.field(16, "  place in the values: offset, bytes");
  dump_zone(dump);
}

void dump_footer(test::HexDump& dump, const Footer& footer) {
  dump.heading("footer");
  dump.field(8, "XXH3 of the header");
  dump.field(8, "rows");
  dump.field(8, "row groups, columns");
  dump.field(8, "runs, rows of a page");
  dump.field(8, "flags: unique keys and time; id of the time column");
  dump.field(8, "keys; users' codecs");
  dump.field(16, "least and greatest time");
  dump.field(8, "ids of the keys; zero");
  for (const ColumnEntry& column : footer.columns) {
    dump.field(8, fmt::format("column {}: id, type, zero", value_of(column.id)));
    dump.field(8, "  nulls");
    dump.field(16, "  its index: offset, bytes");
    dump.field(8, "  XXH3 of its index");
  }
  dump.field(8, "row group: run, rows");
  dump.field(8, "  partition: day 20,458");
  dump.field(8, "  first ordinal");
  dump.field(16, "  least and greatest time");
}

std::string dump_of(BytesView bytes) {
  test::HexDump dump(bytes);
  const Trailer trailer = trailer_parse(bytes.last(kTrailerBytes), "page", bytes.size());
  const std::uint64_t base = bytes.size() - kTrailerBytes - trailer.footer_bytes;
  const Footer footer = footer_parse(bytes.subspan(base, trailer.footer_bytes), "page", base);
  dump_header(dump);
  dump_data(dump, bytes, footer);
  for (const ColumnEntry& column : footer.columns) dump_index(dump, column);
  dump_footer(dump, footer);
  dump.heading("trailer");
  dump.field(8, "bytes of the footer");
  dump.field(8, "XXH3 of the footer, as the log names it");
  dump.field(8, "bytes of the file");
  dump.field(8, "magic");
  REQUIRE(dump.at() == bytes.size());
  return dump.text();
}

std::shared_ptr<const Schema> bodies_schema() {
  Schema schema;
  schema.partition = Partition::none;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "body", .type = {TypeKind::binary}, .nullable = false, .id = 2}};
  return std::make_shared<const Schema>(std::move(schema));
}

std::vector<Row> bodies_rows() {
  std::vector<Row> out;
  for (std::int64_t row = 0; row < 2500; ++row) {
    out.push_back({row, "{customer identification number: " + std::to_string(row * 7919) +
                            ", preferred delivery address: {city of residence: Oslo}, language of "
                            "all communication: Norwegian, newsletters may be sent to this "
                            "address: true, terms and conditions accepted: always}"});
  }
  return out;
}

// A golden file, opened and sound, that gives these rows.
std::shared_ptr<const SegmentReader> golden_of(io::Vfs& sources, const char* path,
                                               const std::vector<Row>& rows) {
  auto reader = SegmentReader::open(sources.open(path, io::OpenMode::read), path, {}, true);
  CHECK(test::same_rows(sample::read_all(*reader), rows));
  reader->verify();
  return reader;
}

}  // namespace

TEST_CASE("segment: the page on its format shows the very bytes of a file") {
  CHECK_MESSAGE(test::page_shows(kPage, dump_of(three_row_file())),
                "run with OTOLITH_UPDATE_DOCS=1");
}

TEST_CASE("golden files: only one that is missing is made, and only where that is asked for") {
  const auto vfs = io::memory_vfs();
  const auto text = [&](const char* path) {
    return vfs->exists(path) ? test::read_text(*vfs, path) : std::string("none");
  };
  const auto with = [&](const char* variable, const char* path) {
    const char* const before = std::getenv(variable);
    const std::string kept = before == nullptr ? "" : before;
    setenv(variable, "1", 1);
    test::make_golden(*vfs, path, "new");
    before == nullptr ? unsetenv(variable) : setenv(variable, kept.c_str(), 1);
  };
  test::write_text(*vfs, "old", "old");
  with("OTOLITH_UPDATE_DOCS", "missing");
  CHECK(text("missing") == (std::getenv("OTOLITH_NEW_GOLDENS") == nullptr ? "none" : "new"));
  with("OTOLITH_UPDATE_DOCS", "old");
  with("OTOLITH_NEW_GOLDENS", "old");
  CHECK(text("old") == "old");
  with("OTOLITH_NEW_GOLDENS", "missing");
  CHECK(text("missing") == "new");
}

TEST_CASE("segment: the golden file of version 1 opens and gives its rows") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  test::make_golden(*sources, kGolden, as_text(three_row_file()));
  golden_of(*sources, kGolden, three_rows());
  CHECK(as_bytes_view(test::read_text(*sources, kGolden)).size() == three_row_file().size());
  CHECK(std::ranges::equal(as_bytes_view(test::read_text(*sources, kGolden)), three_row_file()));
}

TEST_CASE("segment: the golden file of encoded columns opens and gives its rows") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const Bytes made = file_of_rows(encoded_schema(), encoded_rows());
  test::make_golden(*sources, kGoldenEncoded, as_text(made));
  if (test::update_docs()) test::write_text(*sources, kEncodedSeed, as_text(made));
  for (const char* path : {kGoldenEncoded, kEncodedSeed}) {
    CHECK(std::ranges::equal(as_bytes_view(test::read_text(*sources, path)), made));
  }
  const auto reader = golden_of(*sources, kGoldenEncoded, encoded_rows());
  for (std::size_t i = 0; i < reader->shape().columns.size(); ++i)
    CHECK_FALSE(reader->chunk(0, i).zero_copy);
  const std::set<codec::CodecId> used = codecs_of(*reader, made);
  using codec::CodecId;
  CHECK(used == std::set{CodecId::linear, CodecId::constant, CodecId::frame, CodecId::delta,
                         CodecId::alp, CodecId::dictionary});
}

TEST_CASE("segment: the golden file of measured columns opens and gives its rows") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const Bytes made = file_of_rows(measured_schema(), measured_rows());
  test::make_golden(*sources, kGoldenMeasured, as_text(made));
  CHECK(std::ranges::equal(as_bytes_view(test::read_text(*sources, kGoldenMeasured)), made));
  const auto reader = golden_of(*sources, kGoldenMeasured, measured_rows());
  using codec::CodecId;
  CHECK(codecs_of(*reader, made) == std::set{CodecId::delta, CodecId::lattice, CodecId::alp_rd,
                                             CodecId::bitmap, CodecId::decimal, CodecId::text});
}

TEST_CASE("segment: the golden file of columns that stand opens and gives its rows") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const Bytes made = file_of_rows(standing_schema(), standing_rows());
  test::make_golden(*sources, kGoldenStanding, as_text(made));
  CHECK(std::ranges::equal(as_bytes_view(test::read_text(*sources, kGoldenStanding)), made));
  const auto reader = golden_of(*sources, kGoldenStanding, standing_rows());
  using codec::CodecId;
  CHECK(codecs_of(*reader, made) == std::set{CodecId::delta, CodecId::rle, CodecId::constant});
}

// The bytes of zstd and LZ4 are those of the libraries that wrote them: this file is read only.
TEST_CASE("segment: the golden file of compressed columns opens and gives its rows") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  test::make_golden(*sources, kGoldenSmall,
                    as_text(file_of_rows(encoded_schema("small"), encoded_rows())));
  const auto reader = golden_of(*sources, kGoldenSmall, encoded_rows());
  using codec::CodecId;
  const auto used = codecs_of(*reader, as_bytes_view(test::read_text(*sources, kGoldenSmall)));
  CHECK(used.contains(CodecId::planes));
  CHECK(used.contains(CodecId::dictionary_small));
}

TEST_CASE("segment: the golden file of bodies opens and gives its rows, each alone too") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  test::make_golden(*sources, kGoldenBodies, as_text(file_of_rows(bodies_schema(), bodies_rows())));
  const auto reader = golden_of(*sources, kGoldenBodies, bodies_rows());
  const auto used = codecs_of(*reader, as_bytes_view(test::read_text(*sources, kGoldenBodies)));
  CHECK(used.contains(codec::CodecId::bodies));
  for (std::size_t row = 0; row < bodies_rows().size(); row += 50)
    CHECK(test::Cell(reader->text(0, 1, row)) == bodies_rows()[row][1]);
}

}  // namespace otolith::segment
