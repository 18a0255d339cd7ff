#include "cli/verbs.h"

#include <doctest/doctest.h>

#include "test/door.h"

using namespace otolith;
using namespace otolith::cli;
using namespace otolith::test;

TEST_CASE("verbs: rows are shown as a table, CSV, JSON lines and a JSON array") {
  const World world;
  world.fill();
  CHECK(command({"head", world.db, "quotes", "-n", "2"}).out ==
        "time                  symbol    bid  size\n"
        "2026-01-05T09:30:00Z  AAPL    180.5   100\n"
        "2026-01-05T09:31:00Z  MSFT    410.0     -\n");
  CHECK(command({"tail", world.db, "quotes", "-n", "2", "--csv", "--columns", "bid,size"}).out ==
        "bid,size\n410.0,\n181.25,7\n");
  CHECK(
      command({"query", world.db, "quotes", "--ndjson", "--key", "symbol=AAPL"}).out ==
      "{\"time\": \"2026-01-05T09:30:00Z\", \"symbol\": \"AAPL\", \"bid\": 180.5, \"size\": 100}\n"
      "{\"time\": \"2026-01-06T09:30:00Z\", \"symbol\": \"AAPL\", \"bid\": 181.25, \"size\": 7}\n");
  CHECK(command({"query", world.db, "quotes", "--from=2026-01-05", "--to", "2026-01-06",
                 "--columns=size", "--json", "--reverse"})
            .out == "[\n{\"size\": null},\n{\"size\": 100}\n]\n");
  CHECK(command({"query", world.db, "quotes", "--at", "HEAD~1", "--columns", "symbol", "--csv"})
            .out == "symbol\nAAPL\nMSFT\n");
  CHECK(command({"query", world.db, "quotes", "--to", "2020-01-01", "--json"}).out == "[]\n");
}

TEST_CASE("verbs: a terminal gets what fits it, with what it would obey written out") {
  const World world;
  world.fill();
  Door door{.width = 36};
  const Ran ran = door({"head", world.db, "quotes", "-n", "1"});
  CHECK(ran.out ==
        "time                  symbol    bid\n"
        "2026-01-05T09:30:00Z  AAPL    180.5\n"
        "not shown, for want of width: size; --columns picks\n");
  door.width = 5;  // tiny
  CHECK(door({"head", world.db, "quotes", "-n", "1"}).out.starts_with("time\n2026…\n"));
  door = {.width = 80, .colour = true};
  CHECK(holds(door({"head", world.db, "quotes"}).out, "\x1b[1mtime"));
  Database database = Database::open(world.db);
  const Table odd =
      database.create_table("odd", {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                                {.name = "s", .type = {TypeKind::string}}}});
  odd.append(test::batch_of(
      odd.schema(), {{test::Value(std::int64_t{0}), test::Value("a\x1b[31m\n\u202ez 漢字")}}));
  database.close();
  CHECK(holds(command({"head", world.db, "odd"}).out, "a\\x1b[31m\\n\\u202ez 漢字"));
}

TEST_CASE("verbs: commits are listed, shown and tagged") {
  const World world;
  world.fill();
  const Ran log = command({"log", world.db});
  CHECK(holds(log.out, "ben     later    quotes +1"));
  CHECK(log.out.find("ben") < log.out.find("ana"));
  CHECK(holds(command({"log", world.db, "--author", "ana", "--ndjson"}).out,
              "\"changes\": {\"quotes\": {\"added\": 2, \"ended\": 0}}"));
  CHECK(holds(command({"log", world.db, "-n", "1", "--json"}).out, "\"number\": 3"));
  CHECK(command({"tag", world.db, "open", "HEAD~1"}).out == "\"open\" is commit 2\n");
  CHECK(holds(command({"tag", world.db}).out, "open       2"));
  const Ran shown = command({"show", world.db, "open"});
  CHECK(holds(shown.out, "commit 2\n"));
  CHECK(holds(shown.out, "author    ana\n"));
  CHECK(holds(shown.out, "tags      open\n"));
  CHECK(holds(command({"show", world.db, "--json"}).out, "\"message\": \"later\""));
  CHECK(command({"untag", world.db, "open"}).code == kDone);
  CHECK(command({"show", world.db, "open"}).code == kError);
}

