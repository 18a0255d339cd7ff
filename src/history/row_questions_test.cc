// Rows to end are those of the commit's own state, whatever others committed since they were found,
// and so is the answer that a row meets no other.
#include <doctest/doctest.h>

#include "history/history_fixture.h"
#include "history/row_questions.h"

namespace otolith::history {

using namespace test;

namespace {

MarkList shown_since(const Snapshot& state, DatasetId dataset, CommitNumber after) {
  MarkList out;
  for (const TailEntry& entry : state.tail(dataset)) {
    if (entry.begin <= after) continue;
    const VisibleRows visible = state.visible(dataset, entry.begin, entry.rows);
    out.append({entry.begin, false, visible.slice({0, entry.rows})});
  }
  return out;
}

// Ends all rows; before each look something happens.
struct Looking {
  std::vector<CommitNumber> after;  // of each look
  std::vector<std::function<void()>> meanwhile;

  CommitRequest request(bool by_row = true) {
    CommitRequest out;
    Marking ending{kFirst, "a", std::make_shared<const Schema>(stored()), by_row, {}};
    ending.find = [this](const std::shared_ptr<const Snapshot>& state, const DatasetEntry& dataset,
                         CommitNumber behind) {
      const std::size_t look = after.size();
      after.push_back(behind);
      if (look < meanwhile.size() && meanwhile[look]) meanwhile[look]();
      return shown_since(*state, dataset.id, behind);
    };
    out.markings.push_back(std::move(ending));
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

// Adds a row that must meet no other; before each look something happens, and the last one throws.
struct Asking {
  std::vector<CommitNumber> after;  // of each look
  std::vector<MarkList> ended;
  std::vector<std::function<void()>> meanwhile;
  std::optional<std::size_t> refused_at;

  CommitRequest request() {
    CommitRequest out = put(kFirst, "mine");
    out.unique.push_back(
        {kFirst,
         {},
         {},
         [this](const std::shared_ptr<const Snapshot>&, const DatasetEntry& dataset,
                CommitNumber behind, const MarkList& gone) {
           CHECK(dataset.name == "a");
           const std::size_t look = after.size();
           after.push_back(behind);
           ended.push_back(gone);
           if (refused_at == look) throw Error(ErrorCode::conflict, "a row is there");
           if (look < meanwhile.size() && meanwhile[look]) meanwhile[look]();
         }});
    return out;
  }
};

// Adds a row that names the commit it was made for; before each time something happens.
struct Making final : DependentChanges {
  std::vector<CommitNumber> states;  // that it was made for
  std::vector<bool> touched;         // what it was told when asked whether it holds
  std::vector<std::function<void()>> meanwhile;
  bool is_little = true;

  bool little(const ChangeState&) const override { return is_little; }
  bool hold(const ChangeState& state) override {
    touched.push_back(state.touched(kFirst));
    return !touched.back();
  }
  void make(const ChangeState& state, CommitRequest& request) override {
    const std::size_t time = states.size();
    states.push_back(state.snapshot->number());
    CHECK(state.time_of(state.snapshot->number()) > Timestamp{0});
    request.datasets = {rows_of(kFirst, fmt::format("for {}", value_of(states.back())))};
    if (time < meanwhile.size() && meanwhile[time]) meanwhile[time]();
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

TEST_CASE("row questions: rows that others add while rows are looked for are ended too") {
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

TEST_CASE(
    "row questions: what is much to look at is looked at without the lock, three rounds at most") {
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

TEST_CASE(
    "dependent changes: are made anew where another commit came, and not for other datasets") {
  World world;
  const auto making = std::make_shared<Making>();
  making->meanwhile = {world.puts(2)};
  CommitRequest request;
  request.dependent = making;
  const Commit commit = world.history->commit(request);
  CHECK(commit.number == kNumber(6));
  CHECK(making->states == std::vector{kNumber(3), kNumber(5)});
  const auto tail = world.history->head()->tail(kFirst);
  CHECK(as_text(*tail.back().bytes) == "for 5");

  const auto beside = std::make_shared<Making>();
  beside->meanwhile = {[&] { world.other->commit(create_request("b")); }};
  request.dependent = beside;
  CHECK(world.history->commit(request).number == kNumber(8));
  CHECK(beside->states == std::vector{kNumber(6)});
  CHECK(beside->touched == std::vector{false});
}

TEST_CASE("dependent changes: what is much is made without the lock, three rounds at most") {
  World world;
  const auto making = std::make_shared<Making>();
  making->is_little = false;
  making->meanwhile = {world.puts(1), world.puts(1), world.puts(1)};
  CommitRequest request;
  request.dependent = making;
  const Commit commit = world.history->commit(request);
  CHECK(commit.number == kNumber(7));
  CHECK(making->states.back() == kNumber(6));
  CHECK(making->states.size() == 4);
}

TEST_CASE("row questions: rows that others ended meanwhile are not ended twice") {
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

TEST_CASE("row questions: a rollback meanwhile has all rows looked for again") {
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

TEST_CASE("row questions: rows that decide about each other are all looked for again") {
  World world;
  Looking looking;
  looking.meanwhile = {world.puts(1)};
  CHECK(world.history->commit(looking.request(false)).changes.at("a").ended == 3);
  CHECK(looking.after == std::vector{kNumber(0), kNumber(0)});
}

TEST_CASE("row questions: another schema and a dataset that is gone are conflicts") {
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

TEST_CASE("row questions: no row is no commit, and a retry is answered by the commit that won") {
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

TEST_CASE("row questions: what came since is asked once more, under the lock if it is little") {
  World world;
  Asking asking;
  const std::uint64_t many = kJudgedCommitsMax + 1;
  SUBCASE("nothing") { asking.meanwhile = {}; }
  SUBCASE("little") { asking.meanwhile = {world.puts(2)}; }
  SUBCASE("much") { asking.meanwhile = {world.puts(many), world.puts(1)}; }
  world.history->commit(asking.request());
  std::vector<CommitNumber> looks{kNumber(0)};
  if (!asking.meanwhile.empty()) looks.push_back(kNumber(3));
  if (asking.meanwhile.size() > 1) looks.push_back(kNumber(3 + many));
  CHECK(asking.after == looks);
}

TEST_CASE("row questions: a row that another commit added meanwhile refuses the commit") {
  World world;
  Asking asking;
  asking.meanwhile = {world.puts(1)};
  asking.refused_at = 1;
  std::optional<Error> refused;
  try {
    world.history->commit(asking.request());
  } catch (const Error& error) {
    refused = error;
  }
  REQUIRE(refused);
  CHECK(refused->code() == ErrorCode::conflict);
  CHECK(refused->outcome() == Outcome::failed);
  CHECK(world.head().size() == 3);
}

TEST_CASE("row questions: lineage and marks that changed have every row asked about again") {
  World world;
  Asking asking;
  SUBCASE("a rollback") {
    asking.meanwhile = {[&] { world.other->commit(rollback_to(kNumber(2))); }};
  }
  SUBCASE("a delete") {
    asking.meanwhile = {[&] {
      DatasetChange change;
      change.dataset = kFirst;
      change.marks = {{kNumber(2), 0, 1, false}};
      world.other->commit(request_of({change}));
    }};
  }
  world.history->commit(asking.request());
  CHECK(asking.after == std::vector{kNumber(0), kNumber(0)});
}

TEST_CASE("row questions: rows that the commit ends are told to who asks") {
  World world;
  Asking asking;
  Looking looking;
  CommitRequest request = asking.request();
  request.markings = looking.request().markings;
  world.history->commit(request);
  CHECK(asking.ended.at(0) == MarkList{{kNumber(2), 0, 1, false}, {kNumber(3), 0, 1, false}});
  CHECK(world.head() == Rows{"4.0"});
}

TEST_CASE("row questions: a retry is answered by the commit that won, whose rows it would meet") {
  World world;
  Asking asking;
  asking.refused_at = 1;
  CommitRequest request = asking.request();
  request.change_id = id_of(78);
  const Commit won = world.history->commit(request);
  CHECK(world.history->commit(request).number == won.number);
  CHECK(asking.after.size() == 1);
}

}  // namespace otolith::history
