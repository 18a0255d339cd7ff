#include "model/leaf_key.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "test/budget.h"

namespace otolith::model {

namespace {

Id128 salt_of(unsigned char fill) {
  Id128 salt;
  salt.bytes.fill(static_cast<std::byte>(fill));
  return salt;
}

std::string steps(const KeyPath& path) {
  std::string out;
  for (unsigned i = 0; i < path.length(); ++i) out += path.step(i) ? '1' : '0';
  return out;
}

}  // namespace

TEST_CASE("leaf key: the path is the gamma code of the column, then of the index plus one") {
  CHECK(steps(leaf_path(ColumnId{1}, 0)) == "11");
  CHECK(steps(leaf_path(ColumnId{2}, 0)) == "0101");
  CHECK(steps(leaf_path(ColumnId{5}, 9)) == "001010001010");
  CHECK(leaf_path(ColumnId{UINT32_MAX}, 1ull << 40).length() == 63 + 81);
}

TEST_CASE("leaf key: no path is the beginning of another") {
  std::vector<KeyPath> paths;
  for (std::uint32_t column = 1; column < 40; ++column) {
    for (std::uint64_t index = 0; index < 40; ++index)
      paths.push_back(leaf_path(ColumnId{column}, index));
  }
  for (const KeyPath& a : paths) {
    for (const KeyPath& b : paths) {
      if (!(a == b)) REQUIRE(a.shared(b) < std::min(a.length(), b.length()));
    }
  }
}

TEST_CASE("leaf key: keys do not depend on the order they are asked for") {
  std::mt19937_64 random(test::seed());
  LeafKeys asked_often(salt_of(7));
  std::set<Hash256> seen;
  for (int i = 0; i < 500; ++i) {
    const ColumnId column{static_cast<std::uint32_t>(1 + random() % 9)};
    const std::uint64_t index = random() % 200;
    LeafKeys fresh(salt_of(7));
    const auto key = fresh.key(column, index);
    REQUIRE(asked_often.key(column, index) == key);
    seen.insert(*key);
  }
  CHECK(seen.size() > 400);
}

TEST_CASE("leaf key: consecutive leaves cost at most two steps each, a tiny commit a few") {
  LeafKeys keys(salt_of(1));
  for (std::uint64_t index = 0; index < 3000; ++index) keys.key(ColumnId{3}, index);
  CHECK(keys.derivations() <= 3000 + 40);
  LeafKeys tiny(salt_of(1));
  for (std::uint32_t column = 1; column <= 5; ++column) tiny.key(ColumnId{column}, 0);
  CHECK(tiny.derivations() <= 11);
}

TEST_CASE("leaf key: after erasing leaves all other keys still follow, the erased do not") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 20; ++round) {
    LeafKeys whole(salt_of(9));
    std::vector<KeyNode> known = whole.sibling_keys(ColumnId{2}, 5);
    std::set<std::pair<std::uint32_t, std::uint64_t>> erased{{2, 5}};
    for (int i = 0; i < round; ++i) {
      const auto column = static_cast<std::uint32_t>(1 + random() % 4);
      const std::uint64_t index = random() % 20;
      known = LeafKeys(known).sibling_keys(ColumnId{column}, index);
      erased.insert({column, index});
    }
    LeafKeys rest(known);
    for (std::uint32_t column = 1; column <= 4; ++column) {
      for (std::uint64_t index = 0; index < 20; ++index) {
        const auto key = rest.key(ColumnId{column}, index);
        const KeyPath path = leaf_path(ColumnId{column}, index);
        if (!erased.contains({column, index})) {
          REQUIRE(key == whole.key(ColumnId{column}, index));
          continue;
        }
        REQUIRE_FALSE(key.has_value());
        // No published node lies on the way to it, so nothing published derives it.
        for (const KeyNode& node : known) REQUIRE(path.shared(node.path) < node.path.length());
      }
    }
  }
}

TEST_CASE("leaf key: golden vectors never change") {
  LeafKeys keys(salt_of(0));
  CHECK(hex(keys.key(ColumnId{1}, 0)->view()) ==
        "739fa3aa7acdfa71dec38440b4fa802b4c5b8a85cb6b5da8d2c9c1a5bbcee1ef");
  CHECK(hex(keys.key(ColumnId{3}, 1000)->view()) ==
        "44e60a1c88ae9ac2500e03c79325b2f872972f7703569206381e1f7c63b1898d");
}

}  // namespace otolith::model
