// What the programs of test/model do not reach: retention, refusals in words, empty answers.
#include "history/revert.h"

#include <doctest/doctest.h>

#include <set>

#include "base/limits.h"

namespace otolith::history {
namespace {

constexpr DatasetId kQuotes{CommitNumber{1}, 0};
constexpr DatasetId kTicks{CommitNumber{5}, 0};

CommitNumber commit(std::uint64_t n) { return CommitNumber{n}; }

// A short history in memory: "quotes" made by commit 1, 10 rows each by the commits of `adders`.
class Story final : public Events {
 public:
  explicit Story(std::uint64_t commits) {
    for (std::uint64_t n = 1; n <= commits; ++n) lineage.append(commit(n));
    schema_->columns.push_back({});
    schema_->columns.back().name = "time";
  }

  std::vector<DatasetId> touched(const CommitRuns& commits) const override {
    std::vector<DatasetId> found;
    const bool rows = !rows_added(kQuotes, commits).empty();
    const bool marked = !marks_.of_commits(commits).empty();
    if (rows || marked || !catalog_events(kQuotes, commits).empty()) found.push_back(kQuotes);
    return found;
  }
  std::vector<RowsAdded> rows_added(DatasetId, const CommitRuns& commits) const override {
    std::vector<RowsAdded> added;
    for (const std::uint64_t n : adders) {
      if (contains(commits, commit(n))) added.push_back({commit(n), 10});
    }
    return added;
  }
  std::vector<CatalogEvent> catalog_events(DatasetId, const CommitRuns& commits) const override {
    std::vector<CatalogEvent> found;
    for (const CatalogEvent& event : catalog) {
      if (contains(commits, event.commit)) found.push_back(event);
    }
    return found;
  }
  const Marks& marks(DatasetId) const override { return marks_; }
  DatasetFace face(DatasetId, CommitNumber) const override { return {"quotes", schema_}; }
  std::optional<DatasetId> holder(std::string_view) const override { return holder_of_name; }
  bool retained(CommitNumber c) const override { return !expired.contains(value_of(c)); }
  bool forgets(CommitNumber c) const override { return c == forgetting; }

  void end(std::uint64_t n, std::uint64_t begin, std::uint64_t first, std::uint64_t count) {
    const MarkRun run{commit(begin), first, count, false};
    marks_.append(commit(n), {run});
  }
  RevertDecision revert(std::uint64_t m, const UniqueCheck& check = {}) const {
    return decide_revert(lineage, *this, commit(m), std::nullopt, check);
  }
  ErrorCode code_of_revert(std::uint64_t m) const {
    try {
      revert(m);
    } catch (const Error& error) {
      return error.code();
    }
    return {};
  }

  Lineage lineage;
  std::set<std::uint64_t> adders;
  std::vector<CatalogEvent> catalog{{commit(1), CatalogEvent::Kind::create}};
  std::set<std::uint64_t> expired;
  CommitNumber forgetting{0};
  std::optional<DatasetId> holder_of_name;
  void policy(Duplicates duplicates) { schema_->duplicates = duplicates; }

