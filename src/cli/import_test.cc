#include <doctest/doctest.h>

#include "test/door.h"

using namespace otolith;
using namespace otolith::cli;
using namespace otolith::test;

namespace {

constexpr std::string_view kQuotes =
    "time,symbol,bid,size,open\n"
    "2026-01-05T09:30:00Z,AAPL,180.5,100,true\n"
    "2026-01-05T09:31:00Z,MSFT,410,,false\n"
    "2026-01-05T09:32:00Z,\"A \"\"B\"\", C\",NA,7,TRUE\n";

std::string csv_of(const World& world, const std::string& table = "t") {
  return command({"query", world.db, table, "--csv"}).out;
}

// An import of one CSV text; what it said.
Ran import(const World& world, std::string_view text, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"import", world.db, "t", world.file("in.csv", text)};
  words.insert(words.end(), more.begin(), more.end());
  return command(words);
}

bool is_database(const World& world) { return command({"status", world.db}).code == kDone; }

}  // namespace

TEST_CASE("import: CSV becomes a table of guessed types, shown first") {
  const World world;
  const Ran ran = import(world, kQuotes, {"--key", "symbol"});
  CAPTURE(ran.err);
  REQUIRE(ran.code == kDone);
  CHECK(ran.err ==
        "column  type       note\n"
        "time    timestamp  time\n"
        "symbol  string     key\n"
        "bid     float64\n"
        "size    int64\n"
        "open    bool\n");
  CHECK(holds(ran.out, "t: 3 rows in commit 2"));
  CHECK(csv_of(world) ==
        "time,symbol,bid,size,open\n"
        "2026-01-05T09:30:00Z,AAPL,180.5,100,true\n"
        "2026-01-05T09:31:00Z,MSFT,410.0,,false\n"
        "2026-01-05T09:32:00Z,\"A \"\"B\"\", C\",,7,true\n");
}

TEST_CASE("import: several files, a pattern and standard input are one commit") {
  const World world;
  world.file("a-1.csv", "time,n\n2026-01-01,1\n");
  world.file("a-2.csv", "n,time\n2,2026-01-02\n");  // another order
  world.file("b.csv", "time,n\n2026-01-09,9\n");
  REQUIRE(command({"import", world.db, "t", world.path("a-*.csv")}).code == kDone);
  Door door{.input = "time,n\n2026-01-03,3\n"};
  const Ran ran = door({"import", world.db, "t", world.path("b.csv"), "-", "--json"});
  CAPTURE(ran.err);
  CHECK(ran.code == kDone);
  CHECK(holds(ran.out, "\"rows\": 2"));
  CHECK(holds(ran.out, "\"commit\": 3"));
  CHECK(command({"query", world.db, "t", "--columns", "n", "--csv"}).out == "n\n1\n2\n3\n9\n");
  const Ran none = command({"import", world.db, "t", world.path("c-*.csv")});
  CHECK(none.code == kError);
  CHECK(holds(none.err, "no file matches"));
}

