// Views of chosen rows, differences of states by lineage and marks, and the rollback of a scope.
#include <doctest/doctest.h>

#include "history/history_fixture.h"
#include "history/rows_view.h"

namespace otolith::history {

using namespace test;

namespace {

constexpr DatasetId kSecond{CommitNumber{2}, 0};

CommitNumber at(std::uint64_t number) { return CommitNumber{number}; }

Schema stored() {
  Schema schema = schema_stored(small_schema());
  for (std::size_t i = 0; i < schema.columns.size(); ++i)
    schema.columns[i].id = static_cast<std::uint32_t>(i + 1);
  return schema;
}

CommitRequest end_of(std::uint64_t begin, std::uint64_t first = 0, std::uint64_t count = 1) {
  DatasetChange change;
  change.dataset = kFirst;
  change.marks = {{at(begin), first, count, false}};
  return request_of({change});
}

// "+2.0 -3.1", of one dataset.
std::string text(const RowsApart& apart) {
  std::string out;
  const auto add = [&](char sign, const std::vector<RowsOfBegin>& rows) {
    for (const RowsOfBegin& of : rows) {
      for (const RowRange& range : of.rows) {
        for (std::uint64_t i = range.first; i < range.end(); ++i)
          out += fmt::format("{}{}{}.{}", out.empty() ? "" : " ", sign, value_of(of.begin), i);
      }
    }
  };
  add('+', apart.added);
  add('-', apart.removed);
  return out;
}

std::string apart(History& history, std::uint64_t from, std::uint64_t to) {
  const StatesApart states = history.apart(at(from), at(to), kFirst);
  return states.datasets.empty() ? "" : text(states.datasets.front().rows);
}

// All rows that a state of the tail shows.
MarkList all_shown(const Snapshot& state, DatasetId dataset) {
  MarkList out;
  for (const TailEntry& entry : state.tail(dataset)) {
    const VisibleRows visible = state.visible(dataset, entry.begin, entry.rows);
    out.append({entry.begin, false, visible.slice({0, entry.rows})});
  }
  return out;
}

// Takes all rows back to a commit; `looks` counts how often they were looked for.
CommitRequest scope_to(std::uint64_t to, std::vector<std::function<void()>> meanwhile = {},
                       std::shared_ptr<std::size_t> looks = std::make_shared<std::size_t>(0),
                       Schema schema = stored()) {
  Marking marking{kFirst, "a", std::make_shared<const Schema>(std::move(schema)), true, {}, at(to)};
  marking.find = [meanwhile = std::move(meanwhile), looks](
                     const std::shared_ptr<const Snapshot>& state, const DatasetEntry& dataset,
                     CommitNumber) {
    const std::size_t look = (*looks)++;
    MarkList found = all_shown(*state, dataset.id);
    if (look < meanwhile.size() && meanwhile[look]) meanwhile[look]();
    return found;
  };
  CommitRequest out;
  out.markings.push_back(std::move(marking));
  return out;
}

}  // namespace

TEST_CASE("rows view: lists what may hold chosen rows, also where lineage hides it") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 20, 3)}));
  history->commit(request_of({segment_of(kFirst, 21, 3)}));
  history->commit(put(kFirst, "four"));
  history->commit(put(kFirst, "five"));
  history->commit(rollback_to(at(1)));
  const auto head = history->head();
  const auto entry = *head->find(kFirst);
  CHECK(head->segments(kFirst).empty());
  const RowsView view(head, entry, {{at(2), {{1, 2}}}, {at(5), {{0, 1}}}});
  CHECK(shown(view, kFirst) == Rows{"2.1", "2.2", "5.0"});
  CHECK(view.segments(kFirst).size() == 1);
  CHECK(view.tail(kFirst).size() == 1);
  CHECK(view.shows_none(kFirst, at(3), at(4)));
  CHECK_FALSE(view.shows_none(kFirst, at(3), at(5)));
  CHECK(view.shows_none(kSecond, at(1), at(9)));
  CHECK(view.tail(kSecond).empty());
  CHECK(view.find("a"));
  CHECK_FALSE(view.find("b"));
}

TEST_CASE("apart: marks, begins and rollbacks of one dataset, either way") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({rows_of(kFirst, "rows", 4)}));
  history->commit(end_of(2, 1, 2));
  history->commit(put(kFirst, "four"));
  history->commit(rollback_to(at(2)));
  history->commit(end_of(2, 2));
  CHECK(apart(*history, 2, 3) == "-2.1 -2.2");
  CHECK(apart(*history, 3, 2) == "+2.1 +2.2");
  CHECK(apart(*history, 4, 6) == "+2.1 -4.0");
  CHECK(apart(*history, 2, 5).empty());
  CHECK(apart(*history, 6, 2) == "+2.2");
  CHECK(history->apart(at(0), at(6), kFirst).datasets.at(0).before == std::nullopt);
  CHECK(history->apart(at(6), at(6), {}).datasets.empty());
  try {
    (void)history->apart(at(1), at(7), {});
    FAIL("a commit that is not there was compared");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::not_found);
  }
}

