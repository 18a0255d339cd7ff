#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/row_set.h"

namespace otolith {

namespace {

using Plain = std::vector<bool>;

Plain plain(const RowSet& set, std::uint64_t rows) {
  Plain out(rows);
  std::uint64_t behind = 0;
  bool first = true;
  for (const RowRange& range : set) {
    REQUIRE(range.count > 0);
    REQUIRE((first || range.first > behind));  // in order, and none touches the next
    REQUIRE(range.end() <= rows);
    for (std::uint64_t row = range.first; row < range.end(); ++row) out[row] = true;
    behind = range.end();
    first = false;
  }
  return out;
}

std::uint64_t count(const Plain& rows) {
  return static_cast<std::uint64_t>(std::ranges::count(rows, true));
}

// Rows that are scattered in some places and lie side by side in others, and far apart in a few.
Plain random_rows(std::mt19937_64& random, std::uint64_t rows) {
  Plain out(rows);
  for (std::uint64_t row = 0; row < rows;) {
    const std::uint64_t stretch = std::min(rows - row, 1 + random() % 700);
    const std::uint64_t kind = random() % 4;
    for (std::uint64_t i = 0; i < stretch; ++i, ++row) {
      out[row] = kind == 0 || (kind == 1 && random() % 2 == 0) || (kind == 2 && random() % 50 == 0);
    }
  }
  return out;
}

RowSet set_of(const Plain& rows, std::mt19937_64& random) {
  RowSet out;
  if (random() % 2 == 0) {
    std::vector<std::uint64_t> words((rows.size() + 63) / 64);
    for (std::uint64_t row = 0; row < rows.size(); ++row) {
      if (rows[row]) words[row / 64] |= 1ull << (row % 64);
    }
    return RowSet::of_bits(std::move(words));
  }
  for (std::uint64_t row = 0; row < rows.size();) {
    std::uint64_t end = row;
    while (end < rows.size() && rows[end] && end - row < 1 + random() % 9) ++end;
    out.append({row, end - row});
    row = std::max(end, row + 1);
  }
  return out;
}

}  // namespace

TEST_CASE("row set: whatever form it has, it is the set of rows that were put in") {
  std::mt19937_64 random(7);
  std::uint64_t scattered = 0;
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t rows = 1 + random() % 5000;
    const Plain a = random_rows(random, rows);
    const Plain b = random_rows(random, rows);
    const RowSet of_a = set_of(a, random);
    const RowSet of_b = set_of(b, random);
    scattered += of_a.scattered() ? 1 : 0;
    REQUIRE(plain(of_a, rows) == a);
    REQUIRE(of_a.rows() == count(a));
    REQUIRE(of_a.ranges() == static_cast<std::uint64_t>(std::distance(of_a.begin(), of_a.end())));
    REQUIRE((of_a == set_of(a, random)));
    REQUIRE((of_a == of_b) == (a == b));

    Plain both(rows);
    Plain rest(rows);
    for (std::uint64_t i = 0; i < rows; ++i) {
      both[i] = a[i] && b[i];
      rest[i] = a[i] && !b[i];
    }
    REQUIRE(plain(intersect(of_a, of_b), rows) == both);
    REQUIRE(plain(without(of_a, of_b), rows) == rest);
    Plain either(rows);
    for (std::uint64_t i = 0; i < rows; ++i) either[i] = a[i] || b[i];
    REQUIRE(plain(united(of_a, of_b), rows) == either);

    const RowRange range{random() % rows, 1 + random() % rows};
    Plain inside(rows);
    Plain moved(range.count);
    for (std::uint64_t i = range.first; i < std::min(range.end(), rows); ++i) {
      inside[i] = a[i];
      moved[i - range.first] = a[i];
    }
    REQUIRE(plain(of_a.within(range), rows) == inside);
    REQUIRE(plain(of_a.slice(range), range.count) == moved);
    REQUIRE(of_a.rows_in(range) == count(inside));
    std::vector<std::uint64_t> bits((range.count + 63) / 64, ~0ull);
    of_a.put_bits(range, bits.data());
    REQUIRE(plain(RowSet::of_bits(bits), range.count) == moved);
    const std::uint64_t row = random() % (rows + 9);
    REQUIRE(of_a.contains(row) == (row < rows && a[row]));

    const std::uint64_t some = random() % (of_a.rows() + 2);
    RowSet joined = of_a.first_rows(some);
    REQUIRE(joined.rows() == std::min(some, of_a.rows()));
    joined.append(of_a.last_rows(of_a.rows() - joined.rows()));
    REQUIRE((joined == of_a));

    const std::uint64_t by = random() % 200;
    Plain up(rows + by);
    std::copy(a.begin(), a.end(), up.begin() + static_cast<std::ptrdiff_t>(by));
    REQUIRE(plain(of_a.moved(by), rows + by) == up);

    RowBits changed(rows, false);
    changed.put(of_a, true);
    changed.put(of_b, false);
    REQUIRE(plain(std::move(changed).take(), rows) == rest);
    RowBits all(rows, true);
    all.put(of_a, false);
    all.put(of_b, true);
    for (std::uint64_t i = 0; i < rows; ++i) rest[i] = !a[i] || b[i];
    REQUIRE(plain(std::move(all).take(), rows) == rest);
  }
  CHECK(scattered > 100);
}

TEST_CASE("row set: bits that come page by page are joined") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t pages = 1 + random() % 5;
    const Plain rows = random_rows(random, pages * 512);
    RowSet set;
    for (std::uint64_t page = 0; page < pages; ++page) {
      std::vector<std::uint64_t> bits(8);
      for (std::uint64_t i = 0; i < 512; ++i) {
        if (rows[page * 512 + i]) bits[i / 64] |= 1ull << (i % 64);
      }
      set.append_bits(bits, page * 512);
    }
    REQUIRE(plain(set, rows.size()) == rows);
    REQUIRE((set == set_of(rows, random)));
  }
}

TEST_CASE("row set: rows far apart stay ranges, beside many that lie together") {
  RowSet set;
  for (std::uint64_t row = 0; row < 10'000; row += 2) set.append({row, 1});
  CHECK(set.scattered());
  set.append({1ull << 39, 3});
  CHECK_FALSE(set.scattered());
  CHECK(set.ranges() == 5001);
  CHECK(set.contains((1ull << 39) + 2));
  CHECK(set.contains(9998));
  CHECK_FALSE(set.contains(9999));
  RowSet far{{1ull << 38, 5}};
  far.append(set.last_rows(2));
  CHECK(far.rows() == 7);
}

}  // namespace otolith
