#include "model/leaf.h"

#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "base/limits.h"
#include "model/array.h"
#include "model/merkle.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

using test::random_batch;
using test::random_layout;

namespace {

Id128 salt_of(unsigned char fill) {
  Id128 salt;
  salt.bytes.fill(static_cast<std::byte>(fill));
  return salt;
}

Batch numbers(const std::vector<std::int64_t>& values) {
  ArrayBuilder builder({TypeKind::int64});
  for (const std::int64_t value : values) builder.append_value(value);
  const auto schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "n", .type = {TypeKind::int64}, .id = 1}}});
  return {schema, values.size(), {builder.finish()}};
}

RowLayout one_run(std::uint64_t rows) { return {{{{.bucket = 0, .rows = rows}}}}; }

// RFC 6962, written down the other way: pairs are joined level by level, a last odd one goes up as
// it is.
Hash256 merkle_by_levels(std::vector<Hash256> level) {
  while (level.size() > 1) {
    std::vector<Hash256> above;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      above.push_back(merkle_root(std::vector{level[i], level[i + 1]}));
    }
    if (level.size() % 2 == 1) above.push_back(level.back());
    level = above;
  }
  return level.front();
}

}  // namespace

TEST_CASE("merkle: any number of leaves joins as RFC 6962 says") {
  std::vector<Hash256> leaves;
  for (unsigned n = 1; n < 70; ++n) {
    leaves.push_back(blake3(as_bytes_view(std::to_string(n))));
    CAPTURE(n);
    REQUIRE(merkle_root(leaves) == merkle_by_levels(leaves));
  }
}

TEST_CASE("leaf: blocks count from the start of each partition within its run") {
  ContentHasher content({{ColumnId{1}, {TypeKind::int64}}});
  CHECK(content.add_run({{.bucket = 3, .rows = kLeafRows + 1}, {.bucket = 4, .rows = 5}}) == 0);
  CHECK(content.add_run({{.bucket = 3, .rows = 2}}) == 3);
  const auto& places = content.places();
  REQUIRE(places.size() == 4);
  CHECK((places[1].bucket == 3 && places[1].block == 1 && places[1].rows == 1));
  CHECK((places[2].bucket == 4 && places[2].block == 0 && places[2].first_row == kLeafRows + 1));
  CHECK((places[3].run == 1 && places[3].block == 0 && places[3].first_row == kLeafRows + 6));
}

TEST_CASE("leaf: the root depends on every value, null, type, id, place and on the salt") {
  std::mt19937_64 random(test::seed());
  const Batch batch = random_batch(random, 40);
  const RowLayout layout = one_run(40);
  const Hash256 root = rows_root(batch, layout, salt_of(1));
  CHECK(rows_root(batch, layout, salt_of(1)) == root);
  CHECK(rows_root(batch, layout, salt_of(2)) != root);
  CHECK(rows_root(batch, {{{{.bucket = 1, .rows = 40}}}}, salt_of(1)) != root);
  CHECK(rows_root(batch, {{{{0, 20}, {1, 20}}}}, salt_of(1)) != root);
  CHECK(rows_root(batch, {{{{0, 20}}, {{0, 20}}}}, salt_of(1)) != root);
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    CAPTURE(c);
    Batch other = batch;
    other.columns[c] = array_of_nulls(batch.columns[c].type, 40);
    CHECK(rows_root(other, layout, salt_of(1)) != root);
    Schema schema = *batch.schema;
    schema.columns[c].id = 1000;
    other = batch;
    other.schema = std::make_shared<const Schema>(schema);
    CHECK(rows_root(other, layout, salt_of(1)) != root);
  }
  Batch as_unsigned = numbers({1, 5, 9});
  const Hash256 as_signed_root = rows_root(as_unsigned, one_run(3), salt_of(1));
  Schema schema = *as_unsigned.schema;
  schema.columns[0].type = as_unsigned.columns[0].type = {TypeKind::uint64};
  as_unsigned.schema = std::make_shared<const Schema>(schema);
  CHECK(rows_root(as_unsigned, one_run(3), salt_of(1)) != as_signed_root);
}