TEST_CASE("import: what is bad is told with file and line, and nothing is imported") {
  struct Bad {
    std::string_view what;
    std::string_view text;
    std::string_view told;
    std::vector<std::string> more{};
  };
  const std::vector<Bad> all{
      {"too many fields", "time,n\n2026-01-01,1\n2026-01-02,2,3\n",
       "in.csv:3: it has 3 fields, not 2"},
      {"too few fields", "time,n\n2026-01-01\n", "in.csv:2: it has 1 field, not 2"},
      {"an open quote", "time,s\n2026-01-01,a\n2026-01-02,\"b\n2026-01-03,c\n",
       "in.csv:3: a quote is left open"},
      {"a stray quote", "time,s\n2026-01-01,a\"b\n", "in.csv:2: a quote stands inside"},
      {"text behind a quote", "time,s\n2026-01-01,\"a\"b\n", "in.csv:2: text stands behind"},
      {"NUL", std::string_view("time,s\n2026-01-01,a\0b\n", 22), "in.csv:2: it holds a NUL byte"},
      {"Latin 1", "time,s\n2026-01-01,caf\xe9\n", "iconv -f LATIN1"},
      {"UTF-16", std::string_view("\xff\xfet\0i\0m\0e\0", 10), "UTF-16"},
      {"an empty file", "", "in.csv is empty"},
      {"empty lines", "\n\n", "empty lines only"},
      {"the header twice", "time,n\n2026-01-01,1\ntime,n\n2026-01-02,2\n",
       "in.csv:3: it is the header again"},
      {"one name twice", "time,n,n\n2026-01-01,1,2\n", "two columns are called \"n\""},
      {"no name", "time,,n\n2026-01-01,1,2\n", "column 2 has no name"},
      {"no header", "2026-01-01,1\n2026-01-02,2\n", "--names A,B,C"},
      {"CR alone", "time,n\r2026-01-01,1\r", "CR alone"},
      {"day or month", "time,n\n01/02/2026,1\n", "--dates day-first"},
      {"numbers for times", "time,n\n1767225600,1\n", "time=timestamp(s)"},
      {"words for times", "time,n\nnoon,1\n", "ISO 8601"},
      {"no time", "a,b\n1,x\n", "--time C"},
      {"several times", "a,b\n2026-01-01,2026-01-02\n", "--time a"},
      {"an unknown time", "time,n\n2026-01-01,1\n", "did you mean \"time\"?", {"--time", "tme"}},
      {"an unknown key",
       "time,symbol\n2026-01-01,a\n",
       "did you mean \"symbol\"?",
       {"--key", "symbl"}},
      {"an unknown column",
       "time,symbol\n2026-01-01,a\n",
       "did you mean \"symbol\"?",
       {"--columns", "time,symbl"}},
      {"a null time", "time,n\n2026-01-01,1\n,2\n", "in.csv:3: column \"time\": \"\" is null"},
      {"a day that is none", "time,n\n2026-01-01,1\n2026-02-30,1\n", "holds string, not times"},
      {"a value of another type",
       "time,n\n2026-01-01,1\n2026-01-02,x\n",
       "in.csv:3: column \"n\": \"x\" is no int32; --type n=string takes it",
       {"--type", "n=int32"}},
      {"beyond a type",
       "time,n\n2026-01-01,1\n2026-01-02,300\n",
       "\"300\" is no int8",
       {"--type", "n=int8"}},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.what);
    const World world;
    const Ran ran = import(world, bad.text, bad.more);
    CHECK(ran.code == kError);
    CHECK(holds(ran.err, bad.told));
    CHECK(ran.out.empty());
    CHECK(!is_database(world));
  }
}

