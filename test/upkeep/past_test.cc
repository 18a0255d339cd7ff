// Present and past: what HEAD shows stands apart from what it does not, no answer changes, and a
// newer state reads none of the past until a rollback or a revert reaches it.
#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/posix.h"
#include "io/sim_disk.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

using Texts = std::vector<std::string>;

// Every commit gets a segment, and files go as soon as nobody names them.
history::HistoryOptions at_once() {
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 0;
  sizes.sweep_after_ns = 0;
  return sizes;
}

Batch rows_of(const Table& table, double value, std::int64_t count = 20) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i)
    rows.push_back({i, std::string(1, static_cast<char>('a' + i % 3)), value, kNull});
  return batch_of(table.schema(), rows);
}

void replace_all(const Table& table, double value) { table.replace({}, rows_of(table, value)); }

Document document(int id, int revision) {
  return Document::from_json(fmt::format(R"({{"_id": "d{:03}", "n": {}, "text": "revision {}"}})",
                                         id, revision, revision));
}

void put_all(const Collection& collection, int revision, int count = 20) {
  std::vector<Document> documents;
  for (int i = 0; i < count; ++i) documents.push_back(document(i, revision));
  collection.put(documents);
}

std::string documents_of(const Collection& collection) {
  std::string out;
  DocumentStream stream = collection.find();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) {
      out += entry.revision + " " + entry.document.json() + "\n";
      REQUIRE(collection.get(entry.document.id()) == entry.document);
    }
  }
  return out;
}

std::string all_of(const Snapshot& at) {
  std::string out;
  for (const std::string& name : at.datasets()) {
    const bool documents = at.kind(name) == DatasetKind::collection;
    out += name + "\n" +
           (documents ? documents_of(at.collection(name)) : text_of(at.table(name).read()));
  }
  return out;
}

// What each commit shows, by digest and by reading.
struct Shown {
  std::vector<std::map<std::string, model::StateDigest>> digests;
  std::vector<std::string> texts;
  bool operator==(const Shown&) const = default;
};

Shown shown(const Database& db, std::uint64_t until) {
  Shown out;
  for (std::uint64_t n = 0; n <= until; ++n) {
    out.digests.push_back(db::Door::digests(db, CommitNumber{n}));
    out.texts.push_back(all_of(db.at(CommitNumber{n})));
  }
  return out;
}

Shown shown(const Database& db) { return shown(db, value_of(db.head().number)); }

void check_sound(const Database& db) {
  for (const Problem& problem : db.verify().problems) FAIL_CHECK(problem.what);
}

std::vector<std::pair<std::uint64_t, std::string>> files_by_size(io::Vfs& vfs) {
  std::vector<std::pair<std::uint64_t, std::string>> out;
  for (const std::string& folder : vfs.list("segments")) {
    for (const std::string& name : vfs.list("segments/" + folder)) {
      const std::string path = "segments/" + folder + "/" + name;
      out.emplace_back(vfs.stat(path)->size, path);
    }
  }
  std::ranges::sort(out);
  return out;
}

bool readable(const Database& db, std::string_view at) {
  try {
    (void)all_of(db.at(at));
    return true;
  } catch (const Error& error) {
    REQUIRE(error.code() == ErrorCode::corrupt);
    return false;
  }
}

}  // namespace

TEST_CASE("past: HEAD reads open no past segments unless a rollback reaches them") {
  for (const bool documents : {false, true}) {
    CAPTURE(documents);
    io::SimDisk disk;
    const auto vfs = disk.attach();
    auto open = [&, n = 1u]() mutable {
      return db::Door::open(disk.attach(), io::simulated_environment(n++), {}, at_once());
    };
    {
      Database db = open();
      if (!documents) db.create_table("t", sensors());
      if (documents) put_all(db.collection("t"), 0);
      for (int i = documents ? 1 : 0; i < 32; ++i)
        documents ? put_all(db.collection("t"), i) : replace_all(db.table("t"), i);
      const CompactReport done = db.compact();
      CHECK(done.present_segments == 1);
      CHECK(done.present_rows == 20);
      CHECK(done.past_segments == 1);
      CHECK(done.past_rows == 620);
      db.compact();  // sweeps
    }
    const auto files = files_by_size(*vfs);
    REQUIRE(files.size() == 2);
    vfs->remove(files.back().second);  // the past: whoever opens it fails
    Database db = open();
    CHECK(readable(db, "HEAD"));
    CHECK_FALSE(readable(db, "10"));
    documents ? put_all(db.collection("t"), 99, 3) : replace_all(db.table("t"), 99);
    CHECK(readable(db, "HEAD"));
    db.rollback("10");
    CHECK_FALSE(readable(db, "HEAD"));
    db.rollback("HEAD~1");
    CHECK(readable(db, "HEAD"));
    const char* const last = documents ? "32" : "33";
    db.rollback(last);
    db.revert(last);  // brings back what it ended
    CHECK_FALSE(readable(db, "HEAD"));
  }
}

