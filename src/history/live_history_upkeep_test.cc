// What is durable, as those ask who wait.
#include <doctest/doctest.h>

#include "base/error.h"
#include "history/history_fixture.h"

namespace otolith::history::test {

TEST_CASE("history: the durable head comes behind relaxed commits once they are synced, anywhere") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  CHECK(one->durable_head() == CommitNumber{0});
  one->commit(create_request("a"));
  one->commit(put(kFirst, "x", true));
  one->commit(put(kFirst, "y", true));
  for (History* each : {one.get(), two.get()}) {
    CHECK(each->head()->number() == CommitNumber{3});
    CHECK(each->durable_head() == CommitNumber{1});
  }
  one->sync();
  CHECK(one->durable_head() == CommitNumber{3});
  CHECK(two->durable_head() == CommitNumber{3});
}

}  // namespace otolith::history::test
