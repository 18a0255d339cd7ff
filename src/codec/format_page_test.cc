#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/limits.h"
#include "codec/bits.h"
#include "codec/block.h"
#include "codec/registry.h"
#include "otolith/decimal.h"
#include "test/fuzz_page.h"
#include "test/hex_page.h"

namespace otolith::codec {

namespace {

const char* const kPage = "docs/format/codecs.md";

template <typename T>
Array array_of(TypeKind kind, const std::vector<T>& values) {
  model::ArrayBuilder builder({kind});
  for (const T value : values) builder.append_value(value);
  return builder.finish();
}

// The examples of the page.
Array one_thing() { return array_of<std::int32_t>(TypeKind::int32, {-2, -2, -2, -2, -2}); }

Array every_second() {
  return array_of<std::int64_t>(TypeKind::timestamp, {5'000'000'000, 6'000'000'000, 7'000'000'000});
}

// Times about every 10 s in whole seconds but for one, with one gap of a day.
Array seconds_with_gap() {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < 200; ++i)
    values.push_back((i * 10 + i % 3 + (i < 120 ? 0 : 86'400)) * 1'000'000'000);
  values[60] += 250'000'000;
  return array_of(TypeKind::timestamp, values);
}

// A state that stands for a while, the last for one row.
Array states() {
  return array_of<std::int16_t>(TypeKind::int16, {7, 7, 7, 7, 7, 250, 250, 250, 250, 9});
}

Array prices() {
  std::vector<double> values{187.5, 187.49, std::numeric_limits<double>::quiet_NaN(), 187.52,
                             187.5};
  for (int i = 0; i < 30; ++i) values.push_back(187 + i % 7 / 100.0);
  return array_of(TypeKind::float64, values);
}

// Counts of a converter, 3.3 V in 4,096 steps, the fifth a NaN.
Array volts() {
  std::vector<double> values;
  for (int i = 0; i < 20; ++i) values.push_back((1000 + i * 7 % 16) * (3.3 / 4096));
  values[4] = std::numeric_limits<double>::quiet_NaN();
  return array_of(TypeKind::float64, values);
}

// Of no decimals and no step; the last has an exponent of its own.
Array roots() {
  std::vector<double> values;
  for (int i = 100; i < 136; ++i) values.push_back(std::sqrt(i));
  values.back() *= 1e200;
  return array_of(TypeKind::float64, values);
}
Array delays() { return array_of<std::int16_t>(TypeKind::int16, {33, 19, 14, -13, 1, 1014}); }

Array symbols() {
  model::ArrayBuilder builder({TypeKind::string});
  for (const char* text : {"MSFT", "AAPL", "AAPL", "MSFT", "T"}) builder.append_text(text);
  return builder.finish();
}

Array urls() {
  model::ArrayBuilder builder({TypeKind::string});
  for (int i = 0; i < 16; ++i) builder.append_text("http://a.org/" + std::to_string(i * i));
  return builder.finish();
}

Array small_bodies() {
  model::ArrayBuilder builder({TypeKind::binary});
  for (const std::string& text : {std::string(40, 'a'), std::string(), std::string("late")})
    builder.append_text(text);
  return builder.finish();
}

Array many_bodies() {
  model::ArrayBuilder builder({TypeKind::binary});
  for (int i = 0; i < 300; ++i)
    builder.append_text("name Ana, number " + std::to_string(i * 7919) + ", city Oslo or Rome");
  return builder.finish();
}

Array notes() {
  model::ArrayBuilder builder({TypeKind::string});
  for (const char* text : {"late", "later", "", "latest"}) builder.append_text(text);
  return builder.finish();
}

Array truths() {
  return array_of<std::uint8_t>(TypeKind::boolean, {1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1});
}

// Two prices of one word, and one that 64 bits do not hold.
Array long_decimals() {
  model::ArrayBuilder builder({TypeKind::decimal, 38, 2});
  for (const char* text : {"12.50", "-0.75", "1000000000000000000000.00"})
    builder.append_value(decimal_parse(text, {TypeKind::decimal, 38, 2}));
  return builder.finish();
}

Bytes shared_of(CodecId id, const Array& rows) {
  const EncodedChunk encoded = codec_for({id, 1}, "", 0).encode(rows, kPageRowsMax);
  return {encoded.offsets.bytes.begin(), encoded.offsets.bytes.end()};
}

Bytes page_of(CodecId id, const Array& rows) {
  const EncodedChunk encoded = codec_for({id, 1}, "", 0).encode(rows, kPageRowsMax);
  return {encoded.values.bytes.begin(), encoded.values.bytes.end()};
}

void dump_integers(test::HexDump& dump, BytesView bytes, std::uint64_t count) {
  const BytesView head = bytes.subspan(dump.at());
  const auto width = load_le<std::uint8_t>(&head[0]);
  const auto order = load_le<std::uint8_t>(&head[1]);
  const auto outliers = load_le<std::uint16_t>(&head[2]);
  const bool scaled = head[4] != std::byte{0};
  const auto strays = load_le<std::uint16_t>(&head[6]);
  dump.field(1, fmt::format("width: {} bits", width));
  dump.field(1, fmt::format("order {}", order));
  dump.field(2, "outliers");
  dump.field(1, "scaled");
  dump.field(1, "zero");
  dump.field(2, "strays");
  dump.field(8, "base");
  if (order >= 1) dump.field(8, "start");
  if (order == 2) dump.field(8, "slope");
  if (scaled) dump.field(8, "factor");
  if (scaled) dump.field(8, "offset");
  dump.field(packed_bytes(count, width), "packed rows");
  const auto dump_apart = [&dump](const std::string& name, std::uint64_t count_apart) {
    if (count_apart == 0) return;
    dump.field(count_apart * 8u, name);
    dump.field(count_apart * 2u, "their places");
    if (dump.at() % 8 != 0) dump.field(align_up(dump.at(), 8) - dump.at(), "zero");
  };
  dump_apart("outliers", outliers);
  dump_apart("strays", strays);
}

void dump_float_head(test::HexDump& dump, const std::string& scheme) {
  dump.field(1, scheme);
  dump.field(1, "e");
  dump.field(1, "f");
  dump.field(1, "zero");
  dump.field(2, "exceptions");
  dump.field(2, "zero");
}

std::string dump_of_models() {
  const Bytes constant = page_of(CodecId::constant, one_thing());
  test::HexDump first(constant);
  first.heading("constant: five int32 -2");
  first.field(8, "the value, widened");
  const Bytes linear = page_of(CodecId::linear, every_second());
  test::HexDump second(linear);
  second.heading("linear: the times 5 s, 6 s, 7 s");
  second.field(8, "first");
  second.field(8, "step");
  return first.text() + second.text();
}

std::string dump_of_blocks() {
  const Bytes delta = page_of(CodecId::delta, seconds_with_gap());
  test::HexDump first(delta);
  first.heading(
      "delta: 200 times 8 to 11 s apart, but for one gap of a day; whole seconds but for one");
  dump_integers(first, delta, 200);
  REQUIRE(first.at() == delta.size());
  const Bytes alp = page_of(CodecId::alp, prices());
  test::HexDump second(alp);
  second.heading("alp: 35 prices in cents, the third a NaN");
  dump_float_head(second, "scheme: integers");
  dump_integers(second, alp, 35);
  second.field(8, "exceptions");
  second.field(2, "their places");
  second.field(6, "zero");
  REQUIRE(second.at() == alp.size());
  return first.text() + second.text();
}

std::string dump_of_runs() {
  const Bytes page = page_of(CodecId::rle, states());
  test::HexDump dump(page);
  dump.heading("rle: the int16 7 five times, 250 four times, 9");
  dump.field(4, "runs");
  dump.field(4, "zero");
  dump_integers(dump, page, 3);
  dump_integers(dump, page, 3);
  REQUIRE(dump.at() == page.size());
  return dump.text();
}

std::string dump_of_lattice() {
  const Bytes lattice = page_of(CodecId::lattice, volts());
  test::HexDump dump(lattice);
  dump.heading("lattice: 20 voltages in steps of 3.3 / 4096, the fifth a NaN");
  dump.field(8, "step");
  dump_float_head(dump, "scheme: integers");
  dump_integers(dump, lattice, 20);
  dump.field(8, "exceptions");
  dump.field(2, "their places");
  dump.field(6, "zero");
  REQUIRE(dump.at() == lattice.size());
  return dump.text();
}

std::string dump_of_alp_rd() {
  const Bytes split = page_of(CodecId::alp_rd, roots());
  test::HexDump dump(split);
  dump.heading("alp_rd: the roots of 100 to 135, the last times 1e200");
  dump.field(1, "right");
  dump.field(1, "entries");
  dump.field(6, "zero");
  dump.field(16 * 2, "upper parts");
  dump.field(2, "exceptions");
  dump.field(6, "zero");
  const unsigned width =
      std::to_integer<unsigned>(split[0]) +
      static_cast<unsigned>(std::bit_width(std::to_integer<unsigned>(split[1]) - 1));
  dump.field(packed_bytes(36, width), fmt::format("packed words of {} bits", width));
  dump.field(2, "exceptions");
  dump.field(2, "their places");
  dump.field(4, "zero");
  REQUIRE(dump.at() == split.size());
  return dump.text();
}

std::string dump_of_dictionary() {
  const Bytes shared = shared_of(CodecId::dictionary, symbols());
  test::HexDump first(shared);
  first.heading("dictionary of MSFT, AAPL, AAPL, MSFT, T: what its pages share");
  first.field(4, "entries");
  first.field(1, "scheme: plain");
  first.field(3, "zero");
  first.field(4, "bytes of their text");
  first.field(4, "bytes stored");
  dump_integers(first, shared, 3);
  first.field(9, "their text: AAPL, MSFT, T");
  first.field(7, "zero");
  REQUIRE(first.at() == shared.size());
  const Bytes page = page_of(CodecId::dictionary, symbols());
  test::HexDump second(page);
  second.heading("its page");
  second.field(8, "bytes of the text of all rows");
  dump_integers(second, page, 5);
  REQUIRE(second.at() == page.size());
  return first.text() + second.text();
}

void dump_byte_planes(test::HexDump& dump, BytesView bytes, std::uint64_t count) {
  const unsigned planes = load_le<std::uint8_t>(&bytes[dump.at()]);
  const std::size_t entries = dump.at() + 16;
  dump.field(1, "planes");
  dump.field(7, "zero");
  dump.field(8, "base");
  for (unsigned plane = 0; plane < planes; ++plane) {
    const bool constant = bytes[dump.at()] == std::byte{0};
    dump.field(1, constant ? "plane: constant" : "plane: stored");
    dump.field(1, "its byte");
    dump.field(2, "zero");
    dump.field(4, "bytes stored");
  }
  for (unsigned plane = 0; plane < planes; ++plane) {
    if (load_le<std::uint32_t>(&bytes[entries + plane * 8 + 4]) == count)
      dump.field(count, fmt::format("byte {} of each row", plane));
  }
  if (dump.at() % 8 != 0) dump.field(align_up(dump.at(), 8) - dump.at(), "zero");
}

std::string dump_of_planes() {
  const Bytes page = page_of(CodecId::planes, delays());
  test::HexDump dump(page);
  dump.heading("planes: the int16 33, 19, 14, -13, 1, 1014");
  dump.field(1, "scheme: integers");
  dump.field(1, "order");
  dump.field(1, "scaled");
  dump.field(2, "e, f");
  dump.field(1, "zero");
  dump.field(2, "exceptions");
  dump_byte_planes(dump, page, 6);
  REQUIRE(dump.at() == page.size());
  return dump.text();
}

std::string dump_of_text() {
  const Bytes shared = shared_of(CodecId::text, urls());
  test::HexDump first(shared);
  first.heading("text of http://a.org/0, …/1, …/4, …/9 to …/225: what its pages share");
  const std::uint64_t symbols = load_le<std::uint32_t>(&shared[0]);
  first.field(4, "symbols");
  first.field(4, "zero");
  first.field(symbols, "their lengths");
  if (first.at() % 8 != 0) first.field(align_up(first.at(), 8) - first.at(), "zero");
  for (std::uint64_t i = 0; i < symbols; ++i) {
    const auto bytes = load_le<std::uint8_t>(&shared[8 + i]);
    first.field(8, fmt::format("\"{}\"", as_text(BytesView(shared).subspan(first.at(), bytes))));
  }
  REQUIRE(first.at() == shared.size());
  const Bytes page = page_of(CodecId::text, urls());
  test::HexDump second(page);
  second.heading("its page");
  second.field(4, "bytes of text");
  const auto packed = load_le<std::uint32_t>(&page[4]);
  second.field(4, "bytes packed");
  dump_integers(second, page, 16);
  second.field(packed, "packed text");
  if (second.at() % 8 != 0) second.field(align_up(second.at(), 8) - second.at(), "zero");
  REQUIRE(second.at() == page.size());
  return first.text() + second.text();
}

std::string dump_of_pressed() {
  const Bytes page = page_of(CodecId::lz4, notes());
  test::HexDump dump(page);
  dump.heading("lz4: late, later, an empty text, latest");
  dump.field(4, "bytes plain");
  const auto stored = load_le<std::uint32_t>(&page[4]);
  dump.field(4, "bytes stored");
  dump_integers(dump, page, 4);
  dump.field(stored, "a block of LZ4");
  if (dump.at() % 8 != 0) dump.field(align_up(dump.at(), 8) - dump.at(), "zero");
  REQUIRE(dump.at() == page.size());
  return dump.text();
}

std::string dump_of_bodies() {
  const Bytes shared = shared_of(CodecId::bodies, small_bodies());
  test::HexDump first(shared);
  first.heading("bodies: what all pages share of so few that there is no dictionary");
  first.field(4, "bytes of the dictionary");
  first.field(4, "zero");
  REQUIRE(first.at() == shared.size());
  const Bytes page = page_of(CodecId::bodies, small_bodies());
  test::HexDump second(page);
  second.heading("bodies: 40 bytes a, an empty text, late");
  second.field(4, "bytes plain");
  second.field(4, "bytes packed");
  second.field(12, "ends of packed texts");
  const std::uint64_t first_end = load_le<std::uint32_t>(&page[8]);
  second.field(first_end, "a frame of zstd without its magic");
  second.field(load_le<std::uint32_t>(&page[4]) - first_end, "another");
  if (second.at() % 8 != 0) second.field(align_up(second.at(), 8) - second.at(), "zero");
  REQUIRE(second.at() == page.size());
  return first.text() + second.text();
}

std::string dump_of_bits_and_decimals() {
  const Bytes bits = page_of(CodecId::bitmap, truths());
  test::HexDump first(bits);
  first.heading("bitmap: true, false, false, true, true, four times false, true, true");
  first.field(2, "rows 0 to 7, rows 8 to 10");
  first.field(6, "zero");
  REQUIRE(first.at() == bits.size());
  const Bytes units = page_of(CodecId::decimal, long_decimals());
  test::HexDump second(units);
  second.heading("decimal: 12.50, -0.75 and 10^21 as decimal(38,2)");
  second.field(1, "scheme: low and high words");
  second.field(7, "zero");
  const auto both = BytesView(units);
  dump_integers(second, both, 3);
  dump_integers(second, both, 3);
  REQUIRE(second.at() == units.size());
  return first.text() + second.text();
}

}  // namespace

TEST_CASE("codec: the page on formats shows the very bytes of pages") {
  CHECK_MESSAGE(
      test::page_shows(kPage, dump_of_models() + dump_of_blocks() + dump_of_runs() +
                                  dump_of_lattice() + dump_of_alp_rd() + dump_of_dictionary() +
                                  dump_of_planes() + dump_of_text() + dump_of_pressed() +
                                  dump_of_bodies() + dump_of_bits_and_decimals()),
      "run with OTOLITH_UPDATE_DOCS=1");
}

TEST_CASE("codec: the seeds of the fuzz harnesses are the pages that are written today") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const auto check = [&](const std::string& path, CodecId id, const Array& rows) {
    CAPTURE(path);
    const Bytes shared = shared_of(id, rows);
    const PageFacts facts{rows.type, rows.length, 0, false, shared.size()};
    const Bytes made = test::fuzz_input(facts, shared, page_of(id, rows));
    if (test::update_docs()) test::write_text(*sources, path, as_text(made));
    CHECK(test::read_text(*sources, path) == as_text(made));
    CHECK(page_flaw(codec_for({id, 1}, "", 0),
                    {{{}, buffer_of(shared), buffer_of(page_of(id, rows)), 0}, facts}) == "");
  };
  check("test/corpus/fuzz_linear/constant", CodecId::constant, one_thing());
  check("test/corpus/fuzz_linear/linear", CodecId::linear, every_second());
  check("test/corpus/fuzz_frame/frame", CodecId::frame, seconds_with_gap());
  check("test/corpus/fuzz_frame/delta", CodecId::delta, seconds_with_gap());
  check("test/corpus/fuzz_rle/states", CodecId::rle, states());
  check("test/corpus/fuzz_rle/prices", CodecId::rle, prices());
  check("test/corpus/fuzz_rle/decimals", CodecId::rle, long_decimals());
  check("test/corpus/fuzz_alp/prices", CodecId::alp, prices());
  check("test/corpus/fuzz_lattice/volts", CodecId::lattice, volts());
  check("test/corpus/fuzz_alp_rd/roots", CodecId::alp_rd, roots());
  check("test/corpus/fuzz_bitmap/truths", CodecId::bitmap, truths());
  check("test/corpus/fuzz_decimal/long", CodecId::decimal, long_decimals());
  check("test/corpus/fuzz_dictionary/symbols", CodecId::dictionary, symbols());
  check("test/corpus/fuzz_dictionary/small", CodecId::dictionary_small, symbols());
  check("test/corpus/fuzz_text/urls", CodecId::text, urls());
  check("test/corpus/fuzz_pressed/lz4", CodecId::lz4, urls());
  check("test/corpus/fuzz_pressed/zstd", CodecId::zstd, urls());
  check("test/corpus/fuzz_bodies/small", CodecId::bodies, small_bodies());
  check("test/corpus/fuzz_bodies/dictionary", CodecId::bodies, many_bodies());
  check("test/corpus/fuzz_planes/delays", CodecId::planes, delays());
  check("test/corpus/fuzz_planes/prices", CodecId::planes, prices());
}

}  // namespace otolith::codec