TEST_CASE("past: rollbacks, reverts and their reverts read the same over compacts as without any") {
  const auto undone = [](bool compacts) {
    Database db = db::Door::open(":memory:", {}, at_once());
    const auto compact = [&] {
      if (!compacts) return;
      const Shown before = shown(db);
      db.compact();
      CHECK(shown(db) == before);
    };
    const Table t = db.create_table("t", sensors());
    replace_all(t, 2);
    replace_all(t, 3);
    put_all(db.collection("c"), 4);
    put_all(db.collection("c"), 5);
    compact();
    db.revert("3");
    compact();
    db.revert("5");
    db.revert("HEAD~1");
    compact();
    db.rollback("2", {.dataset = "t"});
    put_all(db.collection("c"), 6, 7);
    compact();
    db.rollback("4", {.dataset = "t", .start = Timestamp{3}, .stop = Timestamp{9}});
    compact();
    check_sound(db);
    return shown(db);
  };
  const Shown with = undone(true);
  const Shown without = undone(false);
  REQUIRE(with.texts.size() == without.texts.size());
  for (std::size_t n = 0; n < with.texts.size(); ++n) {
    CAPTURE(n);
    CHECK(with.texts[n] == without.texts[n]);
  }
}

TEST_CASE("past: all revisions of a document are told, wherever they stand") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Collection c = db.collection("c");
  for (int i = 1; i <= 16; ++i) put_all(c, i);
  const auto revisions = [&] {
    std::vector<std::string> out;
    for (const DocumentRevision& each : c.revisions("d003")) out.push_back(each.revision);
    return out;
  };
  const auto before = revisions();
  REQUIRE(before.size() == 16);
  CHECK(db.compact().past_rows == 300);
  CHECK(revisions() == before);
  CHECK(db.status().datasets.at("c").segments == 2);
}

TEST_CASE("past: a segment is written anew for its past alone, where that is an eighth of it") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Table t = db.create_table("t", sensors());
  t.append(rows_of(t, 1, 1000));
  t.remove({.stop = Timestamp{124}});
  CHECK(db.compact().joined_segments == 0);
  t.remove({.stop = Timestamp{125}});
  CompactReport done = db.compact();
  CHECK(done.joined_segments == 1);
  CHECK(done.present_rows == 875);
  CHECK(done.past_rows == 125);
  CHECK(db.compact().joined_segments == 0);
  // A present one likewise.
  t.remove({.stop = Timestamp{235}});
  done = db.compact();
  CHECK(done.present_rows == 765);
  CHECK(done.past_rows == 110 + 235);  // its own, and those joined with what was past before
  CHECK(db.status().datasets.at("t").segments == 2);
  // One that is wholly hidden stays: nobody opens it.
  const Table other = db.create_table("other", sensors());
  other.append(rows_of(other, 1, 1000));
  other.remove({.all = true});
  CHECK(db.compact().joined_segments == 0);
  check_sound(db);
}

TEST_CASE("past: what is past is not written again with what is present") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 0; i < 64; ++i) replace_all(t, i);
  CHECK(db.compact().past_rows == 1260);
  replace_all(t, 64);  // small beside all that is past
  const CompactReport done = db.compact();
  CHECK(done.joined_rows == 40);
  CHECK(done.past_rows == 20);
}

TEST_CASE("past: what a recorder ends it does not read in a present segment") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 1; i <= 4; ++i) replace_all(t, i);
  REQUIRE(db.compact().present_rows == 20);
  Recorder recorder = db.recorder();
  recorder.remove("t", {.stop = Timestamp{5}});
  CHECK(recorder.table("t").rows() == 15);
  CHECK(recorder.table("t").read().rows() == 15);
}

TEST_CASE("past: what a rollback brought back to the present is written anew, once") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 2; i <= 9; ++i) replace_all(t, i);
  CHECK(db.compact().past_rows == 140);
  db.rollback("4");
  const Shown before = shown(db);
  const CompactReport done = db.compact();
  CHECK(done.joined_segments == 1);  // what was present is past as it is
  CHECK(done.present_rows == 20);
  CHECK(shown(db) == before);
  CHECK(db.compact().joined_segments == 0);
  CHECK(db.status().datasets.at("t").rows == 20);
}

