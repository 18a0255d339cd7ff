// diff, show, blame, rollback and revert at a command line.
#include <doctest/doctest.h>

#include "test/door.h"

using namespace otolith;
using namespace otolith::cli;
using namespace otolith::test;

TEST_CASE("verbs: a diff sums up and shows rows, and says by its exit code that there is one") {
  const World world;
  world.fill();
  const Ran ran = command({"diff", world.db});
  CHECK(ran.out ==
        "quotes: 1 row added\n"
        "\n"
        "quotes, added:\n"
        "time                  symbol     bid  size\n"
        "2026-01-06T09:30:00Z  AAPL    181.25     7\n");
  CHECK(ran.code == kDone);
  CHECK(command({"diff", world.db, "--exit-code"}).code == kBad);
  CHECK(command({"diff", world.db, "HEAD", "--exit-code"}).code == kDone);
  CHECK(command({"diff", world.db, "HEAD", "--json"}).out == "[]\n");
  CHECK(command({"diff", world.db, "HEAD~1", "HEAD", "--dataset", "quotes", "--ndjson"}).out ==
        R"({"dataset": "quotes", "change": "summary", "before": "quotes", "after": "quotes", )"
        R"("added": 1, "removed": 0, "changed": 0, "schema": {"add": {}, "drop": [], )"
        R"("rename": {}, "widen": {}, "metadata": {}}})"
        "\n"
        R"({"dataset": "quotes", "change": "added", "row": {"time": "2026-01-06T09:30:00Z", )"
        R"("symbol": "AAPL", "bid": 181.25, "size": 7}})"
        "\n");
  CHECK(command({"diff", world.db, "--limit", "0"}).out == "quotes: 1 row added\n");
  CHECK(holds(command({"diff", world.db, "0"}).out, "quotes: created, 3 rows added"));
  CHECK(holds(command({"diff", world.db, "0", "-n", "2"}).out, "added, the first 2 of 3:"));
  CHECK(command({"diff", world.db, "v9"}).code == kError);
  CHECK(holds(command({"diff", world.db, "--dataset", "quote"}).err, "did you mean \"quotes\"?"));
}

TEST_CASE("verbs: show says what a commit changed") {
  const World world;
  world.fill();
  CHECK(holds(command({"show", world.db}).out, "\n\nquotes: 1 row added\n"));
  CHECK(holds(command({"show", world.db, "1"}).out, "quotes: created"));
  CHECK(command({"show", world.db, "0"}).code == kDone);
  CHECK(holds(command({"show", world.db, "--json"}).out,
              R"("diff": [{"dataset": "quotes", "change": "summary")"));
}

TEST_CASE("verbs: a rollback tells what it changed, and a dry run what it would") {
  const World world;
  world.fill();
  const Ran dry = command({"rollback", world.db, "HEAD~1", "--dry-run", "-n", "0"});
  CHECK(dry.out == "it would change:\nquotes: 1 row removed\n");
  CHECK(holds(command({"log", world.db, "-n", "1"}).out, "later"));
  const Ran done = command(
      {"rollback", world.db, "HEAD~1", "quotes", "--author", "cleo", "-m", "back", "-n", "0"});
  CHECK(done.out == "commit 4:\nquotes: 1 row removed\n");
  CHECK(holds(command({"log", world.db, "quotes", "-n", "1"}).out, "cleo    back"));
  CHECK(command({"rollback", world.db, "HEAD"}).out == "all is so already; nothing was changed\n");
  CHECK(command({"revert", world.db, "4", "-n", "0"}).out == "commit 5:\nquotes: 1 row added\n");
  CHECK(command({"revert", world.db, "HEAD", "quotes", "--dry-run", "--limit", "0"}).out ==
        "it would change:\nquotes: 1 row removed\n");
  CHECK(command({"rollback", world.db, "1", "--from", "2026-01-06"}).code == kUsage);
  CHECK(command({"rollback", world.db, "1", "quotes", "--key", "symbol=AAPL", "--to", "2026-01-06",
                 "-n", "0"})
            .out == "commit 6:\nquotes: 1 row removed\n");
  const Ran refused = command({"revert", world.db, "2", "--json"});
  CHECK(refused.code == kError);
  CHECK(holds(refused.out, "\"differences\": [\""));
  CHECK(holds(refused.err, "conflict: commit 2 cannot be undone exactly, and nothing was changed"));
}

TEST_CASE("verbs: blame tells who wrote the rows that are shown") {
  const World world;
  world.fill();
  const Ran ran = command({"blame", world.db, "quotes", "--csv"});
  CHECK(holds(ran.out, "number,time,author,message,rows\n3,"));
  CHECK(holds(ran.out, "Z,ben,later,1\n2,"));
  CHECK(holds(ran.out, "Z,ana,morning,2\n"));
  CHECK_FALSE(holds(command({"blame", world.db, "quotes", "--to", "2026-01-06"}).out, "ben"));
  CHECK_FALSE(holds(command({"blame", world.db, "quotes", "--key", "symbol=MSFT"}).out, "ben"));
}
