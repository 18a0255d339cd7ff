// Wrong input of every kind: one clear error that names the thing and the remedy, and history
// unchanged.
#include <doctest/doctest.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/limits.h"
#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

const std::vector<Row> kRow{{std::int64_t{1000}, "a", 1.0, kNull}};

/// Runs `work`, which must throw an Error of this code whose message holds every one of `words`.
template <typename Work>
void refused(ErrorCode code, const std::vector<std::string>& words, const Work& work) {
  try {
    work();
    FAIL("was not refused");
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(error.code() == code);
    for (const std::string& word : words) {
      INFO("expected word: ", word);
      CHECK(error.message().find(word) != std::string::npos);
    }
  }
}

/// While it lives the process gets no descriptor. Judge outside: sanitizers need descriptors too.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{static_cast<rlim_t>(::dup(0)), before_.rlim_max};
    ::close(static_cast<int>(few.rlim_cur));
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("misuse: an unknown dataset is refused with the nearest name") {
  Database db = Database::open(":memory:");
  db.create_table("flights", sensors());
  refused(ErrorCode::not_found, {"\"fligths\"", "did you mean \"flights\""},
          [&] { db.table("fligths"); });
  refused(ErrorCode::not_found, {"flights"}, [&] { db.at("0").table("flights"); });
}

TEST_CASE("misuse: names that cannot be, and names that only look dangerous") {
  Database db = Database::open(":memory:");
  const Schema schema = sensors();
  refused(ErrorCode::invalid_argument, {"1 to 255"}, [&] { db.create_table("", schema); });
  refused(ErrorCode::invalid_argument, {"control character"},
          [&] { db.create_table(std::string("a\0b", 3), schema); });
  refused(ErrorCode::invalid_argument, {"65536 bytes", "255"},
          [&] { db.create_table(std::string(65536, 'x'), schema); });
  refused(ErrorCode::invalid_argument, {"UTF-8"}, [&] { db.create_table("\xff", schema); });
  for (const char* name : {"..", "a/b", "../../etc", "CON", " "}) {
    db.create_table(name, schema);
    CHECK(db.contains(name));
  }
}

TEST_CASE("misuse: an existing name is a conflict, an equal schema is accepted when asked for") {
  Database db = Database::open(":memory:");
  db.create_table("t", sensors());
  refused(ErrorCode::conflict, {"\"t\""}, [&] { db.create_table("t", sensors()); });
  db.create_table("t", sensors(), {.exist_ok = true});
  Schema other = sensors();
  other.columns.pop_back();
  refused(ErrorCode::conflict, {"another schema"},
          [&] { db.create_table("t", other, {.exist_ok = true}); });
  CHECK(static_cast<std::uint64_t>(db.head().number) == 1);
}

TEST_CASE("misuse: a schema that leaves time and keys nullable equals the one that was stored") {
  Database db = Database::open(":memory:");
  Schema loose = sensors();
  for (Column& column : loose.columns) column.nullable = true;
  const auto stored = db.create_table("t", loose).schema();
  for (const Column& column : stored->columns) {
    CHECK(column.nullable == (column.name != stored->time && column.name != stored->keys[0]));
  }
  db.create_table("t", *stored, {.exist_ok = true});
  db.create_table("t", loose, {.exist_ok = true});
  CHECK(static_cast<std::uint64_t>(db.head().number) == 1);
}

TEST_CASE("misuse: schemas that cannot be name the column and the remedy") {
  Database db = Database::open(":memory:");
  Schema schema = sensors();
  schema.time = "when";
  refused(ErrorCode::invalid_argument, {"when"}, [&] { db.create_table("t", schema); });
  schema = sensors();
  schema.keys = {"sensr"};
  refused(ErrorCode::invalid_argument, {"sensr", "sensor"}, [&] { db.create_table("t", schema); });
  schema = sensors();
  schema.columns.push_back(schema.columns[2]);
  refused(ErrorCode::invalid_argument, {"value"}, [&] { db.create_table("t", schema); });
  schema = sensors();
  schema.codec = "smal";
  refused(ErrorCode::invalid_argument, {"smal", "small"}, [&] { db.create_table("t", schema); });
  CHECK(db.head().number == CommitNumber{0});
}