TEST_CASE("past: what undoing left as it was is neither written again nor asked row by row") {
  io::SimDisk disk;
  const auto vfs = disk.attach();
  auto open = [&, n = 1u]() mutable {
    return db::Door::open(disk.attach(), io::simulated_environment(n++), {}, at_once());
  };
  {
    Database db = open();
    const Collection c = db.collection("c");
    std::vector<std::string> ids;
    for (int i = 0; i < 300; ++i) ids.push_back(document(i, 0).id());
    for (int revision = 0; revision < 5; ++revision) {
      for (int i = 0; i < 300; ++i) c.put(document(i, revision));
    }
    db.compact();
    const std::uint64_t all = db.status().datasets.at("c").segments;
    CHECK(db::Door::standing(db, "c") == all);
    // One document has few marks, which tell by themselves.
    c.remove("d007");
    CHECK(db::Door::standing(db, "c") == all - 1);
    db.rollback("HEAD~1", {.dataset = "c", .ids = Texts{"d007"}});
    CHECK(db::Door::standing(db, "c") == all);
    CHECK(db.compact().joined_segments == 0);
    // All of them, each begun by a commit of its own, have too many to look at.
    const auto files = files_by_size(*vfs);
    c.remove(ids);
    db.rollback("HEAD~1", {.dataset = "c", .ids = ids});
    CHECK(db::Door::standing(db, "c") < all);
    const auto some = [&] {
      return all_of(db.at("HEAD")) + all_of(db.at("HEAD~1")) + all_of(db.at("700"));
    };
    const std::string before = some();
    CHECK(db.compact().joined_segments == 0);
    CHECK(db::Door::standing(db, "c") == all);
    CHECK(files_by_size(*vfs) == files);
    CHECK(some() == before);
    const std::uint64_t log_bytes = db.status().log_bytes;
    CHECK(db.compact().joined_segments == 0);
    CHECK(db.status().log_bytes == log_bytes);  // nothing is said twice
    // Rows of the past came back, all of them, and went again.
    db.rollback("700", {.dataset = "c", .ids = ids});
    db.rollback("HEAD~1", {.dataset = "c", .ids = ids});
    CHECK(db::Door::standing(db, "c") < all);
    CHECK(db.compact().joined_segments == 0);
    CHECK(db::Door::standing(db, "c") == all);
    check_sound(db);
  }
  Database db = open();
  CHECK(db::Door::standing(db, "c") == db.status().datasets.at("c").segments);
  CHECK(db.collection("c").size() == 300);
}