TEST_CASE("leaf: what stands in slots of nulls, in spare bits and around a slice is not hashed") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 50; ++round) {
    const Batch whole = random_batch(random, 60);
    const std::uint64_t first = random() % 20;
    const std::uint64_t rows = 1 + random() % 40;
    const Batch slice = batch_slice(whole, first, rows);
    std::vector<Batch> pieces{batch_slice(whole, first, rows / 2),
                              batch_slice(whole, first + rows / 2, rows - rows / 2)};
    Batch copy = batch_concat(pieces);
    for (Array& column : copy.columns) {
      if (column.null_count == 0 || is_text(column.type)) continue;
      std::byte* data = nullptr;
      Buffer values = buffer_allocate(column.values.bytes.size(), &data);
      std::ranges::copy(column.values.bytes, data);
      const std::uint64_t width = type_width(column.type);
      for (std::uint64_t i = 0; i < rows; ++i) {
        if (column.is_null(i)) std::memset(data + i * width, 0x5a, width);
      }
      column.values = values;
    }
    REQUIRE(rows_root(copy, one_run(rows), salt_of(3)) ==
            rows_root(slice, one_run(rows), salt_of(3)));
  }
}

TEST_CASE("leaf: a line of integers differs from every sequence that leaves it anywhere") {
  std::vector<std::int64_t> line;
  for (std::int64_t i = 0; i < 300; ++i) line.push_back(1000 + 7 * i);
  const Hash256 root = rows_root(numbers(line), one_run(300), salt_of(1));
  for (std::size_t at = 0; at < line.size(); ++at) {
    auto bent = line;
    ++bent[at];
    REQUIRE(rows_root(numbers(bent), one_run(300), salt_of(1)) != root);
  }
  auto shifted = line;
  for (std::int64_t& value : shifted) ++value;
  CHECK(rows_root(numbers(shifted), one_run(300), salt_of(1)) != root);
  line.pop_back();
  CHECK(rows_root(numbers(line), one_run(299), salt_of(1)) != root);
}

TEST_CASE("leaf: hashed by several threads, the root is the same") {
  std::mt19937_64 random(test::seed());
  const std::uint64_t rows = 3 * kLeafRows + 17;
  const Batch batch = random_batch(random, rows);
  const RowLayout layout = random_layout(random, rows);
  ContentHasher content(leaf_columns(*batch.schema));
  for (const Run& run : layout.runs) content.add_run(run);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      LeafHasher hasher(salt_of(5));
      for (std::uint64_t leaf = t; leaf < content.places().size(); leaf += 3) {
        for (std::size_t c = 0; c < batch.columns.size(); ++c) {
          const LeafPlace& place = content.places()[leaf];
          content.put(
              c, leaf,
              hasher.hash(content.columns()[c].id, leaf, place, batch.columns[c], place.first_row));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(content.rows_root() == rows_root(batch, layout, salt_of(5)));
}

TEST_CASE("leaf: golden vectors never change") {
  CHECK(hex(rows_root(numbers({1, 2, 3}), one_run(3), salt_of(0)).view()) ==
        "e404a0677850299a0356b879c2e70ac5f6ff5c16c81469af15fe302ab2b72a8b");
  CHECK(hex(rows_root(numbers({1, 2, 4}), one_run(3), salt_of(0)).view()) ==
        "b356c7e18bc6c1c58f795f7d7df8d2fd0a5b625a8b0b1e44459b56442fdc6dec");
  ArrayBuilder time({TypeKind::timestamp});
  ArrayBuilder price({TypeKind::float64});
  ArrayBuilder name({TypeKind::string});
  for (std::int64_t i = 0; i < 10000; ++i) {
    time.append_value(i * i);
    i % 7 == 0 ? price.append_null() : price.append_value(static_cast<double>(i) / 4);
    i % 5 == 0 ? name.append_null() : name.append_text(std::to_string(i));
  }
  const auto schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}, .id = 1},
                         {.name = "price", .type = {TypeKind::float64}, .id = 2},
                         {.name = "name", .type = {TypeKind::string}, .id = 7}}});
  const Batch batch{schema, 10000, {time.finish(), price.finish(), name.finish()}};
  CHECK(hex(rows_root(batch, {{{{-1, 5000}, {2, 1000}}, {{0, 4000}}}}, salt_of(0)).view()) ==
        "81555d5da4a8a90672f5557fa86097aa18716d6956fe1662ee7ea0df05c0eda7");
}

}  // namespace otolith::model
