// Every codec under every shape of values it accepts, and under every damage.
#include <doctest/doctest.h>

#include <bit>
#include <functional>
#include <limits>
#include <string>

#include "base/limits.h"
#include "codec/block.h"
#include "codec/compress.h"
#include "codec/lengths.h"
#include "codec/registry.h"
#include "codec/symbols.h"
#include "model/array.h"
#include "test/budget.h"
#include "test/encoded_answers.h"
#include "test/pages.h"
#include "test/random_batch.h"

namespace otolith::codec {

namespace {

// One way to make values: bits of row i.
struct Shape {
  std::string name;
  std::function<std::uint64_t(std::mt19937_64& random, std::uint64_t row)> bits;
};

std::uint64_t bits_of(Type type, double value) {
  return type.kind == TypeKind::float32 ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                        : std::bit_cast<std::uint64_t>(value);
}

std::vector<Shape> integer_shapes(Type type) {
  const std::uint64_t top = type_width(type) * 8 - 1;
  return {
      {"counted", [](auto&, std::uint64_t row) { return row; }},
      {"constant", [](auto&, std::uint64_t) { return 42; }},
      {"steps of a day", [](auto&, std::uint64_t row) { return row * 86'400'000'000'000; }},
      {"falling", [](auto&, std::uint64_t row) { return 0 - row * 1000; }},
      {"small", [](auto& random, std::uint64_t) { return random() % 100; }},
      {"jitter", [](auto& random, std::uint64_t row) { return row * 1'000'000 + random() % 999; }},
      {"ends", [top](auto& random, std::uint64_t) { return (random() % 2 << top) - random() % 2; }},
      {"outliers",
       [](auto& random, std::uint64_t) {
         return random() % 50 == 0 ? random() : random() % 16 + 1000;
       }},
      {"whole seconds",
       [](auto& random, std::uint64_t row) { return (row + random() % 60) * 1'000'000'000; }},
      {"multiples of 5 with the ends",
       [top](auto& random, std::uint64_t) {
         return random() % 9 == 0 ? 1ull << top : random() % 99 * 5;
       }},
      {"seconds but for a few",
       [](auto& random, std::uint64_t row) {
         return (row + random() % 60) * 1'000'000'000 + (random() % 40 == 0 ? random() % 999 : 0);
       }},
      {"runs of thousands",
       [](auto& random, std::uint64_t row) { return row / (2000 + random() % 2); }},
      {"runs of five", [](auto&, std::uint64_t row) { return row / 5 * 0x9e37'79b9'7f4a'7c15; }},
      {"accelerating", [](auto&, std::uint64_t row) { return row * row / 2; }},
      {"any", [](auto& random, std::uint64_t) { return random(); }}};
}

std::vector<Shape> float_shapes(Type type) {
  const auto of = [type](double value) { return bits_of(type, value); };
  using Limits = std::numeric_limits<double>;
  return {
      {"cents", [of](auto& random, std::uint64_t) { return of(double(random() % 20'000) / 100); }},
      {"walk",
       [of](auto& random, std::uint64_t row) {
         const std::uint64_t tenths = row / 7 + random() % 3;
         return of(double(tenths) / 10);
       }},
      {"constant", [of](auto&, std::uint64_t) { return of(-0.0); }},
      {"runs", [of](auto&, std::uint64_t row) { return of(double(row / 9 * 7 % 1000) / 10); }},
      {"uniform", [of](auto& random, std::uint64_t) { return of(double(random() >> 11) / 1e14); }},
      {"large whole", [of](auto& random, std::uint64_t) { return of(double(random() >> 2)); }},
      {"odd among cents",
       [of](auto& random, std::uint64_t) {
         constexpr double kOdd[] = {-0.0,
                                    Limits::infinity(),
                                    -Limits::infinity(),
                                    Limits::denorm_min(),
                                    Limits::max(),
                                    0x1p50,
                                    -0x1p51 - 2,
                                    0x1p53 + 2,
                                    1e300,
                                    0.1 + 0.2};
         return random() % 5 == 0 ? of(kOdd[random() % 10]) : of(double(random() % 500) / 100);
       }},
      {"NaN of any payload",
       [type](auto& random, std::uint64_t) {
         const std::uint64_t sign = random() % 2;
         return type.kind == TypeKind::float32
                    ? 0x7f800001ull | random() % 0x7fffff | sign << 31
                    : 0x7ff0000000000001ull | random() >> 12 | sign << 63;
       }},
      {"any", [](auto& random, std::uint64_t) { return random(); }}};
}

std::vector<Shape> boolean_shapes() {
  return {{"constant", [](auto&, std::uint64_t) { return 1; }},
          {"runs", [](auto&, std::uint64_t row) { return row / 100 % 2; }},
          {"rare", [](auto& random, std::uint64_t) { return random() % 100 == 0 ? 1 : 0; }},
          {"any", [](auto& random, std::uint64_t) { return random() % 2; }}};
}

std::vector<Shape> shapes_of(Type type) {
  const bool is_float = type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
  if (type.kind == TypeKind::boolean) return boolean_shapes();
  return is_float ? float_shapes(type) : integer_shapes(type);
}

// Nulls in one of `every` rows; 0: none, 1: all.
Array array_of(std::mt19937_64& random, Type type, const Shape& shape, std::uint64_t rows,
               std::uint64_t every) {
  model::ArrayBuilder builder(type);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::uint64_t bits = shape.bits(random, row);
    if (every != 0 && random() % every == 0)
      builder.append_null();
    else
      builder.append(std::as_bytes(std::span(&bits, 1)).first(type_width(type)));
  }
  return builder.finish();
}

// Text of few values, of many, in runs, empty, long.
using TextShape = std::function<std::string(std::mt19937_64& random, std::uint64_t row)>;

std::vector<TextShape> text_shapes() {
  return {[](auto& random, std::uint64_t) { return "SYM" + std::to_string(random() % 40); },
          [](auto& random, std::uint64_t row) {
            return std::to_string(row) + test::random_text(random);
          },
          [](auto&, std::uint64_t row) { return std::string(row / 700 % 5, 'x'); },
          [](auto&, std::uint64_t) { return std::string(); },
          [](auto& random, std::uint64_t) { return test::random_text(random); },
          [](auto& random, std::uint64_t) {
            return std::string(kDictionaryTextBytesMax - random() % 2, 'l');
          },
          [](auto&, std::uint64_t) { return std::string(kDictionaryTextBytesMax + 1, 'l'); }};
}

Array text_of(std::mt19937_64& random, const TextShape& shape, std::uint64_t rows,
              std::uint64_t every, TypeKind kind = TypeKind::string) {
  model::ArrayBuilder builder({kind});
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::string text = shape(random, row);
    if (every != 0 && random() % every == 0)
      builder.append_null();
    else
      builder.append_text(text);
  }
  return builder.finish();
}

std::vector<Type> number_types() {
  std::vector<Type> out;
  for (unsigned kind = 1; kind <= 15; ++kind) {
    const Type type{static_cast<TypeKind>(kind)};
    if (type_supported(type) && !model::is_text(type)) out.push_back(type);
  }
  return out;
}

// The chunk as a caller may bring it: anything in the slots of nulls.
Array with_odd_nulls(const Array& chunk, std::mt19937_64& random) {
  Array out = chunk;
  if (model::is_text(chunk.type)) return out;
  Bytes values(chunk.values.bytes.begin(), chunk.values.bytes.end());
  const std::uint64_t width = type_width(chunk.type);
  for (std::uint64_t row = 0; row < chunk.length; ++row) {
    for (std::uint64_t i = 0; i < width && chunk.is_null(row); ++i)
      values[row * width + i] = static_cast<std::byte>(random());
  }
  out.values = buffer_of(std::move(values));
  return out;
}

using UnitsShape = std::function<Decimal(std::mt19937_64& random, Type type, std::uint64_t row)>;

std::vector<UnitsShape> decimal_shapes() {
  const auto count = [](std::uint64_t units) {
    return decimal_of(static_cast<std::int64_t>(units));
  };
  return {[count](auto&, Type, std::uint64_t) { return count(7); },
          [count](auto& random, Type, std::uint64_t) { return count(random() % 20'000); },
          [count](auto& random, Type, std::uint64_t row) { return count(row * 25 + random() % 3); },
          [count](auto& random, Type, std::uint64_t) { return count(0 - random() % 9); },
          [count](auto&, Type, std::uint64_t row) { return count(row / 20 * 250); },
          [](auto& random, Type type, std::uint64_t) { return test::random_decimal(random, type); },
          [](auto& random, Type type, std::uint64_t) {
            const Int128 limit = model::decimal_limit(type.precision);
            return model::decimal_of_int128(limit - static_cast<int>(random() % 9));
          }};
}

Array decimals_of(std::mt19937_64& random, Type type, const UnitsShape& shape, std::uint64_t rows,
                  std::uint64_t every) {
  model::ArrayBuilder builder(type);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const Decimal units = shape(random, type, row);
    if (every != 0 && random() % every == 0)
      builder.append_null();
    else
      builder.append_value(units);
  }
  return builder.finish();
}

// Every encoding of a chunk comes back value for value, in pages of any size, nulls as zeros.
// Returns the codecs that took it.
std::uint64_t all_round_trips(const Array& chunk, std::mt19937_64& random) {
  std::uint64_t taken = 0;
  const Array odd = with_odd_nulls(chunk, random);
  for (const Codec* codec : our_codecs()) {
    if (!codec->fits(chunk.type) || !codec->analyze(chunk)) continue;
    CAPTURE(codec->name());
    ++taken;
    for (const std::uint32_t page_rows : {kBlockRows, kPageRowsMax}) {
      const Array& brought = codec->mappable() ? chunk : odd;
      REQUIRE(test::same_plain(test::encoded_and_back(*codec, brought, page_rows), chunk));
      REQUIRE(test::answers_flaw(*codec, brought, page_rows, random) == "");
    }
  }
  return taken;
}

// A text page and what it shares under every flipped bit, and the latter cut at every length.
void every_flip_and_cut(const Codec& codec, const Array& chunk) {
  const EncodedChunk encoded = chunk_parts(codec, chunk, kPageRowsMax);
  Bytes shared(encoded.offsets.bytes.begin(), encoded.offsets.bytes.end());
  Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
  const PageFacts facts{chunk.type, chunk.length, 0, false, shared.size()};
  const auto flip_all = [&](Bytes& of) {
    for (std::size_t bit = 0; bit < of.size() * 8; ++bit) {
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      of[bit / 8] ^= mask;
      REQUIRE(test::stays_in_room(codec, bytes, facts, shared));
      of[bit / 8] ^= mask;
    }
  };
  flip_all(shared);
  flip_all(bytes);
  for (std::size_t size = 0; size < shared.size(); ++size) {
    const auto end = shared.begin() + static_cast<std::ptrdiff_t>(size);
    const Parts parts{{}, buffer_of(Bytes(shared.begin(), end)), encoded.values, 0};
    REQUIRE(page_flaw(codec, {parts, facts}) != "");
  }
}

}  // namespace

TEST_CASE("codec: numbers of every type and shape come back to the bit from every codec") {
  const test::Budget budget;
  std::uint64_t chunks = 0;
  for (std::uint64_t seed = test::seed(); chunks == 0 || budget.left(); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (const Type type : number_types()) {
      for (const Shape& shape : shapes_of(type)) {
        const std::uint64_t lengths[] = {1, 2, 3, 15, 1023, 1024, 1025, 1 + random() % 9000};
        const std::uint64_t rows = lengths[random() % std::size(lengths)];
        const std::uint64_t every = random() % 4;
        CAPTURE(type_name(type));
        CAPTURE(shape.name);
        CAPTURE(rows);
        CAPTURE(every);
        const Array chunk = array_of(random, type, shape, rows, every == 3 ? 20 : every);
        REQUIRE(all_round_trips(chunk, random) >= 1);
        ++chunks;
      }
    }
  }
  MESSAGE(chunks << " chunks from seed " << test::seed());
}

TEST_CASE("codec: decimals of any precision come back from every codec, those of 38 digits too") {
  using enum TypeKind;
  const test::Budget budget;
  std::uint64_t chunks = 0;
  for (std::uint64_t seed = test::seed(); chunks == 0 || budget.left(); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (const Type type :
         {Type{decimal, 6, 2}, Type{decimal, 18, 0}, Type{decimal, 19, 19}, Type{decimal, 38, 9}}) {
      for (const UnitsShape& shape : decimal_shapes()) {
        const std::uint64_t lengths[] = {1, 2, 15, 1023, 1024, 1025, 1 + random() % 9000};
        const std::uint64_t every = random() % 4;
        const Array chunk =
            decimals_of(random, type, shape, lengths[random() % std::size(lengths)], every);
        REQUIRE(all_round_trips(chunk, random) >= 4);  // raw, decimal, lz4, zstd
        ++chunks;
      }
    }
  }
  MESSAGE(chunks << " chunks from seed " << test::seed());
  std::mt19937_64 random(1);
  REQUIRE(all_round_trips(decimals_of(random, {decimal, 38, 2}, decimal_shapes().back(), 0, 0),
                          random) == 5);
}

TEST_CASE("codec: every flipped bit and every cut of a page of decimals is a flaw or in its room") {
  std::mt19937_64 random(test::seed());
  const Codec& codec = codec_for({CodecId::decimal, 1}, "", 0);
  const Type type{TypeKind::decimal, 38, 2};
  for (const UnitsShape& shape : decimal_shapes()) {
    const Array chunk = decimals_of(random, type, shape, 1100, 0);
    const EncodedChunk encoded = chunk_parts(codec, chunk, kPageRowsMax);
    const PageFacts facts{type, chunk.length, 0, false};
    Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
    for (std::size_t bit = 0; bit < std::min<std::size_t>(bytes.size(), 400) * 8; ++bit) {
      const std::size_t at = bit % 2 == 0 ? bit / 16 : bytes.size() - 1 - bit / 16;
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      bytes[at] ^= mask;
      REQUIRE(test::stays_in_room(codec, bytes, facts));
      bytes[at] ^= mask;
    }
    for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 61) {
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      REQUIRE(page_flaw(codec, {{{}, {}, buffer_of(std::move(cut)), 0}, facts}) != "");
    }
    bytes[0] = std::byte{2};
    CHECK(page_flaw(codec, {{{}, {}, buffer_of(bytes), 0}, facts}) == "it has an unknown scheme");
  }
}

TEST_CASE("codec: a bit behind the last row of a bitmap is a flaw") {
  const Codec& codec = codec_for({CodecId::bitmap, 1}, "", 0);
  Bytes bytes(8);
  const PageFacts facts{{TypeKind::boolean}, 11, 0, false};
  CHECK(page_flaw(codec, {{{}, {}, buffer_of(bytes), 0}, facts}) == "");
  for (const std::size_t bit : {11u, 12u, 63u}) {
    Bytes set = bytes;
    set[bit / 8] = static_cast<std::byte>(1u << (bit % 8));
    CHECK(page_flaw(codec, {{{}, {}, buffer_of(set), 0}, facts}) == "its bits go beyond its rows");
  }
}

TEST_CASE("codec: text of few values or many comes back from every codec") {
  const test::Budget budget;
  std::uint64_t chunks = 0;
  for (std::uint64_t seed = test::seed(); chunks == 0 || budget.left(); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (const TextShape& shape : text_shapes()) {
      const std::uint64_t lengths[] = {1, 2, 16, 1023, 1024, 1025, 1 + random() % 3000};
      const std::uint64_t every = random() % 4;
      for (const TypeKind kind : {TypeKind::string, TypeKind::binary}) {
        const std::uint64_t rows = lengths[random() % std::size(lengths)];
        REQUIRE(all_round_trips(text_of(random, shape, rows, every, kind), random) >= 1);
      }
      ++chunks;
    }
  }
  MESSAGE(chunks << " chunks from seed " << test::seed());
  std::mt19937_64 random(1);
  REQUIRE(all_round_trips(text_of(random, text_shapes()[0], kRowGroupRowsMax, 9), random) == 6);
  REQUIRE(all_round_trips(text_of(random, text_shapes()[0], 5000, 1), random) == 6);
  REQUIRE(all_round_trips(text_of(random, text_shapes()[6], 50, 0), random) == 4);
}

TEST_CASE(
    "codec: every flipped bit of a dictionary, of a table and of their pages ends in a flaw or in "
    "its room") {
  std::mt19937_64 random(test::seed());
  for (const Codec* codec : our_codecs()) {
    if (codec->mappable() || !codec->fits({TypeKind::string})) continue;
    CAPTURE(codec->name());
    for (const std::size_t shape : {0u, 2u, 3u, 4u})
      every_flip_and_cut(*codec, text_of(random, text_shapes()[shape], shape == 4 ? 300 : 1500, 0));
  }
}

TEST_CASE("codec: binary values of every byte come back from every codec") {
  std::mt19937_64 random(test::seed());
  const TextShape all_bytes = [](auto&, std::uint64_t row) {
    std::string out(256, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * (row % 7 + 1));
    return out;
  };
  const TextShape noise = [](auto& of, std::uint64_t) {
    std::string out(of() % 40, '\0');
    for (char& byte : out) byte = static_cast<char>(of());
    return out;
  };
  for (const TextShape& shape : {all_bytes, noise}) {
    const Array chunk = text_of(random, shape, 9000, 5, TypeKind::binary);
    for (const Codec* codec : our_codecs()) {
      if (!codec->fits({TypeKind::string}) || !codec->analyze(chunk)) continue;
      CAPTURE(codec->name());
      REQUIRE(test::same_plain(test::encoded_and_back(*codec, chunk, kPageRowsMax), chunk));
    }
  }
}

TEST_CASE("codec: a page that expands a thousandfold is refused by what it says") {
  // 8,192 rows of 8 KiB of zeros: 64 MiB out of 2 KiB.
  const std::uint64_t row_bytes = 8192;
  const Bytes zeros(kPageRowsMax * row_bytes);
  for (const CodecId id : {CodecId::lz4, CodecId::zstd, CodecId::text}) {
    ByteWriter stored;
    if (id == CodecId::zstd) zstd_put(zeros, stored);
    if (id == CodecId::lz4) lz4_put(zeros, stored);
    if (id == CodecId::text) stored.put_zeros(zeros.size() / 8);
    ByteWriter shared;
    if (id == CodecId::text) SymbolTable({{0, 8}}).write(shared);
    const auto page_of = [&](std::uint64_t said) {
      ByteWriter page;
      page.put(static_cast<std::uint32_t>(said));
      page.put(static_cast<std::uint32_t>(stored.size()));
      for (std::uint64_t first = 0; first < kPageRowsMax; first += kBlockRows) {
        BlockValues lengths;
        lengths.fill(said / kPageRowsMax);
        block_encode(lengths, kBlockRows, 0, page);
      }
      page.put_bytes(stored.view());
      page.align(8);
      return page.take();
    };
    const PageFacts facts{{TypeKind::string}, kPageRowsMax, 0, false, shared.size()};
    const auto flaw = [&](std::uint64_t said) {
      const Bytes table(shared.view().begin(), shared.view().end());
      return page_flaw(codec_for({id, 1}, "", 0),
                       {{{}, buffer_of(table), buffer_of(page_of(said)), 0}, facts});
    };
    CHECK(flaw(zeros.size()) == kTextTooLong);
    CHECK(flaw(kPageRowsMax) != "");  // it says less than it would give
    CHECK(flaw(kPageRowsMax) != kTextTooLong);
  }
  const TextShape long_ones = [](auto&, std::uint64_t) { return std::string(1 << 20, 'x'); };
  std::mt19937_64 random(1);
  const Array chunk = text_of(random, long_ones, 33, 0);
  CHECK(codec_choose(Profile::small, chunk).name() == "raw");
  CHECK(codec_choose(Profile::small, model::array_slice(chunk, 0, 32)).name() != "raw");
}

TEST_CASE("codec: the longest chunk and a chunk without rows come back") {
  std::mt19937_64 random(test::seed());
  for (const Type type : number_types()) {
    CAPTURE(type_name(type));
    for (const std::uint64_t rows : {std::uint64_t{0}, std::uint64_t{kRowGroupRowsMax}}) {
      all_round_trips(array_of(random, type, shapes_of(type).front(), rows, 0), random);
      all_round_trips(array_of(random, type, shapes_of(type).back(), rows, 9), random);
    }
  }
}

TEST_CASE("codec: every flipped bit of a page ends in a flaw or in rows that lie in their room") {
  const test::Budget budget;
  std::uint64_t bits = 0;
  for (std::uint64_t seed = test::seed(); bits == 0 || budget.left(); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto types = number_types();
    const Type type = types[random() % types.size()];
    const auto shapes = shapes_of(type);
    const Array chunk =
        array_of(random, type, shapes[random() % shapes.size()], 1 + random() % 1100, 0);
    for (const Codec* codec : our_codecs()) {
      if (!codec->fits(type) || !codec->analyze(chunk) || codec->mappable()) continue;
      const EncodedChunk encoded = chunk_parts(*codec, chunk, kPageRowsMax);
      Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
      for (std::size_t bit = 0; bit < std::min<std::size_t>(bytes.size(), 400) * 8; ++bit, ++bits) {
        // The head, and then the tail with its outliers and their places.
        const std::size_t at = bit % 2 == 0 ? bit / 16 : bytes.size() - 1 - bit / 16;
        const auto mask = static_cast<std::byte>(1u << (bit % 8));
        bytes[at] ^= mask;
        REQUIRE(test::stays_in_room(*codec, bytes, {type, chunk.length, 0, false}));
        bytes[at] ^= mask;
      }
    }
  }
  MESSAGE(bits << " bits from seed " << test::seed());
}

TEST_CASE("codec: a page cut at any length, or longer than it was, has a flaw") {
  std::mt19937_64 random(test::seed());
  for (const Type type : number_types()) {
    for (const Shape& shape : shapes_of(type)) {
      const Array chunk = array_of(random, type, shape, 1 + random() % 1100, 0);
      for (const Codec* codec : our_codecs()) {
        if (!codec->fits(type) || !codec->analyze(chunk) || codec->mappable()) continue;
        CAPTURE(codec->name());
        CAPTURE(shape.name);
        const EncodedChunk encoded = chunk_parts(*codec, chunk, kPageRowsMax);
        const PageFacts facts{type, chunk.length, 0, false};
        Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
        for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 61) {
          const Page page{
              {{},
               {},
               buffer_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))),
               0},
              facts};
          REQUIRE(page_flaw(*codec, page) != "");
        }
        bytes.resize(bytes.size() + 8);
        REQUIRE(page_flaw(*codec, {{{}, {}, buffer_of(std::move(bytes)), 0}, facts}) != "");
      }
    }
  }
}

TEST_CASE("codec: the choice follows the values, and a profile") {
  std::mt19937_64 random(1);
  const auto chosen = [&](Profile profile, TypeKind kind, auto bits) {
    const Array chunk = array_of(random, {kind}, {"", bits}, 20'000, 0);
    return std::string(codec_choose(profile, chunk).name());
  };
  const auto any = [](auto& of, std::uint64_t) { return of(); };
  const auto row_bits = [](auto&, std::uint64_t row) { return row; };
  const auto cents = [](auto& of, std::uint64_t) {
    return std::bit_cast<std::uint64_t>(double(of() % 20'000) / 100);
  };
  CHECK(chosen(Profile::hot, TypeKind::int64, any) == "raw");
  CHECK(chosen(Profile::small, TypeKind::int64, any) == "raw");
  CHECK(chosen(Profile::hot, TypeKind::timestamp, row_bits) == "linear");
  CHECK(chosen(Profile::raw, TypeKind::timestamp, row_bits) == "raw");
  CHECK(chosen(Profile::hot, TypeKind::float32, [](auto&, auto) { return 7; }) == "constant");
  CHECK(chosen(Profile::hot, TypeKind::int64, [](auto& of, auto) { return of() % 9; }) == "frame");
  CHECK(chosen(Profile::hot, TypeKind::uint64,
               [](auto& of, std::uint64_t row) { return row * 1000 + of() % 9; }) == "delta");
  CHECK(chosen(Profile::hot, TypeKind::float64, cents) == "alp");
  const auto state = [](auto&, std::uint64_t row) { return row / 40 * 7919 % 100; };
  CHECK(chosen(Profile::hot, TypeKind::int16, state) == "rle");
  CHECK(chosen(Profile::hot, TypeKind::boolean,
               [](auto&, std::uint64_t row) { return row / 300 % 2; }) == "rle");
  const auto truth = [](auto& of, std::uint64_t) { return of() % 2; };
  CHECK(chosen(Profile::hot, TypeKind::boolean, truth) == "bitmap");
  CHECK(chosen(Profile::small, TypeKind::boolean, truth) == "bitmap");
  CHECK(chosen(Profile::raw, TypeKind::boolean, truth) == "raw");
  CHECK(chosen(Profile::hot, TypeKind::boolean, [](auto&, auto) { return 1; }) == "constant");
  const auto of_units = [&](const UnitsShape& shape) {
    const Array chunk = decimals_of(random, {TypeKind::decimal, 38, 2}, shape, 20'000, 0);
    return std::string(codec_choose(Profile::hot, chunk).name());
  };
  CHECK(of_units(decimal_shapes()[0]) == "constant");
  CHECK(of_units(decimal_shapes()[1]) == "decimal");
  CHECK(of_units(decimal_shapes()[4]) == "rle");
  CHECK(of_units(decimal_shapes().back()) == "decimal");
  const auto texts = [&](std::uint64_t values) {
    const TextShape shape = [values](auto& of, std::uint64_t) {
      return std::to_string(of() % values);
    };
    return std::string(codec_choose(Profile::hot, text_of(random, shape, 20'000, 0)).name());
  };
  CHECK(texts(300) == "dictionary");
  // 4,500 tail numbers: two thirds of a sample's rows are the first of their text.
  const TextShape tails = [](auto& of, std::uint64_t) {
    return "N" + std::to_string(10'000 + of() % 4500 * 7) + "XY";
  };
  CHECK(codec_choose(Profile::hot, text_of(random, tails, kRowGroupRowsMax, 0)).name() ==
        "dictionary");
  CHECK(texts(1ull << 50) == "text");
  const auto patterns = [](auto& of, std::uint64_t) { return (of() % 9 + 1) * 0x9e3779b97f4a7c15; };
  CHECK(chosen(Profile::hot, TypeKind::float64, patterns) == "lz4");
  CHECK(chosen(Profile::small, TypeKind::int64,
               [](auto& of, auto) { return of() % 7 == 0 ? of() % 200 : of() % 5; }) == "planes");
  // Saves a thirtieth: not worth losing views, but smaller.
  const auto wide = [](auto& of, std::uint64_t) { return of() >> 2; };
  CHECK(chosen(Profile::hot, TypeKind::int64, wide) == "raw");
  CHECK(chosen(Profile::small, TypeKind::int64, wide) == "frame");
}

TEST_CASE("codec: encoded sizes are what the layouts promise") {
  std::mt19937_64 random(1);
  const auto bytes = [&](TypeKind kind, auto bits) {
    const Array chunk = array_of(random, {kind}, {"", bits}, kRowGroupRowsMax, 0);
    const Codec& codec = codec_choose(Profile::hot, chunk);
    return chunk_parts(codec, chunk, kPageRowsMax).values.bytes.size();
  };
  CHECK(bytes(TypeKind::timestamp, [](auto&, std::uint64_t row) { return row * 267'840'000; }) ==
        8 * 16);
  CHECK(bytes(TypeKind::int32, [](auto&, auto) { return 5; }) == 8 * 8);
  CHECK(bytes(TypeKind::int64, [](auto& of, auto) { return of() % 1024; }) == 64 * (16 + 1280));
  CHECK(bytes(TypeKind::boolean, [](auto& of, auto) { return of() % 2; }) == kRowGroupRowsMax / 8);
  // 512 runs of 16 rows in each page: a head, lengths of one block that are all the same, values.
  const auto runs = [](auto&, std::uint64_t row) { return row / 16 * 7919 % 1024; };
  CHECK(bytes(TypeKind::int64, runs) == 8 * (8 + 16 + 16 + 512 / 8 * 10));
}

}  // namespace otolith::codec
