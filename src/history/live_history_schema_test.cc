// Changes of the catalog against what their authors saw, and against what was rolled back.
#include <doctest/doctest.h>

#include "history/history_fixture.h"
#include "history/test_log.h"

namespace otolith::history {

using namespace test;

namespace {

// The code a commit is refused with; nullopt where it is made.
std::optional<ErrorCode> refusal(History& history, const CommitRequest& request) {
  try {
    history.commit(request);
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

}  // namespace

TEST_CASE("history: an alter, rename or drop of what its author did not see is a conflict") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  const auto seen = history->head()->find("a")->schema;
  const auto commit = [&](CatalogChange change) {
    CommitRequest request;
    request.catalog.push_back(std::move(change));
    return refusal(*history, request);
  };
  Schema schema = *seen;
  schema.columns.push_back({"more", {TypeKind::int8}, true, 0, "", {}});
  CHECK(commit(AlterDataset{kFirst, schema, seen}) == std::nullopt);
  CHECK(commit(AlterDataset{kFirst, schema, seen}) == ErrorCode::conflict);
  CHECK(commit(RenameDataset{kFirst, "c", "b"}) == ErrorCode::conflict);
  CHECK(commit(RenameDataset{kFirst, "b", "a"}) == std::nullopt);
  CHECK(commit(DropDataset{kFirst, "a"}) == ErrorCode::conflict);
  CHECK(commit(DropDataset{kFirst, "b"}) == std::nullopt);
}

TEST_CASE("history: metadata of the database follow rollbacks and reverts, as schemas do") {
  Ground ground;
  const auto history = ground.open();
  const auto noted = [&](const std::string& text) {
    CommitRequest request;
    const auto there = history->head()->database();
    Schema schema = there ? *there->schema : small_schema();
    schema.metadata["owner"] = text;
    if (there) {
      request.catalog.emplace_back(AlterDataset{there->id, schema, there->schema});
    } else {
      request.catalog.emplace_back(CreateDataset{std::string(kDatabaseName), schema});
    }
    return request;
  };
  const auto owner = [](const std::shared_ptr<const Snapshot>& snapshot) {
    const auto entry = snapshot->database();
    return entry ? entry->schema->metadata.at("owner") : "";
  };
  history->commit(create_request("a"));
  const CommitRequest first = noted("ana");
  history->commit(first);  // 2
  CHECK(refusal(*history, first) == ErrorCode::conflict);
  const CommitRequest second = noted("bo");
  history->commit(second);  // 3
  CHECK(refusal(*history, second) == ErrorCode::conflict);
  CHECK(owner(history->head()) == "bo");
  history->commit(rollback_to(CommitNumber{2}));  // 4
  CHECK(owner(history->head()) == "ana");
  history->commit(rollback_to(CommitNumber{1}));  // 5
  CHECK(owner(history->head()).empty());
  history->commit(noted("eve"));                // 6: noted for the first time, again
  history->commit(revert_of(CommitNumber{6}));  // 7
  CHECK(owner(history->head()).empty());
  history->commit(revert_of(CommitNumber{7}));  // 8
  CHECK(owner(history->head()) == "eve");
  history->commit(noted("zoe"));  // 9
  CHECK(refusal(*history, revert_of(CommitNumber{8})) == ErrorCode::conflict);
  history->commit(rollback_to(CommitNumber{1}, kFirst));  // of one dataset alone
  CHECK(owner(history->head()) == "zoe");
  CHECK(history->head()->datasets().size() == 1);
  history->close();
  const auto again = ground.open();
  CHECK(owner(again->head()) == "zoe");
  CHECK(owner(again->at(CommitNumber{3})) == "bo");
  CHECK(owner(again->at(CommitNumber{4})) == "ana");
}

TEST_CASE("history: a column never has types that do not hold each other, rolled back or not") {
  Ground ground;
  const auto history = ground.open();
  CommitRequest create = create_request("a");
  std::get<CreateDataset>(create.catalog[0])
      .schema.columns.push_back({"n", {TypeKind::uint8}, true, 0, "", {}});
  history->commit(create);
  const auto widen = [&](TypeKind kind) {
    CommitRequest request;
    Schema schema = *history->head()->find("a")->schema;
    schema.columns.back().type = {kind};
    request.catalog.emplace_back(AlterDataset{kFirst, schema});
    return refusal(*history, request);
  };
  CHECK(widen(TypeKind::int16) == std::nullopt);
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(widen(TypeKind::uint32) == ErrorCode::invalid_argument);
  CHECK(widen(TypeKind::int64) == std::nullopt);
}

}  // namespace otolith::history