TEST_CASE("misuse: batches that do not fit their table change nothing") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  const Batch good = batch_of(table.schema(), kRow);
  Batch batch = good;
  batch.columns.pop_back();
  refused(ErrorCode::invalid_argument, {}, [&] { table.append(batch); });
  batch = good;
  std::swap(batch.columns[2], batch.columns[3]);
  refused(ErrorCode::invalid_argument, {"value"}, [&] { table.append(batch); });
  refused(ErrorCode::invalid_argument, {"time"},
          [&] { table.append(batch_of(table.schema(), {{kNull, "a", 1.0, kNull}})); });
  refused(ErrorCode::invalid_argument, {"time", "NaT"},
          [&] { table.append(batch_of(table.schema(), {{INT64_MIN, "a", 1.0, kNull}})); });
  refused(ErrorCode::invalid_argument, {"sensor"},
          [&] { table.append(batch_of(table.schema(), {{std::int64_t{1}, kNull, 1.0, kNull}})); });
  refused(ErrorCode::invalid_argument, {"sensor", "UTF-8"},
          [&] { table.append(batch_of(table.schema(), {{std::int64_t{1}, "\xc3", 1.0, kNull}})); });
  CHECK(table.rows() == 0);
  CHECK(static_cast<std::uint64_t>(db.head().number) == 1);
}