TEST_CASE("past: siblings that stand no more, and hide nothing, are renewed together") {
  Database db = db::Door::open(":memory:", {}, at_once());
  Schema schema = sensors();
  schema.segments.spread = 2;
  const Table t = db.create_table("t", schema);
  t.append(rows_of(t, 1, 20'000));
  t.append(rows_of(t, 2, 5));  // 3
  t.remove({.where = col("value") == 2.0});
  t.append(rows_of(t, 3, 20'000));
  db.compact();
  const std::uint64_t all = db.status().datasets.at("t").segments;
  CHECK(all == 3);  // two siblings, and what is past
  CHECK(db::Door::standing(db, "t") == all);
  db.revert("4");
  db.revert("3");  // its begin is lost, of which nothing was shown
  CHECK(db::Door::standing(db, "t") == 1);
  CHECK(db.compact().joined_segments == 0);
  CHECK(db::Door::standing(db, "t") == all);
  CHECK(db.table("t").rows() == 40'000);
  const CompactReport again = db.compact();
  CHECK(again.joined_segments == 0);
  check_sound(db);
}

TEST_CASE("past: a snapshot in another process reads the same after ten compacts and a sweep") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  Database db = db::Door::open(path, {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 2; i <= 9; ++i) i % 2 == 0 ? replace_all(t, i) : put_all(db.collection("c"), i);
  Child other([&](int pipe) {
    Database reading = db::Door::open(path, {.read_only = true}, at_once());
    const Snapshot old = reading.at(CommitNumber{6});
    const Snapshot head = reading.at("HEAD");
    const std::string before = all_of(old) + all_of(head);
    say(pipe, static_cast<std::int64_t>(value_of(head.commit().number)));
    ::raise(SIGSTOP);
    say(pipe, all_of(old) + all_of(head) == before ? 1 : 0);
  });
  REQUIRE(other.next() == 9);
  for (int i = 0; i < 10; ++i) {
    if (i == 4) db.rollback("5");
    i % 2 == 0 ? replace_all(t, 100 + i) : put_all(db.collection("c"), 100 + i);
    CHECK(db.compact().joined_segments > 0);
  }
  CHECK(db.compact().joined_segments == 0);
  CHECK(db.status().unnamed_files == 0);
  other.signal(SIGCONT);
  CHECK(other.next() == 1);
  CHECK(other.finish() == 0);
}

TEST_CASE(
    "past: a compact that is stopped in mid-segment leaves all as it was, and goes on later") {
  Database db = db::Door::open(":memory:", {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 2; i <= 9; ++i) replace_all(t, i);
  const Shown before = shown(db);
  for (int stop = 1;; ++stop) {
    int told = 0;
    try {
      db.compact([&](std::uint64_t, std::uint64_t) {
        if (++told == stop) throw std::runtime_error("stop");
      });
      CHECK(stop > 3);  // once within each of both files
      break;
    } catch (const std::runtime_error&) {
      CHECK(shown(db) == before);
    }
  }
  CHECK(shown(db) == before);
  CHECK(db.status().datasets.at("t").segments == 2);
  db.compact();
  CHECK(db.status().unnamed_files == 0);
}

TEST_CASE("past: two processes that compact at once, beside one that replaces, all succeed") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  {
    Database db = db::Door::open(path, {}, at_once());
    const Table t = db.create_table("t", sensors());
    for (int i = 1; i <= 8; ++i) replace_all(t, i);
  }
  const auto compacting = [&](int) {
    Database db = db::Door::open(path, {}, at_once());
    for (int i = 0; i < 12; ++i) db.compact();
    db.close();
  };
  Child one(compacting);
  Child two(compacting);
  Child replacing([&](int) {
    Database db = db::Door::open(path, {}, at_once());
    for (int i = 0; i < 20; ++i) {
      replace_all(db.table("t"), 100 + i);
      put_all(db.collection("c"), i);
      if (i == 10) db.rollback("5", {.dataset = "t"});
    }
    db.close();
  });
  Database db = db::Door::open(path, {}, at_once());
  const Snapshot old = db.at(CommitNumber{6});
  const std::string before = all_of(old);
  for (int i = 0; i < 20; ++i) {
    CHECK(db.table("t").read().rows() == 20);
    CHECK(all_of(old) == before);
  }
  for (Child* child : {&one, &two, &replacing}) CHECK(child->finish() == 0);
  const Shown shown_before = shown(db);
  db.compact();
  CHECK(shown(db) == shown_before);
  CHECK(db.table("t").rows() == 20);
  CHECK(db.collection("c").size() == 20);
  CHECK(db.status().unnamed_files == 0);
  check_sound(db);
}

TEST_CASE("past: compact reads no more bytes a second than it may") {
  io::SimDisk disk;
  const std::shared_ptr<io::Environment> clock = io::simulated_environment(1);
  Database db = db::Door::open(disk.attach(), clock, {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 2; i <= 9; ++i) replace_all(t, i);
  const std::uint64_t begun_ns = clock->monotonic_ns();
  const CompactReport done = db.compact({}, 1000);
  REQUIRE(done.joined_bytes > 1000);
  const std::uint64_t due_ns = done.joined_bytes * 1'000'000;
  const std::uint64_t took_ns = clock->monotonic_ns() - begun_ns;
  CHECK(took_ns >= due_ns);
  CHECK(took_ns < 2 * due_ns);
}

TEST_CASE("past: what is skipped is not waited for") {
  io::SimDisk disk;
  const auto vfs = disk.attach();
  const std::shared_ptr<io::Environment> clock = io::simulated_environment(1);
  Database db = db::Door::open(disk.attach(), clock, {}, at_once());
  const Table t = db.create_table("t", sensors());
  for (int i = 2; i <= 17; ++i) replace_all(t, i);
  std::uint64_t skipped = 0;
  for (const auto& [bytes, file] : files_by_size(*vfs)) {
    const std::byte wrong{0xff};
    vfs->open(file, io::OpenMode::read_write)->write_at(bytes / 2, {&wrong, 1});
    skipped += bytes;
  }
  put_all(db.collection("c"), 1, 3);
  put_all(db.collection("c"), 2, 3);
  const std::uint64_t begun_ns = clock->monotonic_ns();
  CHECK_THROWS_AS(db.compact({}, 1000), Error);  // it says what was damaged
  CHECK(db.status().datasets.at("c").segments == 2);
  CHECK(clock->monotonic_ns() - begun_ns < skipped * 1'000'000);
}

}  // namespace otolith::test