TEST_CASE("verbs: care tells of tables, columns and damage") {
  const World world;
  world.fill();
  CHECK(holds(command({"status", world.db}).out, "quotes      3"));
  CHECK(command({"status", world.db, "--names"}).out == "quotes\n");
  const Ran columns = command({"status", world.db, "quotes"});
  CHECK(holds(columns.out, "symbol  string     key 1  never    hot"));
  CHECK(holds(columns.out, "3 rows, 2026-01-05T09:30:00Z to 2026-01-06T09:30:00Z"));
  CHECK(holds(command({"status", world.db, "--json"}).out, "\"rows\": 3"));
  CHECK(holds(command({"verify", world.db}).out, "all is sound"));
  std::string log = world.read("market.oto/log/00000001.log");
  log[600] = static_cast<char>(log[600] ^ 1);
  world.file("market.oto/log/00000001.log", log);
  const Ran damaged = command({"verify", world.db, "--json"});
  CHECK(damaged.code == kBad);
  CHECK(holds(damaged.out, "\"code\": \"corrupt\""));
}

TEST_CASE("verbs: a file that is exported appears whole or not at all") {
  const World world;
  world.fill();
  const std::string csv = world.path("q.csv");
  CHECK(command({"export", world.db, "quotes", csv}).code == kDone);
  CHECK(world.read("q.csv") ==
        "time,symbol,bid,size\n"
        "2026-01-05T09:30:00Z,AAPL,180.5,100\n"
        "2026-01-05T09:31:00Z,MSFT,410.0,\n"
        "2026-01-06T09:30:00Z,AAPL,181.25,7\n");
  CHECK(command({"export", world.db, "quotes", world.path("q.tsv"), "--limit", "1"}).code == kDone);
  CHECK(holds(world.read("q.tsv"), "time\tsymbol\tbid\tsize\n"));
  const Ran again = command({"export", world.db, "quotes", csv});
  CHECK(again.code == kError);
  CHECK(holds(again.err, "--force"));
  CHECK(command({"export", world.db, "quotes", csv, "--force", "--limit", "1"}).code == kDone);
  CHECK(
      command({"export", world.db, "quotes", "-", "--format", "ndjson", "--columns", "bid"}).out ==
      "{\"bid\": 180.5}\n{\"bid\": 410.0}\n{\"bid\": 181.25}\n");
  CHECK(command({"export", world.db, "quotes", world.path("no/q.csv")}).code == kError);
  CHECK(holds(command({"export", world.db, "quotes", "q.parquet"}).err, "Python package"));
  CHECK(holds(command({"export", world.db, "quotes", "q.csv.gz"}).err, "pipe"));
  CHECK(holds(command({"export", world.db, "quotes", "q"}).err, "--format"));
}

TEST_CASE("verbs: NaN is told to JSON as it is asked") {
  const World world;
  Database database = Database::open(world.db);
  const Table table =
      database.create_table("t", {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                              {.name = "x", .type = {TypeKind::float64}}}});
  table.append(test::batch_of(table.schema(),
                              {{test::Value(std::int64_t{0}), test::Value(__builtin_nan(""))}}));
  database.close();
  const Ran refused = command({"head", world.db, "t", "--columns", "x", "--ndjson"});
  CHECK(refused.code == kError);
  CHECK(holds(refused.err, "\"x\""));
  CHECK(command({"head", world.db, "t", "--columns", "x", "--ndjson", "--nan", "null"}).out ==
        "{\"x\": null}\n");
  CHECK(command({"head", world.db, "t", "--columns", "x", "--ndjson", "--nan", "text"}).out ==
        "{\"x\": \"nan\"}\n");
  CHECK(command({"head", world.db, "t", "--columns", "x", "--csv"}).out == "x\nnan\n");
}

