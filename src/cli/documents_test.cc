#include "cli/documents.h"

#include <doctest/doctest.h>

#include "test/door.h"

using namespace otolith;
using namespace otolith::cli;
using namespace otolith::test;

namespace {

// A database with a collection of two documents.
struct Notes : World {
  Notes() {
    const Door door{.input = "{\"_id\": \"a\", \"n\": 1}\n{\"_id\": \"b\", \"n\": 2}\n"};
    CHECK(door({"put", db, "notes"}).out == "notes: 2 documents put in commit 1\n");
  }
};

}  // namespace

TEST_CASE("documents: put takes them from arguments and standard input, get shows them") {
  const Notes notes;
  CHECK(command({"put", notes.db, "notes", R"({"_id": "c"})"}).out ==
        "notes: 1 document put in commit 2\n");
  CHECK(command({"put", notes.db, "notes", R"({"_id": "c"})"}).out ==
        "all are there as they are; nothing was changed\n");
  CHECK(command({"get", notes.db, "notes", "a", "c"}).out ==
        "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"c\"}\n");
  const Ran missing = command({"get", notes.db, "notes", "a", "zz", "--json"});
  CHECK(missing.code == kError);
  CHECK(holds(missing.out, "[\n{\"_id\":\"a\",\"n\":1}\n]\n"));
  CHECK(holds(missing.err, "there is no document \"zz\" in \"notes\""));
  const Ran made = command({"put", notes.db, "notes", "{}"});
  CHECK(made.out.size() == std::string("notes: 1 document put in commit 3\n").size() + 37);
  const Ran array = Door{.input = R"([{"_id": "d"}, {"_id": "e"}])"}({"put", notes.db, "notes"});
  CHECK(array.out == "notes: 2 documents put in commit 4\n");
  CHECK(command({"put", notes.db, "notes", R"({"_id": "d"})", "--insert"}).code == kError);
}

TEST_CASE("documents: patch and delete change them, and expect revisions") {
  const Notes notes;
  CHECK(command({"patch", notes.db, "notes", "a", R"({"n": null, "seen": true})"}).out ==
        "notes: 1 document patched in commit 2\n");
  CHECK(command({"get", notes.db, "notes", "a"}).out == "{\"_id\":\"a\",\"seen\":true}\n");
  CHECK(command({"get", notes.db, "notes", "a", "--at", "HEAD~1"}).out ==
        "{\"_id\":\"a\",\"n\":1}\n");
  CHECK(command({"patch", notes.db, "notes", "zz", "{}"}).code == kError);
  CHECK(command({"put", notes.db, "notes", R"({"_id": "a"})", "--if-revision", "none"}).code ==
        kError);
  CHECK(command({"delete", notes.db, "notes", "a", "zz", "--dry-run"}).out ==
        "notes: 1 document would be deleted\n");
  CHECK(command({"delete", notes.db, "notes", "--where", "n = 2"}).out ==
        "notes: 1 document deleted in commit 3; older commits go on showing them\n");
  CHECK(command({"delete", notes.db, "notes", "zz"}).out ==
        "notes: no document is like that; nothing was changed\n");
  CHECK(command({"delete", notes.db, "notes"}).code == kUsage);
  CHECK(command({"delete", notes.db, "notes", "--all"}).code == kUsage);
}

TEST_CASE("documents: verbs that read rows read documents too") {
  const Notes notes;
  CHECK(command({"head", notes.db, "notes", "-n", "1"}).out == "{\"_id\":\"a\",\"n\":1}\n");
  CHECK(command({"tail", notes.db, "notes", "-n", "1"}).out == "{\"_id\":\"b\",\"n\":2}\n");
  CHECK(command({"query", notes.db, "notes", "--where", "n > 1", "--json"}).out ==
        "[\n{\"_id\":\"b\",\"n\":2}\n]\n");
  CHECK(command({"query", notes.db, "notes", "--key", "a=b"}).code == kUsage);
  CHECK(command({"query", notes.db, "notes", "--order", "time", "--ndjson"}).out ==
        command({"query", notes.db, "notes", "--order", "id", "--ndjson"}).out);  // of one commit
  CHECK(command({"query", notes.db, "notes", "--order", "stored"}).code == kUsage);
  CHECK(command({"query", notes.db, "notes", "--csv"}).code == kUsage);
  const std::string path = notes.path("copy.ndjson");
  CHECK(holds(command({"export", notes.db, "notes", path}).out, "2 documents"));
  CHECK(notes.read("copy.ndjson") == "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":2}\n");
  CHECK(command({"delete", notes.db, "notes", "a", "b"}).code == kDone);
  CHECK(holds(command({"import", notes.db, "notes", path}).out, "notes: 2 documents in commit 3"));
  CHECK(command({"get", notes.db, "notes", "b"}).out == "{\"_id\":\"b\",\"n\":2}\n");
  CHECK(command({"import", notes.db, "notes", notes.file("x.csv", "a\n1\n")}).code == kUsage);
}