TEST_CASE("apart: what a request would make, and nothing is written") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(create_request("b"));
  history->commit(put(kFirst, "three"));
  history->commit(put(kSecond, "four"));
  const StatesApart back = history->preview(rollback_to(at(2)));
  REQUIRE(back.datasets.size() == 2);
  CHECK(text(back.datasets[0].rows) == "-3.0");
  CHECK(text(back.datasets[1].rows) == "-4.0");
  CHECK(text(history->preview(revert_of(at(3))).datasets.at(0).rows) == "-3.0");
  CHECK(history->preview(rollback_to(at(4))).datasets.empty());
  CHECK(text(history->preview(scope_to(2)).datasets.at(0).rows) == "-3.0");
  const StatesApart away = history->preview(rollback_to(at(1)));
  CHECK(away.datasets.at(1).after == std::nullopt);
  CHECK(value_of(history->head()->number()) == 4);
  CHECK(shown(*history->head(), kFirst) == Rows{"3.0"});
}

TEST_CASE("row questions: what becomes of a scope is decided by the state it stands on") {
  Ground ground;
  const auto history = ground.open();
  const auto other = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({rows_of(kFirst, "rows", 4)}));
  history->commit(end_of(2, 0, 2));
  const auto looks = std::make_shared<std::size_t>(0);
  SUBCASE("others end and add rows of the dataset meanwhile") {
    const auto meanwhile = [&] {
      other->commit(end_of(2, 3));
      other->commit(put(kFirst, "five"));
    };
    const Commit commit = history->commit(scope_to(2, {meanwhile}, looks));
    CHECK(commit.changes.at("a") == ChangeCount{3, 1});
    CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "2.1", "2.2", "2.3"});
    CHECK(*looks > 1);
  }
  SUBCASE("others write to another dataset: nothing is looked for again") {
    const auto meanwhile = [&] { other->commit(create_request("b")); };
    history->commit(scope_to(2, {meanwhile}, looks));
    CHECK(*looks == 1);
    CHECK(shown(*history->head(), kFirst).size() == 4);
  }
  SUBCASE("it is reverted like any commit") {
    history->commit(scope_to(2));
    history->commit(revert_of(at(4)));
    CHECK(shown(*history->head(), kFirst) == Rows{"2.2", "2.3"});
  }
  SUBCASE("nothing differs: no commit") {
    CHECK(value_of(history->commit(scope_to(3)).number) == 3);
  }
  SUBCASE("rows of one begin end and come back by one commit") {
    history->commit(rollback_to(at(2)));
    history->commit(end_of(2, 1, 3));
    const Commit commit = history->commit(scope_to(3));
    CHECK(commit.changes.at("a") == ChangeCount{2, 1});
    CHECK(shown(*history->head(), kFirst) == Rows{"2.2", "2.3"});
    CHECK(shown(*ground.open()->head(), kFirst) == Rows{"2.2", "2.3"});
  }
}

TEST_CASE("row questions: rows that come back have to fit the present columns") {
  Ground ground;
  const auto history = ground.open();
  Schema narrow = stored();
  narrow.columns[1].type = {TypeKind::int32};
  CommitRequest create;
  create.catalog.emplace_back(CreateDataset{"a", narrow});
  history->commit(std::move(create));
  CommitRequest widen;
  widen.catalog.emplace_back(AlterDataset{kFirst, stored()});
  history->commit(std::move(widen));
  history->commit(put(kFirst, "wide"));
  history->commit(rollback_to(at(1)));
  const auto refusal = [&](std::uint64_t to, const Schema& schema) -> std::string {
    try {
      history->commit(scope_to(to, {}, std::make_shared<std::size_t>(0), schema));
      return {};
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::conflict);
      REQUIRE(error.differences().size() == 1);
      return error.differences()[0];
    }
  };
  CHECK(refusal(3, narrow) ==
        "rows of \"a\" that commit 3 added do not fit the columns it has now");
  history->commit(put(kFirst, "five"));
  history->commit(rollback_to(at(4)));
  Schema unique = narrow;
  unique.duplicates = Duplicates::error;
  CommitRequest alter;
  alter.catalog.emplace_back(AlterDataset{kFirst, unique});
  history->commit(std::move(alter));
  CHECK(refusal(5, unique) == "as of commit 5 its keys were not unique, and now they are");
  CHECK(shown(*history->head(), kFirst).empty());
}

}  // namespace otolith::history