TEST_CASE("verbs: what is misspelt is told with its nearest, and exit code 2 or 3") {
  const World world;
  world.fill();
  struct Wrong {
    std::vector<std::string> words;
    int code;
    std::string_view told;
  };
  const std::vector<Wrong> wrongs{
      {{}, kUsage, "otolith --help"},
      {{"haed", world.db}, kUsage, "did you mean \"head\"?"},
      {{"--verison"}, kUsage, "did you mean \"--version\"?"},
      {{"head"}, kUsage, "DB is missing"},
      {{"head", world.db}, kUsage, "DATASET is missing"},
      {{"head", world.db, "quotes", "more"}, kUsage, "one word too many"},
      {{"head", world.db, "quotes", "--limt", "3"}, kUsage, "did you mean \"--limit\"?"},
      {{"head", world.db, "quotes", "-n", "three"}, kUsage, "whole number"},
      {{"head", world.db, "quotes", "-n"}, kUsage, "needs N"},
      {{"head", world.db, "quotes", "-n", "1", "-n", "2"}, kUsage, "given twice"},
      {{"head", world.db, "quotes", "--json", "--csv"}, kUsage, "exclude each other"},
      {{"head", world.db, "quotes", "--nan", "nul"}, kUsage, "did you mean \"null\"?"},
      {{"head", world.db, "quotes", "--json=1"}, kUsage, "takes no value"},
      {{"query", world.db, "quotes", "--from", "noon"}, kUsage, "ISO 8601"},
      {{"query", world.db, "quotes", "--key", "AAPL"}, kUsage, "COLUMN=VALUE"},
      {{"query", world.db, "quote"}, kError, "did you mean \"quotes\"?"},
      {{"query", world.db, "quotes", "--columns", "bd"}, kError, "did you mean \"bid\"?"},
      {{"query", world.db, "quotes", "--key", "symbl=A"}, kError, "did you mean \"symbol\"?"},
      {{"query", world.db, "quotes", "--at", "HEAD~9"}, kError, "not_found"},
      {{"head", world.path("none.oto"), "quotes"}, kError, "not_found"},
      {{"completion", "csh"}, kUsage, "bash, zsh or fish"},
      {{"help", "haed"}, kUsage, "there is no verb"},
  };
  for (const Wrong& wrong : wrongs) {
    const Ran ran = command(wrong.words);
    CAPTURE(ran.err);
    CHECK(ran.code == wrong.code);
    CHECK(holds(ran.err, wrong.told));
    CHECK(std::ranges::count(ran.err, '\n') == 1);
    CHECK(ran.out.empty());
  }
}

TEST_CASE("verbs: each has an example and says what it takes") {
  for (const Verb& verb : verbs()) {
    CAPTURE(verb.name);
    CHECK(!verb.examples.empty());
    CHECK(!verb.summary.ends_with('.'));
    const Ran ran = command({std::string(verb.name), "--help"});
    CHECK(ran.code == kDone);
    for (const Option& option : verb.options) CHECK(holds(ran.out, option.name));
    CHECK(command({"help", std::string(verb.name)}).out == ran.out);
    CHECK(holds(command({"--help"}).out, verb.summary));
    CHECK(holds(command({"man"}).out, ".SS " + std::string(verb.name) + "\n"));
    for (const char* shell : {"bash", "zsh", "fish"}) {
      CHECK(holds(command({"completion", shell}).out, verb.name));
    }
    for (const Example& example : verb.examples) {
      CHECK(example.command.starts_with(verb.name));
    }
  }
}

TEST_CASE("verbs: names that begin with dashes stand behind --") {
  const World world;
  world.fill();
  Database database = Database::open(world.db);
  database.rename("quotes", "--q");
  database.close();
  CHECK(command({"head", world.db, "--", "--q"}).code == kDone);
  CHECK(command({"head", world.db, "--q"}).code == kUsage);
}