TEST_CASE("misuse: values that booleans, decimals and binary do not have change nothing") {
  Database db = Database::open(":memory:");
  Schema schema = sensors();
  schema.columns.push_back({.name = "flag", .type = {TypeKind::boolean}});
  schema.columns.push_back({.name = "price", .type = {TypeKind::decimal, 4, 2}});
  schema.columns.push_back({.name = "raw", .type = {TypeKind::binary}});
  const Table table = db.create_table("t", schema);
  const auto row = [&](Cell flag, Cell price, Cell raw) {
    return batch_of(table.schema(), {{std::int64_t{1}, "a", 1.0, kNull, flag, price, raw}});
  };
  refused(ErrorCode::invalid_argument, {"flag", "row 0 is 2"},
          [&] { table.append(row(std::uint64_t{2}, kNull, kNull)); });
  refused(ErrorCode::invalid_argument, {"price", "row 0 is 100.00", "decimal(4,2)"},
          [&] { table.append(row(kNull, decimal_of(10'000), kNull)); });
  refused(ErrorCode::limit, {"raw", "kStringBytesMax"},
          [&] { table.append(row(kNull, kNull, std::string(kStringBytesMax + 1, '\xff'))); });
  CHECK(table.rows() == 0);
  table.append(row(std::uint64_t{1}, decimal_of(-9999), "\xff"));
  CHECK(table.rows() == 1);
}

TEST_CASE("misuse: unknown columns and keys of a read are named, with the nearest") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  table.append(batch_of(table.schema(), kRow));
  refused(ErrorCode::invalid_argument, {"valu", "value"},
          [&] { table.read({.columns = {{"valu"}}}); });
  refused(ErrorCode::invalid_argument, {"senso", "sensor"},
          [&] { table.read({.keys = {{"senso", {"a"}}}}); });
  refused(ErrorCode::invalid_argument, {"value"},
          [&] { table.read({.keys = {{"value", {"a"}}}}); });
}

TEST_CASE("misuse: references that name no commit say what would") {
  Database db = Database::open(":memory:");
  db.create_table("t", sensors());
  db.tag("opening");
  refused(ErrorCode::not_found, {"7"}, [&] { db.at("7"); });
  refused(ErrorCode::not_found, {"HEAD~9"}, [&] { db.at("HEAD~9"); });
  refused(ErrorCode::not_found, {"openin", "opening"}, [&] { db.at("openin"); });
  refused(ErrorCode::not_found, {"#000000"}, [&] { db.at("#000000"); });
  refused(ErrorCode::invalid_argument, {"#0"}, [&] { db.at("#0"); });
  refused(ErrorCode::invalid_argument, {}, [&] { db.at(""); });
  refused(ErrorCode::conflict, {"opening"}, [&] { db.tag("opening"); });
  refused(ErrorCode::invalid_argument, {"letter"}, [&] { db.tag("1st"); });
  refused(ErrorCode::not_found, {"openin"}, [&] { db.untag("openin"); });
}

TEST_CASE("misuse: folders that are no database are refused and left alone") {
  Folder folder;
  const std::string path = folder.path("photos");
  std::filesystem::create_directory(path);
  write_file(path + "/cat.jpg", "meow");
  refused(ErrorCode::invalid_argument, {"not empty", "cat.jpg"}, [&] { Database::open(path); });
  CHECK(std::distance(std::filesystem::directory_iterator(path), {}) == 1);
  refused(ErrorCode::not_found, {"missing.oto", "create=True"},
          [&] { Database::open(folder.path("missing.oto"), {.create = false}); });
  refused(ErrorCode::not_found, {"missing/x.oto", "make that first"},
          [&] { Database::open(folder.path("missing/x.oto")); });
  CHECK_FALSE(std::filesystem::exists(folder.path("missing.oto")));
  refused(ErrorCode::not_found, {"missing.oto"},
          [&] { Database::open(folder.path("missing.oto"), {.read_only = true}); });
  refused(ErrorCode::invalid_argument, {"cat.jpg", "is a file"},
          [&] { Database::open(path + "/cat.jpg"); });
}

TEST_CASE("misuse: a future format and a damaged OTOLITH are told apart") {
  Folder folder;
  const std::string path = folder.path("future.oto");
  Database::open(path).create_table("t", sensors());
  const std::string text = read_file(path + "/OTOLITH");
  std::string future = text;
  future.replace(future.find("format 1"), 8, "format 9");
  write_file(path + "/OTOLITH", future);
  refused(ErrorCode::unsupported_format, {"format 9", "newer"}, [&] { Database::open(path); });
  write_file(path + "/OTOLITH", "hello");
  refused(ErrorCode::corrupt, {"OTOLITH"}, [&] { Database::open(path); });
  write_file(path + "/OTOLITH", text);
  CHECK(Database::open(path).contains("t"));
}

TEST_CASE("misuse: a database whose OTOLITH is missing is corrupt, and keeps its log") {
  Folder folder;
  const std::string path = folder.path("lost.oto");
  Database::open(path).create_table("t", sensors());
  for (const auto& entry : std::filesystem::directory_iterator(path + "/index")) {
    std::filesystem::remove(entry.path());  // as a process leaves it that was killed early
  }
  const std::string marker = read_file(path + "/OTOLITH");
  const std::string log = read_file(path + "/log/00000001.log");
  std::filesystem::remove(path + "/OTOLITH");
  for (const OpenOptions& options : {OpenOptions{}, OpenOptions{.create = false}}) {
    refused(ErrorCode::corrupt, {"OTOLITH", "missing"}, [&] { Database::open(path, options); });
    CHECK(read_file(path + "/log/00000001.log") == log);
  }
  write_file(path + "/OTOLITH", marker);
  CHECK(Database::open(path).contains("t"));
}

TEST_CASE("misuse: a creation that was cut off before OTOLITH is begun again") {
  Folder folder;
  const std::string path = folder.path("new.oto");
  std::filesystem::create_directories(path + "/log");
  for (const char* name : {"/OTOLITH.new", "/log/00000001-0123.new"})
    write_file(path + name, "half");
  Database::open(path).close();
  std::filesystem::remove(path + "/OTOLITH");
  for (const char* folder_name : {"/index", "/log"}) {
    for (const auto& entry : std::filesystem::directory_iterator(path + folder_name)) {
      if (entry.path().filename() != "00000001.log") std::filesystem::remove(entry.path());
    }
  }
  std::filesystem::resize_file(path + "/log/00000001.log", 4096);  // the header alone
  std::filesystem::resize_file(path + "/log/00000001.log", 1 << 20);
  CHECK(Database::open(path).datasets().empty());
}

TEST_CASE("misuse: read-only writes nothing and refuses writers") {
  Folder folder;
  const std::string path = folder.path("still.oto");
  {
    Database db = Database::open(path);
    const Table table = db.create_table("t", sensors());
    table.append(batch_of(table.schema(), kRow));
  }
  const auto times = [&] {
    std::string out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      out += entry.path().string() +
             std::to_string(entry.last_write_time().time_since_epoch().count());
    }
    return out;
  };
  const std::string before = times();
  Database db = Database::open(path, {.read_only = true});
  CHECK(db.table("t").rows() == 1);
  CHECK(db.verify().problems.empty());
  refused(ErrorCode::invalid_argument, {"read-only"},
          [&] { db.table("t").append(batch_of(db.table("t").schema(), kRow)); });
  refused(ErrorCode::invalid_argument, {"read-only"}, [&] { db.tag("x"); });
  refused(ErrorCode::invalid_argument, {"read-only"}, [&] { db.recorder(); });
  db.close();
  CHECK(times() == before);
}

TEST_CASE("misuse: a closed database refuses every verb") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  Recorder recorder = db.recorder();
  db.close();
  db.close();
  refused(ErrorCode::invalid_argument, {"closed"}, [&] { table.rows(); });
  refused(ErrorCode::invalid_argument, {"closed"}, [&] { db.head(); });
  refused(ErrorCode::invalid_argument, {"closed"}, [&] { recorder.commit(); });
}

TEST_CASE("misuse: options that no commit takes are refused before rows are staged or written") {
  Folder folder;
  const std::string path = folder.path("texts.oto");
  Database db = Database::open(path);
  const Table table = db.create_table("t", sensors());
  const Batch large = batch_of(table.schema(), std::vector<Row>(100'000, kRow[0]));
  const std::string long_text((1 << 20) + 1, 'x');
  for (const CommitOptions& options :
       {CommitOptions{.author = long_text.substr(0, 2000)}, CommitOptions{.message = long_text},
        CommitOptions{.extra = long_text}}) {
    refused(ErrorCode::limit, {"at most"}, [&] { db.recorder(options); });
    refused(ErrorCode::limit, {"at most"}, [&] { table.append(large, options); });
  }
  refused(ErrorCode::invalid_argument, {"UTF-8"}, [&] { db.recorder({.message = "\xff"}); });
  CHECK(std::filesystem::is_empty(path + "/segments"));
}

TEST_CASE("misuse: a recorder of a closed database can still be discarded") {
  Database db = Database::open(":memory:");
  db.create_table("t", sensors());
  Recorder recorder = db.recorder();
  recorder.append("t", batch_of(std::make_shared<const Schema>(sensors()), kRow));
  db.close();
  recorder.discard();
  CHECK_FALSE(recorder.open());
  refused(ErrorCode::invalid_argument, {"discarded"}, [&] { recorder.discard(); });
}

TEST_CASE("misuse: a recorder that another thread is using refuses, and keeps what is staged") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  const Batch batch = batch_of(table.schema(), std::vector<Row>(1000, kRow[0]));
  Recorder recorder = db.recorder();
  std::atomic<std::uint64_t> staged{0};
  std::atomic<std::uint64_t> refusals{0};
  const auto work = [&] {
    for (int i = 0; i < 50'000 && (i < 200 || refusals == 0); ++i) {
      try {
        recorder.append("t", batch);
        ++staged;
      } catch (const Error& error) {
        CHECK(error.message().find("another thread") != std::string::npos);
        ++refusals;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  CHECK(refusals > 0);
  recorder.commit();
  CHECK(table.rows() == staged * batch.rows);
}

TEST_CASE("misuse: an OS that refuses files at opening ends no history") {
  io::SimDisk disk;
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 1;  // rows go into segments
  const auto open = [&](io::SimDisk& on, std::uint64_t boot, const OpenOptions& options) {
    return db::Door::open(on.attach(), io::simulated_environment(boot, {.boot = boot}), options,
                          sizes);
  };
  Database db = open(disk, 1, {.durability = Durability::relaxed});
  const Table table = db.create_table("t", sensors());
  table.append(batch_of(table.schema(), kRow));
  const CommitNumber head = db.head().number;
  const io::SimDisk crashed = disk.copy();  // what the next start of the machine judges
  int refusals = 0;
  for (std::uint64_t at = 2; at <= 48; ++at) {
    const bool read_only = at % 2 == 1;
    io::SimDisk again = crashed.copy();
    again.inject({io::Operation::open, at / 2, EMFILE, false, false});
    try {
      const CommitNumber found = open(again, 2, {.read_only = read_only}).head().number;
      CHECK(found == head);
    } catch (const Error& error) {
      ++refusals;
      CHECK(error.code() == ErrorCode::io);
    }
    again.clear_faults();
    CHECK(open(again, 2, {}).head().number == head);
  }
  CHECK(refusals != 0);
}

TEST_CASE("misuse: a full disk fails that commit only, and work goes on when there is space") {
  io::SimDisk disk;
  history::HistoryOptions sizes;
  sizes.log.preallocate_bytes = 4 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1), {}, sizes);
  const Table table = db.create_table("t", sensors());
  table.append(batch_of(table.schema(), kRow));
  std::uint64_t done = 1;
  disk.set_space_limit(disk.bytes_used() + 20'000);
  bool full = false;
  for (int i = 0; i < 400 && !full; ++i) {
    try {
      table.append(batch_of(table.schema(), std::vector<Row>(20, kRow[0])));
      done += 20;
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.code() == ErrorCode::no_space);
      CHECK(error.outcome() == Outcome::failed);
      full = true;
    }
  }
  CHECK(full);
  CHECK(table.rows() == done);
  disk.set_space_limit(0);
  table.append(batch_of(table.schema(), kRow));
  CHECK(table.rows() == done + 1);
  CHECK(db.verify().problems.empty());
}

TEST_CASE("misuse: no more descriptors is one clear error, and passes") {
  Folder folder;
  const std::string path = folder.path("many.oto");
  {
    Database::open(path).create_table("t", sensors());
  }
  refused(ErrorCode::io, {"ulimit -n"}, [&] {
    const NoDescriptors none;
    Database::open(path);
  });
  CHECK(Database::open(path).contains("t"));
}

TEST_CASE("misuse: relaxed rows that find no descriptor are synced when there is one again") {
  Folder folder;
  Database db = Database::open(folder.path("relaxed.oto"), {.durability = Durability::relaxed});
  const Table table = db.create_table("t", sensors());
  table.append(batch_of(table.schema(), std::vector<Row>(100'000, kRow[0])));
  refused(ErrorCode::io, {"ulimit -n"}, [&] {
    const NoDescriptors none;
    db.sync();
  });
  db.sync();
  table.append(batch_of(table.schema(), kRow));
  db.close();
}

TEST_CASE("misuse: after a sync that failed no relaxed commit is taken any more") {
  io::SimDisk disk;
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1),
                               {.durability = Durability::relaxed}, {});
  const Table table = db.create_table("t", sensors());
  table.append(batch_of(table.schema(), std::vector<Row>(100'000, kRow[0])));
  disk.inject({.operation = io::Operation::sync});
  CHECK_THROWS_AS(db.sync(), Error);
  refused(ErrorCode::io, {"relaxed", "open it again"},
          [&] { table.append(batch_of(table.schema(), kRow)); });
  CHECK(table.rows() == 100'000);
}

}  // namespace otolith::test
