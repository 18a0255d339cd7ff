// Small counter-examples: each broke an earlier form of the rules, and stands here under its name.
// Brute force, the model and the production classes go through each of them side by side.
#include <doctest/doctest.h>

#include "test/model/judge.h"
#include "test/model/replay.h"

namespace otolith::lineage_model {
namespace {

constexpr int kA = 0;
constexpr int kB = 1;

// One dataset, made by its first write; every step is checked against brute force as well.
class Story {
 public:
  explicit Story(Policy policy = Policy::collection) : policy_(policy) {}

  Commit put(int key, int time = 0) {
    return edit(policy_ == Policy::collection ? Edit::Kind::put : Edit::Kind::append, key, time);
  }
  Commit remove(int key) { return edit(Edit::Kind::remove, key, 0); }
  Commit drop() { return edit(Edit::Kind::drop, 0, 0); }
  Commit alter(Edit::Kind kind) { return edit(kind, 0, 0); }
  bool rollback(Commit to, bool alone = false) {
    Operation operation = on(Operation::Kind::rollback, to);
    if (!alone) operation.dataset.reset();
    return commit(operation);
  }
  bool rollback_scope(Commit to, int key, int time_first = 0, int time_last = 9) {
    Operation operation = on(Operation::Kind::scope_rollback, to);
    if (key >= 0) operation.scope.key = key;
    operation.scope.time_first = time_first;
    operation.scope.time_last = time_last;
    return commit(operation);
  }
  bool revert(Commit m) {
    Operation operation = on(Operation::Kind::revert, m);
    operation.dataset.reset();
    return commit(operation);
  }
  // The keys that the newest state shows; none without the dataset.
  std::vector<int> keys() const {
    std::vector<int> keys;
    const SeenState seen = model_.seen(model_.head());
    if (!seen.contains(dataset_)) return keys;
    for (const auto& [stamp, row] : seen.at(dataset_).rows) keys.push_back(row.key);
    return keys;
  }
  bool exists() const { return model_.seen(model_.head()).contains(dataset_); }
  bool same(Commit a, Commit b) const { return model_.seen(a) == model_.seen(b); }
  Commit head() const { return model_.head(); }

 private:
  static Operation on(Operation::Kind kind, Commit target) {
    Operation operation;
    operation.kind = kind;
    operation.target = target;
    operation.dataset = Dataset{1, 0};
    return operation;
  }
  Commit edit(Edit::Kind kind, int key, int time) {
    Operation operation;
    Edit made;
    made.kind = Edit::Kind::create;
    made.dataset = dataset_;
    made.policy = policy_;
    made.stamp = ++stamp_;
    if (head() == 0) operation.edits.push_back(made);
    made.kind = kind;
    made.key = key;
    made.time = time;
    made.stamp = ++stamp_;
    made.scope = {.key = key, .time_first = 0, .time_last = 9};
    operation.edits.push_back(made);
    CHECK(commit(operation));
    return head();
  }
  bool commit(const Operation& operation) {
    const Commit before = head();
    const bool accepts = production_.accepts(operation);
    const auto differs = step(operation, truth_, model_, tally_);
    REQUIRE_MESSAGE(!differs, differs.value_or(""));
    const bool accepted = head() > before;
    REQUIRE(accepts == accepted);
    if (accepted) production_.follow(operation);
    REQUIRE(production_.compare() == "");
    return accepted;
  }