TEST_CASE("import: a value behind the guess that contradicts it is named, with its remedy") {
  const World world;
  std::string text = "time,n\n";
  for (int i = 0; i < 200'000; ++i) text += "2026-01-01T00:00:00Z,7\n";  // more than is guessed by
  text += "2026-01-01T00:00:00Z,1.5\n";
  const Ran ran = import(world, text);
  CHECK(ran.code == kError);
  CHECK(holds(ran.err,
              "in.csv:200002: column \"n\": \"1.5\" is no int64; --type n=float64 takes it"));
  CHECK(!is_database(world));
  CHECK(import(world, text, {"--type", "n=float64", "--quiet"}).code == kDone);
  CHECK(command({"tail", world.db, "t", "-n", "1", "--columns", "n", "--csv"}).out == "n\n1.5\n");
}

TEST_CASE("import: bad lines are left out, or set aside, where that is asked for") {
  const World world;
  const std::string_view text =
      "time,n\n2026-01-01,1\n2026-01-02,two\n2026-01-03,3,3\n2026-01-04,\"4\n2026-01-05,5\n";
  const Ran skipped = import(world, text, {"--on-error", "skip", "--type", "n=int64", "--quiet"});
  CHECK(skipped.code == kDone);
  CHECK(holds(skipped.out, "2 rows, 3 lines left out"));
  CHECK(holds(skipped.err, "in.csv:3: column \"n\""));
  CHECK(csv_of(world) == "time,n\n2026-01-01T00:00:00Z,1\n2026-01-05T00:00:00Z,5\n");
  const std::string folder = world.path("rejected");
  CHECK(import(world, text, {"--on-error", folder, "--quiet"}).code == kDone);
  CHECK(world.read("rejected/in.csv.bad") == "2026-01-02,two\n2026-01-03,3,3\n2026-01-04,\"4\n");
  CHECK(holds(world.read("rejected/in.csv.why"), "in.csv:4: it has 3 fields, not 2\n"));
}

TEST_CASE("import: BOM, CR LF, other separators, times of other forms") {
  const World world;
  CHECK(import(world, "\xef\xbb\xbftime;n\r\n2026-01-01;1\r\n\r\n2026-01-02;\"2\"\r\n").code ==
        kDone);
  CHECK(csv_of(world) == "time,n\n2026-01-01T00:00:00Z,1\n2026-01-02T00:00:00Z,2\n");
  const auto times = [&](std::string_view text, std::vector<std::string> more) {
    const World other;
    more.push_back("--quiet");
    const Ran ran = import(other, text, more);
    CAPTURE(ran.err);
    CHECK(ran.code == kDone);
    return command({"query", other.db, "t", "--columns", "time", "--csv"}).out;
  };
  CHECK(times("time\tn\n31/12/2025 23:59\t1\n", {}) == "time\n2025-12-31T23:59:00Z\n");
  CHECK(times("time|n\n1/2/2026|1\n", {"--dates", "day-first"}) == "time\n2026-02-01T00:00:00Z\n");
  CHECK(times("time|n\n1/2/2026|1\n", {"--dates", "month-first"}) ==
        "time\n2026-01-02T00:00:00Z\n");
  CHECK(times("time,n\n1767225600.25,1\n", {"--type", "time=timestamp(s)"}) ==
        "time\n2026-01-01T00:00:00.250Z\n");
  CHECK(times("time,n\n1767225600250,1\n", {"--type", "time=timestamp(ms)"}) ==
        "time\n2026-01-01T00:00:00.250Z\n");
  CHECK(times("time,n\n2026-01-01 02:00:00.5+02:00,1\n", {}) == "time\n2026-01-01T00:00:00.500Z\n");
  CHECK(times("2026-01-01,1\n", {"--names", "time,n"}) == "time\n2026-01-01T00:00:00Z\n");
}

TEST_CASE("import: what fits the table that is there is appended, and nothing else") {
  const World world;
  REQUIRE(import(world, kQuotes, {"--key", "symbol", "--type", "size=int16"}).code == kDone);
  CHECK(import(world, "time,symbol\n2026-01-06,X\n").code == kDone);  // the rest is null
  CHECK(holds(csv_of(world), "2026-01-06T00:00:00Z,X,,,\n"));
  const Ran unknown = import(world, "time,symbol,bd\n2026-01-06,X,1\n");
  CHECK(unknown.code == kError);
  CHECK(holds(unknown.err, "did you mean \"bid\"?"));
  CHECK(import(world, "time,symbol,more\n2026-01-07,X,1\n", {"--columns", "time,symbol"}).code ==
        kDone);
  CHECK(holds(import(world, "time,bid\n2026-01-06,1\n").err, "no column \"symbol\""));
  CHECK(holds(import(world, "time,symbol,size\n2026-01-06,X,40000\n").err, "is no int16"));
  CHECK(holds(import(world, kQuotes, {"--key", "size"}).err, "conflict"));
  CHECK(holds(import(world, kQuotes, {"--partition", "year"}).err, "new ones only"));
  CHECK(holds(command({"log", world.db, "-n", "1", "--csv"}).out, "t +1"));
}

TEST_CASE("import: what export wrote is read back as it was") {
  const World world;
  world.fill();
  const std::string csv = world.path("q.csv");
  const std::string lines = world.path("q.ndjson");
  const std::string array = world.path("q.json");
  for (const std::string& file : {csv, lines, array}) {
    CAPTURE(file);
    REQUIRE(command({"export", world.db, "quotes", file, "--force"}).code == kDone);
    const World other;
    const Ran ran = command({"import", other.db, "t", file, "--key", "symbol"});
    CAPTURE(ran.err);
    REQUIRE(ran.code == kDone);
    CHECK(csv_of(other) == csv_of(world, "quotes"));
  }
}

TEST_CASE("import: texts that look like nulls, quotes and lines come back from CSV") {
  const World world;
  Database database = Database::open(world.db);
  const Table table =
      database.create_table("t", {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                              {.name = "s", .type = {TypeKind::string}}}});
  std::vector<Row> rows;
  for (const char* text : {"", "NA", "a,b", "\"", "two\nlines", " x", "漢字", "\r", ";", "x\"y"})
    rows.push_back({Value(std::int64_t(rows.size())), Value(std::string(text))});
  rows.push_back({Value(std::int64_t{99}), {}});
  table.append(batch_of(table.schema(), rows));
  database.close();
  const std::string file = world.path("t.csv");
  REQUIRE(command({"export", world.db, "t", file}).code == kDone);
  const World other;
  REQUIRE(command({"import", other.db, "t", file}).code == kDone);
  CHECK(command({"query", other.db, "t", "--ndjson"}).out ==
        command({"query", world.db, "t", "--ndjson"}).out);
}

