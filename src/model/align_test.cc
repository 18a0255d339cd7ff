#include "model/align.h"

#include <doctest/doctest.h>

#include "model/array.h"
#include "otolith/error.h"

namespace otolith::model {

namespace {

std::shared_ptr<const Schema> table() {
  return std::make_shared<const Schema>(Schema{
      .columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                  {.name = "bid", .type = {TypeKind::float32}, .id = 2}}});
}

Batch given(std::vector<std::string> names, TypeKind time, TypeKind bid) {
  ArrayBuilder times({time});
  ArrayBuilder bids({bid});
  times.append_value(std::int64_t{7});
  bid == TypeKind::float64 ? bids.append_value(1.5) : bids.append_value(1.5f);
  Schema schema{.columns = {{.name = names[0], .type = {bid}}, {.name = names[1], .type = {time}}}};
  return {std::make_shared<const Schema>(schema), 1, {bids.finish(), times.finish()}};
}

std::string refusal(const Batch& batch) {
  try {
    align(batch, table());
  } catch (const Error& error) {
    REQUIRE(error.code() == ErrorCode::invalid_argument);
    return error.message();
  }
  FAIL("the batch was accepted");
  return {};
}

}  // namespace

TEST_CASE("align: columns come by name in any order and are cast where nothing is lost") {
  const Batch out = align(given({"bid", "time"}, TypeKind::int64, TypeKind::float64), table());
  CHECK(out.columns[0].type.kind == TypeKind::timestamp);
  CHECK(out.columns[0].value<std::int64_t>(0) == 7);
  CHECK(out.columns[1].value<float>(0) == 1.5f);
}

TEST_CASE("align: equal columns are taken as they are, without a copy") {
  const Batch out = align(given({"bid", "time"}, TypeKind::timestamp, TypeKind::float32), table());
  const Batch again = align(out, table());
  CHECK(again.columns[1].values.bytes.data() == out.columns[1].values.bytes.data());
}

TEST_CASE("align: misspelt, missing, extra and doubled columns are refused by name") {
  CHECK(refusal(given({"bidd", "time"}, TypeKind::timestamp, TypeKind::float32))
            .find("mean \"bid\"") != std::string::npos);
  Batch batch = given({"bid", "time"}, TypeKind::timestamp, TypeKind::float32);
  Schema schema = *batch.schema;
  batch.columns.pop_back();
  schema.columns.pop_back();
  batch.schema = std::make_shared<const Schema>(schema);
  CHECK(refusal(batch).find("\"time\" is missing") != std::string::npos);
  batch = given({"bid", "time"}, TypeKind::timestamp, TypeKind::float32);
  schema = *batch.schema;
  schema.columns.push_back(schema.columns[0]);
  batch.columns.push_back(batch.columns[0]);
  batch.schema = std::make_shared<const Schema>(schema);
  CHECK(refusal(batch).find("twice") != std::string::npos);
  batch.columns.pop_back();
  CHECK_FALSE(refusal(batch).empty());
}

}  // namespace otolith::model
