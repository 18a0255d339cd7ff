#include "otolith/data.h"

#include <array>
#include <memory>

#include <doctest/doctest.h>

namespace otolith {

namespace {

using Values = std::array<double, 6>;

std::shared_ptr<const Schema> one_column() {
  auto schema = std::make_shared<Schema>();
  schema->columns = {{.name = "x", .type = {TypeKind::float64}}};
  return schema;
}

Batch piece(const std::shared_ptr<const Schema>& schema, const std::shared_ptr<const Values>& owner,
            std::size_t first, std::size_t count) {
  Array array{.type = {TypeKind::float64}, .length = count, .zero_copy = true};
  array.values = {owner, std::as_bytes(std::span(*owner).subspan(first, count))};
  return {schema, count, {array}};
}

}  // namespace

TEST_CASE("data: pieces that stand side by side in one mapping are one array without a copy") {
  const auto schema = one_column();
  const auto owner = std::make_shared<const Values>(Values{0, 1, 2, 3, 4, 5});
  const Data data(
      schema, {piece(schema, owner, 1, 2), piece(schema, owner, 3, 0), piece(schema, owner, 3, 3)});
  CHECK(data.zero_copy(0));
  CHECK(data.column(0).length == 5);
  CHECK(data.column(0).values.as<double>() == owner->data() + 1);
  CHECK(data.column(0).values.bytes.size() == 40);
}

TEST_CASE("data: nulls of pieces side by side are joined, and their values stay where they are") {
  const auto schema = one_column();
  const auto owner = std::make_shared<const Values>(Values{0, 1, 2, 3, 4, 5});
  const std::array<std::byte, 1> bits{std::byte{1}};
  Batch nulls = piece(schema, owner, 2, 3);
  nulls.columns[0].null_count = 2;
  nulls.columns[0].validity = {owner, bits};
  const Data data(schema, {piece(schema, owner, 0, 2), nulls, piece(schema, owner, 5, 1)});
  const Array& column = data.column(0);
  CHECK(column.values.as<double>() == owner->data());
  CHECK(column.null_count == 2);
  for (std::uint64_t row = 0; row < 6; ++row) CHECK(column.is_null(row) == (row == 3 || row == 4));
  CHECK_FALSE(data.zero_copy(0));
  CHECK_FALSE(column.zero_copy);
}

TEST_CASE("data: pieces with a gap, of two owners, or with nulls are joined as if by a copy") {
  const auto schema = one_column();
  const auto owner = std::make_shared<const Values>(Values{0, 1, 2, 3, 4, 5});
  const std::shared_ptr<const Values> other(owner.get(), [](const Values*) {});
  const std::array<std::byte, 1> bits{std::byte{1}};
  Batch nulls = piece(schema, owner, 2, 2);
  nulls.columns[0].null_count = 1;
  nulls.columns[0].validity = {owner, bits};
  for (const Batch& second : {piece(schema, owner, 3, 2), piece(schema, other, 2, 2), nulls}) {
    const Data data(schema, {piece(schema, owner, 0, 2), second});
    CHECK_FALSE(data.zero_copy(0));
    CHECK(data.column(0).length == 4);
    CHECK(data.column(0).value<double>(1) == 1.0);
    CHECK(data.column(0).value<double>(2) == second.columns[0].value<double>(0));
    CHECK_FALSE(data.column(0).zero_copy);
  }
}

}  // namespace otolith
