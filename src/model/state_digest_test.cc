#include "model/state_digest.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "model/array.h"
#include "model/gather.h"
#include "model/order.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

using test::random_batch;

namespace {
StateDigest digest_of(const Batch& batch) {
  StateDigest digest;
  digest.add(batch);
  return digest;
}
}  // namespace

TEST_CASE("state digest: order of rows, batches and columns does not matter") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 30; ++round) {
    const Batch batch = random_batch(random, 1 + random() % 700);
    const StateDigest digest = digest_of(batch);
    CHECK(digest.rows() == batch.rows);
    std::vector<std::uint32_t> rows(batch.rows);
    for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    std::ranges::shuffle(rows, random);
    REQUIRE(digest_of(gather(batch, rows)) == digest);
    const std::uint64_t cut = random() % batch.rows;
    StateDigest parts = digest_of(batch_slice(batch, 0, cut));
    parts.add(digest_of(batch_slice(batch, cut, batch.rows - cut)));
    REQUIRE(parts == digest);
    Batch turned = batch;
    Schema schema = *batch.schema;
    std::ranges::reverse(schema.columns);
    std::ranges::reverse(turned.columns);
    turned.schema = std::make_shared<const Schema>(schema);
    REQUIRE(digest_of(turned) == digest);
  }
}

TEST_CASE("state digest: a row more, a value, a null or an id apart is another digest") {
  std::mt19937_64 random(test::seed());
  const Batch batch = random_batch(random, 50);
  const StateDigest digest = digest_of(batch);
  CHECK_FALSE(digest_of(batch_slice(batch, 0, 49)) == digest);
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    CAPTURE(c);
    Batch other = batch;
    const Array first = array_of_nulls(batch.columns[c].type, 1);
    const Array rest = array_slice(batch.columns[c], 1, 49);
    const std::vector<const Array*> parts{&first, &rest};
    other.columns[c] = array_concat(parts);
    if (!batch.columns[c].is_null(0)) CHECK_FALSE(digest_of(other) == digest);
    Schema schema = *batch.schema;
    schema.columns[c].id = 100;
    other = batch;
    other.schema = std::make_shared<const Schema>(schema);
    CHECK_FALSE(digest_of(other) == digest);
  }
}

TEST_CASE("state digest: text that moves between columns is another digest") {
  const auto schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "a", .type = {TypeKind::string}, .id = 1},
                         {.name = "b", .type = {TypeKind::string}, .id = 2}}});
  const auto row = [&](const char* a, const char* b) {
    ArrayBuilder first({TypeKind::string});
    ArrayBuilder second({TypeKind::string});
    first.append_text(a);
    second.append_text(b);
    return digest_of({schema, 1, {first.finish(), second.finish()}});
  };
  CHECK_FALSE(row("ab", "c") == row("a", "bc"));
  CHECK_FALSE(row("", "abc") == row("abc", ""));
}

}  // namespace otolith::model
