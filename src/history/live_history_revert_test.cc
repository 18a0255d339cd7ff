// Whether a revert checks keys: by the policy that its lineage shows, and no other.
#include <doctest/doctest.h>

#include "history/history_fixture.h"

namespace otolith::history {

using namespace test;

namespace {

Schema schema_with(Duplicates policy) {
  Schema schema = small_schema();
  schema.duplicates = policy;
  return schema;
}

CommitRequest create_with(Duplicates policy) {
  CommitRequest request;
  request.catalog.emplace_back(CreateDataset{"a", schema_with(policy)});
  return request;
}

CommitRequest alter_to(Duplicates policy) {
  CommitRequest request;
  Schema schema = schema_with(policy);
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  request.catalog.emplace_back(AlterDataset{kFirst, schema});
  return request;
}

CommitRequest end_of(std::uint64_t begin) {
  DatasetChange change;
  change.dataset = kFirst;
  change.marks = {{CommitNumber{begin}, 0, 1, false}};
  return request_of({change});
}

bool reverts(History& history, std::uint64_t commit) {
  try {
    history.commit(revert_of(CommitNumber{commit}));
    return true;
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(error.code() == ErrorCode::conflict);
    return false;
  }
}

}  // namespace

TEST_CASE("history: whether a revert checks keys is asked of the schema that it shows") {
  // Nobody can look keys up here: where they are checked, a revert that needs it is refused.
  for (const auto& [present, rolled_back] : {std::pair(Duplicates::error, Duplicates::keep),
                                             std::pair(Duplicates::keep, Duplicates::error)}) {
    Ground ground;
    const auto history = ground.open();
    history->commit(create_with(present));
    history->commit(put(kFirst, "two"));
    history->commit(end_of(2));
    history->commit(alter_to(rolled_back));
    history->commit(rollback_to(CommitNumber{3}));
    history->commit(put(kFirst, "six"));
    CHECK(reverts(*history, 3) == (present == Duplicates::keep));
  }
  // Of a rollback behind which rows come back under another policy than HEAD's.
  Ground ground;
  const auto history = ground.open();
  history->commit(create_with(Duplicates::error));
  history->commit(alter_to(Duplicates::keep));
  history->commit(put(kFirst, "three"));
  history->commit(rollback_to(CommitNumber{1}));
  history->commit(put(kFirst, "five"));
  CHECK(reverts(*history, 4));
  CHECK(shown(*history->head(), kFirst) == Rows{"3.0", "5.0"});
}

TEST_CASE("history: rows taken unchecked stand against a revert that would have them unique") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_with(Duplicates::error));
  history->commit(put(kFirst, "two"));
  history->commit(alter_to(Duplicates::keep));
  history->commit(put(kFirst, "four"));
  CHECK_FALSE(reverts(*history, 3));
  history->commit(end_of(4));
  CHECK(reverts(*history, 3));
  CHECK(history->head()->find(kFirst)->schema->duplicates == Duplicates::error);
}

}  // namespace otolith::history