 private:
  std::shared_ptr<Schema> schema_ = std::make_shared<Schema>();
  Marks marks_;
};

TEST_CASE("revert: of a commit that is not retained, or across one, is snapshot_expired") {
  Story story(4);
  story.expired = {2};
  CHECK(story.code_of_revert(2) == ErrorCode::snapshot_expired);
  CHECK(story.code_of_revert(3) == ErrorCode::snapshot_expired);
  CHECK_THROWS_AS(decide_rollback(story.lineage, story, commit(2), {}, false), Error);
  CHECK(story.revert(4).accepted());
}

TEST_CASE("revert: of an expire, of no commit, or of one to come is an invalid argument") {
  Story story(4);
  story.forgetting = commit(3);
  CHECK(story.code_of_revert(3) == ErrorCode::invalid_argument);
  CHECK(story.code_of_revert(0) == ErrorCode::invalid_argument);
  CHECK(story.code_of_revert(5) == ErrorCode::invalid_argument);
}

TEST_CASE("revert: what stands against it names the rows and both commits") {
  Story story(4);
  story.adders = {2, 4};
  story.end(3, 2, 4, 3);
  const auto decision = story.revert(2);
  REQUIRE(decision.differences.size() == 1);
  const Difference& difference = decision.differences.front();
  CHECK((difference.rows == RowSet{{4, 3}}));
  CHECK(difference.text() ==
        "3 rows of \"quotes\" begun by commit 2 were changed by commit 2 and again by commit 3");
}

TEST_CASE("revert: a commit that is no longer in effect is said to be so") {
  Story story(2);
  story.adders = {2};
  story.lineage.append_rollback(commit(3), commit(1), {});
  story.lineage.append(commit(4));
  const auto decision = story.revert(2);
  REQUIRE(decision.differences.size() == 1);
  CHECK(decision.differences.front().text() ==
        "10 rows of \"quotes\" begun by commit 2 are not as commit 2 left them: it is no longer in "
        "effect");
}

TEST_CASE("revert: at most so many differences are listed") {
  Story story(kDifferencesMax + 60);
  story.adders = {2};
  for (std::uint64_t n = 3; n < kDifferencesMax + 50; ++n) story.end(n, 2, n % 10, 1);
  CHECK(story.revert(2).differences.size() <= kDifferencesMax);
  CHECK_FALSE(story.revert(2).accepted());
}

TEST_CASE("revert: of a commit that changed nothing touches nothing") {
  const Story story(4);
  CHECK_FALSE(story.revert(3).touched);
  CHECK(story.revert(1).touched);
}

TEST_CASE("revert: rows that come back beside new ones are looked up, or refused") {
  Story story(5);
  story.adders = {2, 4};
  story.end(3, 2, 0, 5);
  story.policy(Duplicates::error);
  CHECK_FALSE(story.revert(3).accepted());
  CHECK(story
            .revert(3,
                    [](DatasetId, const DatasetFace&, const auto& back, const auto& since) {
                      CHECK((back.front().rows == RowSet{{0, 5}}));
                      CHECK(since.front().begin == commit(4));
                      CHECK((since.front().rows == RowSet{{0, 10}}));
                      return std::vector<Difference>{};
                    })
            .accepted());
}

TEST_CASE("rollback: a name held by another dataset is refused, or its holder is replaced") {
  Story story(6);
  story.holder_of_name = kTicks;
  const auto refused = decide_rollback(story.lineage, story, commit(2), kQuotes, false);
  REQUIRE(refused.differences.size() == 1);
  CHECK(refused.differences.front().text() ==
        "the name \"quotes\" is held by another dataset: rename or drop that one first");
  const auto replaced = decide_rollback(story.lineage, story, commit(2), kQuotes, true);
  CHECK(replaced.accepted());
  CHECK(replaced.replaced == std::vector<DatasetId>{kTicks});
}

TEST_CASE("rollback: rows fit a schema whose columns are as wide or wider, or may be null") {
  Schema narrow;
  narrow.columns = {{.name = "a", .type = {TypeKind::int32}, .nullable = true, .id = 1}};
  Schema wide = narrow;
  wide.columns[0].type = {TypeKind::int64};
  Schema more = narrow;
  more.columns.push_back({.name = "b", .type = {TypeKind::int8}, .nullable = false, .id = 2});
  CHECK(rows_fit(narrow, wide));
  CHECK_FALSE(rows_fit(wide, narrow));
  CHECK_FALSE(rows_fit(narrow, more));
  CHECK(rows_fit(more, narrow));
  more.columns[1].nullable = true;
  CHECK(rows_fit(narrow, more));
}

}  // namespace
}  // namespace otolith::history