TEST_CASE("verbs: init makes a database, and leaves one that is there") {
  const World world;
  CHECK(holds(command({"init", world.db}).out, "made"));
  CHECK(holds(command({"init", world.db}).out, "already"));
  world.file("notes.txt", "x");
  CHECK(command({"init", world.folder.path()}).code == kError);
  CHECK(world.read("notes.txt") == "x");
}

TEST_CASE("verbs: conditions choose rows to read, export and delete") {
  const World world;
  world.fill();
  const std::string where = "bid > 181 and symbol = 'AAPL'";
  CHECK(command({"query", world.db, "quotes", "--where", where, "--columns", "bid", "--csv"}).out ==
        "bid\n181.25\n");
  CHECK(command(
            {"head", world.db, "quotes", "--where", "size is null", "--columns", "symbol", "--csv"})
            .out == "symbol\nMSFT\n");
  CHECK(command({"export", world.db, "quotes", "-", "--where", where, "--columns", "size"}).out ==
        "size\n7\n");
  const Ran wrong = command({"query", world.db, "quotes", "--where", "bd > 1"});
  CHECK(wrong.code == kError);
  CHECK(holds(wrong.err, "did you mean \"bid\"?"));
  CHECK(command({"delete", world.db, "quotes"}).code == kUsage);
  CHECK(holds(command({"delete", world.db, "quotes", "--where", where, "--dry-run"}).out,
              "1 row would be deleted"));
  CHECK(holds(command({"delete", world.db, "quotes", "--where", where, "-m", "odd"}).out,
              "1 row deleted in commit 4"));
  CHECK(
      holds(command({"delete", world.db, "quotes", "--where", where}).out, "nothing was changed"));
  CHECK(holds(command({"status", world.db}).out, "quotes      2"));
  CHECK(holds(command({"log", world.db, "-n", "1"}).out, "odd"));
  CHECK(command({"delete", world.db, "quotes", "--all"}).code == kDone);
  CHECK(command({"query", world.db, "quotes", "--ndjson"}).out.empty());
}

TEST_CASE("verbs: a series is drawn in the terminal and as SVG") {
  const World world;
  world.fill();
  const Ran drawn = Door{.width = 40}({"plot", world.db, "quotes", "bid", "--height", "2"});
  CHECK(drawn.out ==
        "bid, 3 values\n"
        "       410 ⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
        "     180.5 ⡇⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⢀\n"
        "           2026-01-05T09:30:00Z\n"
        "           2026-01-06T09:30:00Z\n");
  const std::string svg = world.path("bid.svg");
  CHECK(command({"plot", world.db, "quotes", "bid", "size", "-o", svg}).code == kDone);
  CHECK(holds(world.read("bid.svg"), "<path d=\"M80.0,"));
  CHECK(holds(command({"plot", world.db, "quotes", "symbol"}).err, "only numbers"));
  CHECK(holds(command({"plot", world.db, "quotes", "bd"}).err, "did you mean \"bid\"?"));
  CHECK(holds(command({"plot", world.db, "quotes", "bid", "-o", "a.png"}).err, "Python package"));
  CHECK(command({"plot", world.db, "quotes", "bid", "--from", "2027-01-01"}).code == kBad);
}

TEST_CASE("verbs: bench leaves nothing behind") {
  const World world;
  const Ran ran = command({"bench", world.folder.path(), "--rows", "1000", "--csv"});
  CAPTURE(ran.err);
  CHECK(ran.code == kDone);
  CHECK(std::ranges::count(ran.out, '\n') == 6);
  CHECK(std::filesystem::is_empty(world.folder.path()));
}

TEST_CASE("verbs: verify --history hashes the rows of every commit again") {
  const World world;
  world.fill();
  const Ran ran = command({"verify", world.db, "--history"});
  CHECK(ran.code == kDone);
  CHECK(holds(ran.out, "all is sound\nthe rows of 2 commits hashed again\n"));
  CHECK(holds(command({"verify", world.db, "--history", "--json"}).out, R"("commits": 2)"));
  CHECK_FALSE(holds(command({"verify", world.db}).out, "hashed again"));
}
