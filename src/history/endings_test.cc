// Rows to end are those of the commit's own state, whatever others committed since they were found.
#include <doctest/doctest.h>

#include "history/endings.h"
#include "history/history_fixture.h"

namespace otolith::history {

using namespace test;

namespace {

std::vector<MarkRun> shown_since(const Snapshot& state, DatasetId dataset, CommitNumber after) {
  std::vector<MarkRun> out;
  for (const TailEntry& entry : state.tail(dataset)) {
    if (entry.begin <= after) continue;
    const VisibleRows visible = state.visible(dataset, entry.begin, entry.rows);
    std::vector<OrdinalRun> runs = visible.runs.all();
    if (visible.kind == VisibleRows::Kind::all) runs = {{0, entry.rows}};
    for (const OrdinalRun& run : runs) out.push_back({entry.begin, run.first, run.count, false});
  }
  return out;
}

// Ends all rows; before each look something happens.
struct Looking {
  std::vector<CommitNumber> after;  // of each look
  std::vector<std::function<void()>> meanwhile;

  CommitRequest request(bool by_row = true) {
    CommitRequest out;
    Ending ending{kFirst, "a", std::make_shared<const Schema>(stored()), by_row, {}};
    ending.find = [this](const std::shared_ptr<const Snapshot>& state, const DatasetEntry& dataset,
                         CommitNumber behind) {
      const std::size_t look = after.size();
      after.push_back(behind);
      if (look < meanwhile.size() && meanwhile[look]) meanwhile[look]();
      return shown_since(*state, dataset.id, behind);
    };
    out.endings.push_back(std::move(ending));
    return out;
  }

  static Schema stored() {
    Schema schema = schema_stored(small_schema());
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      schema.columns[i].id = static_cast<std::uint32_t>(i + 1);
    }
    return schema;
  }
};

struct World {
  Ground ground;
  std::unique_ptr<History> history = ground.open();
  std::unique_ptr<History> other = ground.open();

  World() {
    history->commit(create_request("a"));
    history->commit(put(kFirst, "two"));
    history->commit(put(kFirst, "three"));
  }
  std::function<void()> puts(std::uint64_t count) {
    return [this, count] {
      for (std::uint64_t i = 0; i < count; ++i) other->commit(put(kFirst, "more"));
    };
  }
  Rows head() { return shown(*history->head(), kFirst); }
};

constexpr auto kNumber = [](std::uint64_t n) { return CommitNumber{n}; };

}  // namespace

TEST_CASE("endings: rows that others add while rows are looked for are ended too") {
  World world;
  Looking looking;
  looking.meanwhile = {world.puts(2)};
  const Commit commit = world.history->commit(looking.request());
  CHECK(commit.number == CommitNumber{6});
  CHECK(commit.changes.at("a").ended == 4);
  CHECK(looking.after == std::vector{kNumber(0), kNumber(3)});
  CHECK(world.head().empty());
  CHECK(shown(*world.history->at(kNumber(5)), kFirst).size() == 4);
}

TEST_CASE("endings: what is much to look at is looked at without the lock, three rounds at most") {
  World world;
  Looking looking;
  const std::uint64_t many = kJudgedCommitsMax + 1;
  looking.meanwhile = {world.puts(many), world.puts(many), world.puts(many)};
  const Commit commit = world.history->commit(looking.request());
  CHECK(commit.changes.at("a").ended == 2 + 3 * many);
  CHECK(looking.after ==
        std::vector{kNumber(0), kNumber(3), kNumber(3 + many), kNumber(3 + 2 * many)});
  CHECK(world.head().empty());
}

TEST_CASE("endings: rows that others ended meanwhile are not ended twice") {
  World world;
  Looking looking;
  const auto end_two = [&] {
    DatasetChange change;
    change.dataset = kFirst;
    change.marks = {{kNumber(2), 0, 1, false}};
    world.other->commit(request_of({change}));
  };
  looking.meanwhile = {end_two};
  const Commit commit = world.history->commit(looking.request());
  CHECK(commit.changes.at("a").ended == 1);
  CHECK(world.head().empty());
}

TEST_CASE("endings: a rollback meanwhile has all rows looked for again") {
  World world;
  Looking looking;
  looking.meanwhile = {[&] { world.other->commit(rollback_to(kNumber(2))); }};
  const Commit commit = world.history->commit(looking.request());
  CHECK(commit.changes.at("a").ended == 1);
  CHECK(looking.after == std::vector{kNumber(0), kNumber(0)});
  CHECK(world.head().empty());
  world.history->commit(rollback_to(kNumber(3)));
  CHECK(world.head() == Rows{"2.0", "3.0"});
}

TEST_CASE("endings: rows that decide about each other are all looked for again") {
  World world;
  Looking looking;
  looking.meanwhile = {world.puts(1)};
  CHECK(world.history->commit(looking.request(false)).changes.at("a").ended == 3);
  CHECK(looking.after == std::vector{kNumber(0), kNumber(0)});
}

TEST_CASE("endings: another schema and a dataset that is gone are conflicts") {
  World world;
  Looking looking;
  const auto alter = [&] {
    CommitRequest request;
    Schema wider = Looking::stored();
    wider.columns.push_back({.name = "venue", .type = {TypeKind::string}});
    request.catalog.emplace_back(AlterDataset{kFirst, wider});
    world.other->commit(request);
  };
  const auto drop = [&] {
    CommitRequest request;
    request.catalog.emplace_back(DropDataset{kFirst});
    world.other->commit(request);
  };
  SUBCASE("another schema") { looking.meanwhile = {alter}; }
  SUBCASE("no dataset") { looking.meanwhile = {drop}; }
  std::optional<ErrorCode> code;
  try {
    world.history->commit(looking.request());
  } catch (const Error& error) {
    code = error.code();
    CHECK(error.outcome() == Outcome::failed);
  }
  CHECK(code == ErrorCode::conflict);
}

TEST_CASE("endings: no row is no commit, and a retry is answered by the commit that won") {
  World world;
  Looking looking;
  CommitRequest request = looking.request();
  request.change_id = id_of(77);
  const Commit won = world.history->commit(request);
  CHECK(world.history->commit(request).number == won.number);
  CommitRequest drop;
  drop.catalog.emplace_back(DropDataset{kFirst});
  world.history->commit(drop);
  CHECK(world.history->commit(request).number == won.number);
  Looking again;
  World empty;
  empty.history->commit(again.request());
  const Commit none = empty.history->commit(again.request());
  CHECK(none.changes.empty());
  CHECK(none.number == empty.history->head()->number());
}

}  // namespace otolith::history