TEST_CASE("import: JSON lines of flat objects, with what is bad by line") {
  const World world;
  const auto lines = [&](std::string_view text, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"import", world.db, "t", world.file("in.ndjson", text)};
    words.insert(words.end(), more.begin(), more.end());
    return command(words);
  };
  const std::string_view good =
      "{\"time\": \"2026-01-01\", \"n\": 1, \"x\": 1.5, \"s\": \"a\"}\n\n";
  struct Bad {
    std::string_view line, told;
  };
  for (const Bad& bad : std::vector<Bad>{
           {"{\"time\": \"2026-01-02\", \"n\": }", "it is no JSON"},
           {"{\"time\": \"2026-01-02\"", "it is no JSON"},
           {"[1]", "it is no object"},
           {"{\"n\": 2}", "\"time\" is missing"},
           {"{\"time\": null}", "null, and this column is never null"},
           {"{\"time\": \"2026-01-02\", \"n\": {\"a\": 1}}", "column \"n\": it holds an object"},
           {"{\"time\": \"2026-01-02\", \"n\": [1]}", "it holds an array"},
           {"{\"time\": \"2026-01-02\", \"s\": \"caf\xe9\"}", "it is no JSON"},
           {"{\"time\": \"2026-01-02\", \"n\": 1, \"n\": 2}", "\"n\" stands in it twice"},
       }) {
    CAPTURE(bad.line);
    const std::string text = std::string(good) + std::string(bad.line) + "\n" + std::string(good);
    const Ran ran = lines(text, {"--type", "n=int64"});
    CHECK(ran.code == kError);
    CHECK(holds(ran.err, "in.ndjson:3: "));
    CHECK(holds(ran.err, bad.told));
    CHECK(!is_database(world));
  }
  const Ran ran =
      lines(std::string(good) +
            "{\"x\": 2, \"time\": \"2026-01-02T00:00:00Z\", \"n\": null, \"b\": true}\n");
  CAPTURE(ran.err);
  REQUIRE(ran.code == kDone);
  CHECK(csv_of(world) ==
        "time,n,x,s,b\n2026-01-01T00:00:00Z,1,1.5,a,\n2026-01-02T00:00:00Z,,2.0,,true\n");
  const std::string deep = "{\"time\": \"2026-01-03\", \"d\": " + std::string(100'000, '[');
  const Ran nested = lines(deep + "\n", {"--columns", "time"});
  CHECK(holds(nested.err, "it is nested too deeply"));
  CHECK(lines("{\"time\": \"2026-01-03\", \"d\": [{\"a\": [1]}]}\n", {"--columns", "time"}).code ==
        kDone);
  const Ran unknown = lines("{\"time\": \"2026-01-02\", \"nn\": 1}\n");
  CHECK(unknown.code == kError);
  CHECK(holds(unknown.err, "did you mean \"n\"?"));
}

TEST_CASE("import: JSON lines with a field that the first ones lack") {
  const World world;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "{\"time\": \"2026-01-01\", \"n\": 1}\n";
  const std::string file =
      world.file("in.ndjson", text + "{\"time\": \"2026-01-01\", \"late\": 2.5}\n");
  const Ran ran = command({"import", world.db, "t", file, "--quiet"});
  CHECK(ran.code == kError);
  CHECK(holds(ran.err,
              "in.ndjson:100001: column \"late\" is not among those of the first lines; "
              "--type late=TYPE takes it"));
  CHECK(!is_database(world));
  CHECK(command({"import", world.db, "t", file, "--type", "late=float64", "--quiet"}).code ==
        kDone);
  CHECK(
      command({"query", world.db, "t", "--where", "late is not null", "--columns", "late", "--csv"})
          .out == "late\n2.5\n");
}

TEST_CASE("import: a JSON array, whole or not at all") {
  const World world;
  const auto array = [&](std::string_view text) {
    return command({"import", world.db, "t", world.file("in.json", text)});
  };
  CHECK(
      holds(array("[{\"time\": \"2026-01-01\"}, {\"time\": \"2026-01-02\"}").err, "does not end"));
  CHECK(holds(array("{\"time\": \"2026-01-01\"}").err, "--format ndjson"));
  CHECK(holds(array("[{\"time\": \"2026-01-01\"},\n 7]").err, "in.json:2: it is no object"));
  CHECK(!is_database(world));
  CHECK(array("[{\"time\": \"2026-01-01\", \"s\": \"}]\"},\n{\"time\": \"2026-01-02\"}]\n").code ==
        kDone);
  CHECK(csv_of(world) == "time,s\n2026-01-01T00:00:00Z,}]\n2026-01-02T00:00:00Z,\n");
}

TEST_CASE("import: partitions fit the rows, unless they are told") {
  const auto partition = [](int rows, int seconds, std::vector<std::string> more) {
    const World world;
    std::string text = "time,n\n";
    const std::int64_t start = timestamp_parse("2026-01-01").ns;
    for (int i = 0; i < rows; ++i) {
      text += timestamp_format({start + std::int64_t{i} * seconds * 1'000'000'000}) + ",1\n";
    }
    more.push_back("--quiet");
    REQUIRE(import(world, text, more).code == kDone);
    return Database::open(world.db, {.create = false}).table("t").schema()->partition;
  };
  CHECK(partition(30'000, 1, {}) == Partition::day);
  CHECK(partition(30'000, 60, {}) == Partition::month);
  CHECK(partition(300, 86'400, {}) == Partition::year);
  CHECK(partition(3, 1, {"--partition", "hour"}) == Partition::hour);
}

TEST_CASE("import: what is no file is told") {
  const World world;
  for (const std::string& path : {world.path("none.csv"), world.folder.path(), world.path("x/")}) {
    const Ran ran = command({"import", world.db, "t", path, "--format", "csv"});
    CAPTURE(ran.err);
    CHECK(ran.code == kError);
    CHECK(std::ranges::count(ran.err, '\n') == 1);
    CHECK(!is_database(world));
  }
}

TEST_CASE("import: Parquet asks for the wheel's door") {
  const World world;
  const Ran ran = command({"import", world.db, "t", world.file("in.parquet", "PAR1")});
  CHECK(ran.code == kError);
  CHECK(holds(ran.err, "Python package"));
  CHECK(!is_database(world));
}

TEST_CASE("import: progress is drawn on a terminal and goes again; elsewhere there is none") {
  const World world;
  std::string text = "time,n\n";
  const std::int64_t start = timestamp_parse("2026-01-01").ns;
  for (int i = 0; i < 1'500'000; ++i) {
    text += timestamp_format({start + std::int64_t{i / 100} * 1'000'000'000}) + ",7\n";
  }
  world.file("in.csv", text);
  const std::vector<std::string> words{"import", world.db, "t", world.path("in.csv"), "--quiet"};
  CHECK(command(words).err.empty());
  // More than is read at once: every row is there once, in order.
  CHECK(command({"query", world.db, "t", "--csv"}).out == text);
  const Ran back = command({"query", world.db, "t", "--csv", "--reverse", "--columns", "n"});
  CHECK(std::ranges::count(back.out, '\n') == 1'500'001);
  const Ran ran = Door{.err_is_terminal = true}(words);
  CHECK(ran.code == kDone);
  if (!ran.err.empty()) {  // a machine that takes less than 150 ms draws nothing
    CHECK(holds(ran.err, "% of 34.5 MB, "));
    CHECK(ran.err.ends_with("\r\x1b[K"));
  }
}

TEST_CASE("import: a tick that throws stops it, and nothing is imported") {
  const World world;
  world.file("in.csv", kQuotes);
  struct Stopped {};
  CHECK_THROWS_AS(
      run({"import", world.db, "t", world.path("in.csv")}, {.out = [](std::string_view) {},
                                                            .err = [](std::string_view) {},
                                                            .tick = [] { throw Stopped(); }}),
      Stopped);
  CHECK(!is_database(world));
}

TEST_CASE("import: what fails behind the first write takes back rows and table") {
  const World world;
  std::string text = "time,n\n";
  for (int i = 0; i < 300'000; ++i) text += "2026-01-01T00:00:00Z,7\n";
  const std::string file = world.file("in.csv", text + "2026-01-01T00:00:00Z,x\n");
  const Door door{.held_bytes_max = 1 << 20};
  const Ran ran = door({"import", world.db, "t", file, "--quiet"});
  CHECK(ran.code == kError);
  CHECK(holds(ran.err, "in.csv:300002: "));
  CHECK(command({"status", world.db, "--names"}).out.empty());
  CHECK(holds(command({"log", world.db, "--csv"}).out, "import failed"));
  CHECK(door({"import", world.db, "t", world.file("in.csv", text), "--quiet"}).code == kDone);
  CHECK(holds(command({"status", world.db, "t"}).out, "t: 300000 rows"));
  CHECK(door({"import", world.db, "t", world.file("in.csv", text + "2026-01-01,x\n"), "--quiet"})
            .code == kError);
  CHECK(holds(command({"status", world.db, "t"}).out, "t: 300000 rows"));
}

TEST_CASE("import: a name that no table can have makes no database") {
  const World world;
  const Ran ran = command({"import", world.db, "a\tb", world.file("in.csv", kQuotes)});
  CHECK(ran.code == kError);
  CHECK(!is_database(world));
}