  Policy policy_;
  Dataset dataset_{1, 0};
  Stamp stamp_ = 0;
  Truth truth_;
  Model model_;
  Replay production_{model_};
  Tally tally_;
};

using Keys = std::vector<int>;

TEST_CASE("lineage examples: put b; revert 1; revert 2 shows b again") {
  Story story;
  story.put(kB);
  CHECK(story.revert(1));
  CHECK(story.keys().empty());
  CHECK(story.revert(2));
  CHECK(story.keys() == Keys{kB});
}

TEST_CASE("lineage examples: put b; rollback 0; revert 2 shows b again") {
  Story story;
  story.put(kB);
  CHECK(story.rollback(0));
  CHECK(story.revert(2));
  CHECK(story.keys() == Keys{kB});
}

TEST_CASE("lineage examples: put b; delete b; put b; revert 2 is a conflict") {
  Story story;
  story.put(kB);
  story.remove(kB);
  story.put(kB);
  CHECK_FALSE(story.revert(2));
}

TEST_CASE("lineage examples: a time scope of a collection never leaves two documents of one id") {
  Story story;
  story.put(kB, 1);
  story.put(kB, 5);
  CHECK(story.rollback_scope(1, -1, 0, 2));  // only the old document lies inside
  CHECK(story.keys() == Keys{kB});
}

TEST_CASE(
    "lineage examples: a thousand alternating undos and redos return to the same two states") {
  Story story;
  story.put(kA);
  story.put(kB);
  for (int i = 0; i < 1000; ++i) CHECK(story.revert(story.head()));
  CHECK(story.same(story.head(), 2));
  CHECK(story.same(story.head() - 1, 1));
}

TEST_CASE("lineage examples: undo and redo go on with other commits between them") {
  Story story(Policy::keep);
  story.put(kA);
  Commit last = story.put(kB);
  for (int i = 0; i < 30; ++i) {
    story.put(2);
    CHECK(story.revert(last));
    last = story.head();
  }
  CHECK(story.keys().size() == 32);
}

TEST_CASE("lineage examples: an id revived by a scope since stands against its successor") {
  Story story;
  story.put(kB);
  story.put(kB);
  story.remove(kB);
  CHECK(story.rollback_scope(1, kB));  // revives the first document; no row is begun
  CHECK_FALSE(story.revert(3));        // would bring the second one back
  CHECK(story.keys() == Keys{kB});
}

TEST_CASE("lineage examples: an append cannot be reverted in a dataset dropped since") {
  Story story(Policy::keep);
  story.put(kA);
  story.put(kB);
  story.drop();
  CHECK_FALSE(story.revert(2));
  CHECK(story.revert(3));
  CHECK(story.revert(2));
  CHECK(story.keys() == Keys{kA});
}

TEST_CASE("lineage examples: a row ended since is a use of its dataset") {
  Story story(Policy::keep);
  story.put(kA);
  story.drop();
  CHECK(story.revert(2));
  story.remove(kA);
  CHECK_FALSE(story.revert(3));  // would drop it again, but it is not as commit 3 left it
  CHECK(story.revert(4));
  CHECK(story.revert(3));
  CHECK_FALSE(story.exists());
}

TEST_CASE("lineage examples: a column with values written since cannot be reverted") {
  Story story(Policy::keep);
  story.put(kA);
  story.alter(Edit::Kind::add_column);
  story.put(kB);
  CHECK_FALSE(story.revert(2));
  CHECK(story.revert(3));
  CHECK(story.revert(2));
}

TEST_CASE("lineage examples: rows written in a wider type do not return under the narrow one") {
  Story story(Policy::keep);
  story.put(kA);
  story.alter(Edit::Kind::widen);
  story.put(kB);
  CHECK(story.revert(3));
  CHECK(story.revert(2));
  CHECK_FALSE(story.revert(4));
}

TEST_CASE("lineage examples: rows shown again by a rollback count as coming since") {
  Story story(Policy::keep);
  story.put(kA);
  story.alter(Edit::Kind::add_column);
  story.put(kB);
  story.remove(kB);
  story.alter(Edit::Kind::drop_column);
  CHECK(story.revert(5));
  CHECK(story.rollback(3));
  CHECK_FALSE(story.revert(6));  // would hide what b holds in the column
}

TEST_CASE("lineage examples: a rollback and a revert of the dataset alone leave its own lineage") {
  Story story(Policy::keep);
  story.put(kA);
  story.put(kB);
  CHECK(story.rollback(1, true));
  CHECK(story.keys() == Keys{kA});
  story.put(2);
  CHECK(story.revert(3));
  CHECK(story.keys() == Keys{kA, kB, 2});
}

}  // namespace
}  // namespace otolith::lineage_model