TEST_CASE("documents: a diff tells those that came, went and changed, by their paths") {
  const Notes notes;
  const Door door{.input = R"([{"_id": "a", "n": 2, "tags": ["x"]}, {"_id": "c"}])"};
  CHECK(door({"put", notes.db, "notes"}).code == kDone);
  CHECK(command({"delete", notes.db, "notes", "b"}).code == kDone);
  CHECK(command({"diff", notes.db, "1", "HEAD", "notes"}).out ==
        "notes: 1 document added, 1 document removed, 1 document changed\n"
        "\n"
        "notes:\n"
        "~ a\n"
        "    n: 1 -> 2\n"
        "    tags added: [\"x\"]\n"
        "- {\"_id\":\"b\",\"n\":2}\n"
        "+ {\"_id\":\"c\"}\n");
  const Ran json = command({"diff", notes.db, "1", "HEAD", "notes", "--ndjson"});
  CHECK(holds(json.out, R"("added": 1, "removed": 1, "changed": 1)"));
  CHECK(holds(json.out, R"({"dataset": "notes", "change": "changed", "id": "a", "paths": )"
                        R"([{"path": "n", "before": 1, "after": 2}, )"
                        R"({"path": "tags", "after": ["x"]}]})"
                        "\n"));
  CHECK(holds(json.out, R"({"dataset": "notes", "change": "added", "document": {"_id":"c"}})"));
  CHECK(command({"diff", notes.db, "1", "HEAD", "notes", "--dataset", "notes"}).code == kUsage);
  CHECK(command({"diff", notes.db, "0", "1", "-n", "1"}).out ==
        "notes: created, 2 documents added\n"
        "\n"
        "notes, the first 1 of each kind:\n"
        "+ {\"_id\":\"a\",\"n\":1}\n");
}

TEST_CASE("documents: a rollback of ids or of times takes those back, and blame tells by paths") {
  const Notes notes;
  const Door door{.input = R"([{"_id": "a", "n": 2, "m": 1}, {"_id": "b", "n": 3}])"};
  CHECK(door({"put", notes.db, "notes", "--author", "ben", "-m", "more"}).code == kDone);
  const std::vector<std::string> back{"rollback", notes.db, "1", "notes", "--id", "b"};
  std::vector<std::string> dry = back;
  dry.emplace_back("--dry-run");
  CHECK(command(dry).out ==
        "it would change:\nnotes: 1 document changed\n\nnotes:\n~ b\n    n: 3 -> 2\n");
  CHECK(holds(command(back).out, "commit 3:\nnotes: 1 document changed\n"));
  CHECK(command({"get", notes.db, "notes", "a", "b"}).out ==
        "{\"_id\":\"a\",\"n\":2,\"m\":1}\n{\"_id\":\"b\",\"n\":2}\n");
  CHECK(holds(command({"rollback", notes.db, "1", "notes", "--from", "2020-01-01"}).out,
              "m removed: 1"));
  CHECK(command({"rollback", notes.db, "1", "--id", "b"}).code == kUsage);
  const Ran blame = command({"blame", notes.db, "notes", "a", "--at", "2", "--csv"});
  CHECK(holds(blame.out, "path,commit,author,time,message,value\nn,2,ben,"));
  CHECK(holds(blame.out, ",more,2\nm,2,ben,"));
  const Ran without_id = command({"blame", notes.db, "notes"});
  CHECK(without_id.code == kUsage);
  CHECK(holds(without_id.err, "name its id, `otolith blame DB notes ID`"));
  CHECK(command({"blame", notes.db, "notes", "a", "--from", "2020-01-01"}).code == kUsage);
  CHECK(command({"blame", notes.db, "notes", "zz"}).code == kError);
}
