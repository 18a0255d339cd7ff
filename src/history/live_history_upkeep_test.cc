// What is durable, and which segments nobody needs: asked by those who wait and those who sweep.
#include <doctest/doctest.h>

#include "base/error.h"
#include "history/history_fixture.h"

namespace otolith::history::test {

TEST_CASE("history: only segments that no record names are unneeded, whoever wrote the record") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  one->commit(create_request("a"));
  CHECK(two->head()->number() == CommitNumber{1});
  one->commit(request_of({segment_of(kFirst, 11)}));
  one->commit(request_of({segment_of(kFirst, 12)}, true));  // visible, and not durable
  one->commit(put(kFirst, "x"));
  Sealed sealed;
  CHECK(seal_all(*one, 13, sealed));
  // Whatever a handle has read before: it is asked under the lock, caught up.
  CHECK(two->unneeded({id_of(13), id_of(14), id_of(12), id_of(11)}) == std::vector{id_of(14)});
  CHECK(one->unneeded({id_of(11), id_of(12), id_of(13)}).empty());
  CHECK(one->head()->number() == CommitNumber{4});  // no record is written
}

TEST_CASE("history: a rolled-back commit still needs its segment") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}));
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(history->unneeded({id_of(11)}).empty());
}

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
