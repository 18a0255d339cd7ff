#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "base/limits.h"
#include "codec/decades.h"
#include "codec/lattice.h"
#include "codec/registry.h"
#include "codec/steps.h"
#include "test/budget.h"
#include "test/pages.h"

namespace otolith::codec {

namespace {

Array doubles(const std::function<double(std::uint64_t row)>& value,
              std::uint64_t rows = kRowGroupRowsMax) {
  model::ArrayBuilder builder({TypeKind::float64});
  for (std::uint64_t row = 0; row < rows; ++row) builder.append_value(value(row));
  return builder.finish();
}

// Bits a value that the lattice takes, after it has given every one back.
double bits_of(const Array& chunk) {
  REQUIRE(test::same_plain(test::encoded_and_back(lattice_codec(), chunk, kPageRowsMax), chunk));
  return static_cast<double>(
             chunk_parts(lattice_codec(), chunk, kPageRowsMax).values.bytes.size()) *
         8 / static_cast<double>(chunk.length);
}

double fraction(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

}  // namespace

TEST_CASE("lattice: integers of any size become the double a cast makes of them") {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t k = random() >> (i % 64);
    for (const std::uint64_t signed_k : {k, 0 - k})
      REQUIRE(whole_double(signed_k) == static_cast<double>(static_cast<std::int64_t>(signed_k)));
  }
  for (const std::int64_t k : {INT64_MIN, INT64_MAX, std::int64_t{-1} << 53, std::int64_t{1} << 53})
    CHECK(whole_double(static_cast<std::uint64_t>(k)) == static_cast<double>(k));
}

TEST_CASE("lattice: an integer of 53 bits or less is found again behind any step") {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 100'000; ++i) {
    const double step = std::ldexp(1 + fraction(random), static_cast<int>(random() % 100) - 50);
    const std::uint64_t k = (random() >> (11 + i % 53)) * (i % 2 == 0 ? 1 : ~0ull);
    const Steps by{step};
    std::uint64_t found = 0;
    REQUIRE(by.round_trip(by.value(k), &found) == by.value(k));
    REQUIRE(by.value(found) == by.value(k));
  }
}

TEST_CASE("lattice: powers of ten are the nearest doubles, and digits are counted by them") {
  for (int exponent = -340; exponent <= 340; ++exponent) {
    CAPTURE(exponent);
    CHECK(power_of_ten(exponent) ==
          std::strtod(("1e" + std::to_string(exponent)).c_str(), nullptr));
    const double power = power_of_ten(exponent);
    if (power == 0 || std::isinf(power)) continue;
    CHECK(digits_before_point(power) == exponent + 1);
    if (!std::isnormal(power)) continue;
    CHECK(digits_before_point(std::nextafter(power, 0)) == exponent);
    if (exponent < 308) CHECK(digits_before_point(power * 9) == exponent + 1);
  }
  CHECK(digits_before_point(std::numeric_limits<double>::max()) == 309);
  CHECK(digits_before_point(std::numeric_limits<double>::denorm_min()) == -323);
}

TEST_CASE("lattice: uniform noise under any bound takes 53 bits and what its blocks' heads do") {
  std::mt19937_64 random(test::seed());
  for (const double bound : {100.0, 1.0, 0.3, 37.0, 2.5, 1e9, 299.0, 4096.0}) {
    CAPTURE(bound);
    CHECK(bits_of(doubles([&](auto) { return fraction(random) * bound; })) < 53.2);
  }
  CHECK(bits_of(doubles([&](auto) { return 2 * fraction(random) - 1; })) < 53.2);
}

TEST_CASE("lattice: counts of a converter and floats of 32 bits take what their integers take") {
  std::mt19937_64 random(test::seed());
  for (const double step : {3.3 / 4096, 0.1 / 3, 5.0 / 1023, 1e-7, 1e30 / 7}) {
    CAPTURE(step);
    CHECK(bits_of(doubles([&](auto) { return double(random() % 4096) * step; })) < 12.3);
    CHECK(bits_of(doubles([&](auto) { return -double(random() % 4000 + 90) * step; })) < 12.3);
  }
  CHECK(bits_of(doubles([&](auto) { return double(float(random() >> 40) * 0x1p-24f); })) < 24.3);
}

TEST_CASE("lattice: what no step gives back is kept, whatever it is") {
  std::mt19937_64 random(test::seed());
  using Limits = std::numeric_limits<double>;
  const double odd[] = {-0.0,
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        -Limits::signaling_NaN(),
                        Limits::denorm_min(),
                        -Limits::min() / 2,
                        Limits::max(),
                        Limits::lowest(),
                        0x1p53,
                        0x1p63,
                        0.1};
  const auto some = [&](auto row) {
    return row % 40 == 7 ? odd[random() % std::size(odd)] : double(random() % 4096) * (3.3 / 4096);
  };
  CHECK(bits_of(doubles(some)) < 15);
  CHECK(bits_of(doubles([&](auto) { return odd[random() % std::size(odd)]; }, 5000)) < 66);
  for (const double one : odd) bits_of(doubles([&](auto) { return one; }, 1500));
}

TEST_CASE("lattice: a step that is none is a flaw") {
  const Array chunk = doubles([](auto row) { return double(row % 100) * 0.3; }, 200);
  const EncodedChunk encoded = chunk_parts(lattice_codec(), chunk, kPageRowsMax);
  using Limits = std::numeric_limits<double>;
  const auto flawed = [&](double step) {
    Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
    store_le(bytes.data(), step);
    const PageFacts facts{chunk.type, chunk.length};
    return !page_flaw(lattice_codec(), {{{}, {}, buffer_of(std::move(bytes)), 0}, facts}).empty();
  };
  CHECK_FALSE(flawed(0.3));
  for (const double step :
       {0.0, -0.3, Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min()})
    CHECK(flawed(step));
}

TEST_CASE("lattice: hot takes it where it is smaller than a float's bits or digits") {
  std::mt19937_64 random(test::seed());
  const auto chosen = [](const Array& chunk) {
    return std::string(codec_choose(Profile::hot, chunk).name());
  };
  CHECK(chosen(doubles([&](auto) { return fraction(random) * 100; })) == "lattice");
  CHECK(chosen(doubles([&](auto) { return double(random() % 4096) * (3.3 / 4096); })) == "lattice");
  CHECK(chosen(doubles([&](auto) { return double(random() % 4096) / 100; })) == "alp");
}

}  // namespace otolith::codec
