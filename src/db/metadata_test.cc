// What is noted of a database: a commit like any other, hidden from those who look for datasets.
#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/refusal.h"

namespace otolith {

namespace {

using test::code_of;
using Texts = std::map<std::string, std::string>;

Schema small() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  return schema;
}

}  // namespace

TEST_CASE("metadata: of a database are a commit, which older ones do not know") {
  const std::string retried(32, 'a');
  const auto disk = std::make_shared<io::SimDisk>();
  const auto open = [&] {
    return db::Door::open(disk->attach(), io::simulated_environment(1), {}, {});
  };
  {
    Database db = open();
    CHECK(db.metadata().empty());
    CHECK(db.alter({}).number == CommitNumber{0});
    CHECK(db.alter({{"gone", std::nullopt}}).number == CommitNumber{0});
    const Commit first = db.alter({{"owner", "ana"}, {"source", "a"}},
                                  {.author = "ana", .message = "who", .change_id = retried});
    CHECK(first.number == CommitNumber{1});
    CHECK(first.author == "ana");
    CHECK(first.changes.empty());
    CHECK(db.alter({{"owner", "bo"}, {"source", std::nullopt}}).number == CommitNumber{2});
    CHECK(db.alter({{"owner", "bo"}}).number == CommitNumber{2});
    const auto again = [&](const std::string& owner) {
      return db.alter({{"owner", owner}, {"source", "a"}},
                      {.author = "ana", .message = "who", .change_id = retried});
    };
    CHECK(again("ana").number == CommitNumber{1});
    CHECK(code_of([&] { again("bo"); }) == ErrorCode::conflict);
    CHECK(db.metadata() == Texts{{"owner", "bo"}});
  }
  Database db = open();
  CHECK(db.metadata() == Texts{{"owner", "bo"}});
  CHECK(db.at(CommitNumber{1}).metadata() == Texts{{"owner", "ana"}, {"source", "a"}});
  CHECK(db.at(CommitNumber{0}).metadata().empty());
  CHECK(db.verify().ok());
}

TEST_CASE("metadata: nobody finds the dataset that holds them") {
  const std::string hidden(history::kDatabaseName);
  Database db = Database::open(":memory:");
  db.alter({{"owner", "ana"}});
  CHECK(db.datasets().empty());
  CHECK(db.status().datasets.empty());
  CHECK(db.at("HEAD").datasets().empty());
  CHECK_FALSE(db.contains(hidden));
  CHECK(code_of([&] { (void)db.table(hidden); }) == ErrorCode::not_found);
  CHECK(code_of([&] { (void)db.at("HEAD").table(hidden); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.drop(hidden); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.recorder().append(hidden, {}); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.create_table(hidden, small()); }) == ErrorCode::invalid_argument);
  db.create_table("t", small());
  CHECK(code_of([&] { db.rename("t", hidden); }) == ErrorCode::invalid_argument);
  CHECK(db.datasets() == std::vector<std::string>{"t"});
}

}  // namespace otolith
