// The power cut, at every moment: a random program is recorded call by call, every state that the
// disk may be left in is opened, read, compared with what was committed, and written to again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <random>

#include "base/limits.h"
#include "db/hall.h"
#include "history/file_header.h"
#include "history/log_layout.h"
#include "io/crash_states.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr int kStepsMax = 14;
constexpr std::uint64_t kStatesPerProgram = 1000;
constexpr int kCrashAgainEvery = 50;
constexpr int kCompactEvery = 8;
constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr double kStatesPerSecondMin = 50;  // of the budget; fewer: it runs, but tests little

/// Sizes so small that a few steps cross every limit; which ones, the seed says. Rows beyond the
/// inline limit get a segment of their own.
history::HistoryOptions small_sizes(std::mt19937_64& random) {
  constexpr std::array<std::uint64_t, 4> kInlineBytes{0, 60, 200, kInlineBytesMax};
  history::HistoryOptions sizes;
  sizes.log.file_bytes = (2 + random() % 7) << 10;
  sizes.log.preallocate_bytes = 2 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  sizes.tail_bytes_max = 1500;
  sizes.tail_commits_max = 1 + random() % 4;
  sizes.checkpoint_commits = 1 + random() % 5;
  sizes.sweep_after_ns = 0;  // of what was joined
  sizes.inline_bytes_max = kInlineBytes[random() % kInlineBytes.size()];
  return sizes;
}

/// Each `boot` is another start of the machine: what the lock page says counts within one only.
Database open_on(const std::shared_ptr<io::Vfs>& vfs, const history::HistoryOptions& sizes,
                 std::uint64_t seed, std::uint64_t boot,
                 Durability durability = Durability::durable) {
  return db::Door::open(vfs, io::simulated_environment(seed, {.boot = boot, .process = seed}),
                        {.durability = durability}, sizes);
}

/// What the programs' disks held at the end.
struct Reached {
  std::uint64_t rotations = 0;
  std::uint64_t stripped = 0;        // log files without rows
  std::uint64_t fresh_segments = 0;  // where no rows stand in frames
  std::uint64_t other_segments = 0;  // sealed from the tail, or of commits beyond the limit
  std::map<std::string, std::uint64_t> commits{};  // by verb
  std::uint64_t crashed_again = 0;  // states of a crash within recovery, beside the others
};

std::string told(const Reached& reached) {
  std::string out = fmt::format(
      "{} rotations, {} log files stripped, {} segments of commits without inlined "
      "rows, {} others",
      reached.rotations, reached.stripped, reached.fresh_segments, reached.other_segments);
  for (const auto& [verb, count] : reached.commits) out += fmt::format(", {} by {}", count, verb);
  return out;
}

/// What was committed, by commit number: its hash, all rows as of it, and their digests.
struct Truth {
  history::HistoryOptions sizes;
  std::vector<std::string> hashes{""};
  std::vector<std::string> rows{""};
  std::vector<std::map<std::string, model::StateDigest>> digests{{}};
};

std::uint64_t stripped_files(io::Vfs& vfs) {
  std::uint64_t count = 0;
  for (const std::string& name : vfs.list("log")) {
    if (history::log_file_number(name) == 0) continue;
    Bytes bytes(history::kLogHeaderBytes);
    (void)vfs.open("log/" + name, io::OpenMode::read)->read_at(0, bytes);
    if (history::decode_file_header(bytes, name).stripped()) ++count;
  }
  return count;
}

std::string documents_of(const Collection& collection) {
  std::string out;
  DocumentStream stream = collection.find();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) {
      out += fmt::format("{} {} {}\n", entry.revision, entry.time.ns, entry.document.json());
      REQUIRE(collection.get(entry.document.id()) == entry.document);
    }
  }
  return out;
}

std::string rows_at(const Snapshot& at) {
  std::string out;
  for (const std::string& name : at.datasets()) {
    if (at.kind(name) == DatasetKind::collection) {
      out += name + ":\n" + documents_of(at.collection(name));
      continue;
    }
    const Table table = at.table(name);
    out += name + ":";
    for (const std::string& column : table.schema()->names()) out += " " + column;
    out += "\n" + text_of(table.read());
  }
  return out;
}

/// One random program of all writing verbs: by handles one behind the other, some rows large, some
/// commits relaxed.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed), seed_(seed), recorder_(disk_) {
    relaxed_ = random_() % 3 == 0;
    sizes_ = small_sizes(random_);
  }

  /// Commits with a segment each, joined twice, some rows and documents past by then.
  io::CrashRecording run_joins(Truth& truth) {
    sizes_.inline_bytes_max = 0;
    truth.sizes = sizes_;
    {
      auto db = open_handle();
      db.create_table("t", sensors());
      note(db, truth);
      for (int i = 0; i < 10; ++i) {
        const Table t = db.table("t");
        t.append(batch_of(t.schema(), random_rows(i, *t.schema(), 0, 3)));
        note(db, truth);
        if (i % 2 == 1) t.remove({.stop = Timestamp{static_cast<std::int64_t>(random_() % 500)}});
        note(db, truth);
        put_document(db, i);
        note(db, truth);
        if (i == 7) db.rollback("HEAD~6");
        note(db, truth);
        if (i % 5 == 4) compact(db);
      }
      CHECK(db.status().datasets.at("t").segments < 6);
      CHECK(past_rows_ > 0);
    }
    recorder_.mark_acknowledged(truth.hashes.size() - 1);
    return recorder_.finish();
  }

  io::CrashRecording run(Truth& truth, Reached& reached) {
    truth.sizes = sizes_;
    {
      auto db = open_handle();
      const int steps = 3 + static_cast<int>(random_() % kStepsMax);
      for (int step = 0; step < steps; ++step) {
        if (random_() % 6 == 0) db = open_handle();  // the one before closes: sync mark, checkpoint
        run_step(db, step, reached);
        note(db, truth);
      }
      count(db, reached);
    }
    recorder_.mark_acknowledged(truth.hashes.size() - 1);  // closing makes relaxed commits durable
    return recorder_.finish();
  }

 private:
  Database open_handle() {
    return open_on(disk_.attach(), sizes_, ++seed_, 1,
                   relaxed_ ? Durability::relaxed : Durability::durable);
  }

  void run_step(Database& db, int step, Reached& reached) {
    const auto names = tables(db);
    const std::uint64_t dice = step == 0 || names.empty() ? 0 : random_() % 26;
    const std::uint64_t before = value_of(db.head().number);
    if (dice < 3) {
      db.create_table(fmt::format("t{}", step), sensors());
    } else if (dice < 5) {
      db.compact();
    } else {
      const std::string& name = names[random_() % names.size()];
      const std::string verb = change(db, dice, name, step);
      if (value_of(db.head().number) > before) ++reached.commits[verb];
    }
  }

  static std::vector<std::string> tables(const Database& db) {
    std::vector<std::string> out = db.datasets();
    std::erase_if(out, [&](const auto& name) { return db.kind(name) == DatasetKind::collection; });
    return out;
  }

  // Some puts, a patch and deletes, of five documents; some are larger than others.
  void put_documents(Recorder& recorder, int step) {
    const auto id = [&] { return std::string(1, static_cast<char>('a' + random_() % 5)); };
    std::vector<Document> documents;
    for (std::uint64_t i = 0; i <= random_() % 4; ++i) {
      documents.push_back(
          Document::from_json(fmt::format(R"({{"_id": "{}", "n": {}, "text": "{}"}})", id(), step,
                                          std::string(random_() % 90, 'x'))));
    }
    if (random_() % 3 == 0) recorder.remove("docs", std::vector{id()});
    if (random_() % 4 == 0) recorder.remove("docs", col("n") < step - 3);
    recorder.put("docs", documents);
    recorder.patch("docs", documents.front().id(),
                   Document::from_json(fmt::format(R"({{"at": {}}})", step)));
  }

  // One commit of one table, or of two; none where nothing matches.
  std::string change(Database& db, std::uint64_t dice, const std::string& name, int step) {
    const Table table = db.table(name);
    const CommitOptions options{.author = "ana", .message = fmt::format("step {}", step)};
    if (dice < 8) {
      alter(table, step, options);
      return "alter";
    }
    if (dice < 9) {
      db.drop(name, options);
      return "drop";
    }
    if (dice < 11) {
      db.rename(name, fmt::format("renamed{}", step), options);
      return "rename";
    }
    const DeleteRequest some{.stop = Timestamp{2 * kDayNs - static_cast<std::int64_t>(step)},
                             .keys = {{"sensor", {random_() % 2 == 0 ? "a" : "b"}}}};
    if (dice < 14) {
      table.remove(some, options);
      return "remove";
    }
    if (dice < 17) {
      const Timestamp start{static_cast<std::int64_t>(random_() % 2) * kDayNs};
      const Timestamp stop{start.ns + kDayNs};
      table.replace({.start = start, .stop = stop},
                    batch_of(table.schema(), random_rows(step, *table.schema(), start.ns)),
                    options);
      return "replace";
    }
    if (dice >= 23) {
      Recorder recorder = db.recorder(options);
      put_documents(recorder, step);
      recorder.commit();
      return "documents";
    }
    record(db, name, some, step, options);
    return "record";
  }

  void alter(const Table& table, int step, const CommitOptions& options) {
    const auto schema = table.schema();
    SchemaChange change;
    const std::string& value = schema->columns[2].name;
    change.rename[value] = value == "value" ? "worth" : "value";
    if (schema->columns.size() > 4 && random_() % 2 == 0) {
      change.drop = {schema->columns.back().name};
    } else {
      change.add = {{.name = fmt::format("x{}", step), .type = {TypeKind::string}}};
    }
    if (random_() % 3 == 0) change.widen["count"] = {TypeKind::int64};
    table.alter(change, options);
  }

  void record(Database& db, const std::string& name, const DeleteRequest& some, int step,
              const CommitOptions& options) {
    Recorder recorder = db.recorder(options);
    if (random_() % 3 == 0) recorder.remove(name, some);
    const auto rows = [&](const std::string& of) {
      const auto schema = recorder.schema(of);
      recorder.append(of, batch_of(schema, random_rows(step, *schema, 0, 3)));
    };
    rows(name);
    const auto names = tables(db);
    const std::string& other = names[random_() % names.size()];
    if (other != name) rows(other);
    if (random_() % 4 == 0) put_documents(recorder, step);
    recorder.commit();
  }

  static void put_document(Database& db, int i) {
    db.collection("docs").put(
        Document::from_json(fmt::format(R"({{"_id": "{}", "n": {}}})", i % 2, i)));
  }

  void compact(Database& db) {
    past_rows_ += db.compact().past_rows;
    recorder_.mark_acknowledged(static_cast<std::uint64_t>(db.head().number));
  }

  std::vector<Row> random_rows(int step, const Schema& schema, std::int64_t start,
                               std::uint64_t days = 1) {
    std::vector<Row> rows;
    for (std::uint64_t i = 0; i <= random_() % 4; ++i) {
      const auto day = static_cast<std::int64_t>(random_() % days) * kDayNs;
      const auto time = start + day + static_cast<std::int64_t>(random_() % 1000);
      rows.push_back({time, std::string(1, static_cast<char>('a' + random_() % 3)),
                      static_cast<double>(step)});
      rows.back().resize(schema.columns.size());
    }
    return rows;
  }

  void note(Database& db, Truth& truth) {
    const Commit head = db.head();
    if (static_cast<std::uint64_t>(head.number) < truth.hashes.size()) return;
    truth.hashes.push_back(head.hash);
    truth.rows.push_back(rows_at(db.at("HEAD")));
    truth.digests.push_back(db::Door::digests(db, head.number));
    REQUIRE(static_cast<std::uint64_t>(head.number) + 1 == truth.hashes.size());
    if (!relaxed_) recorder_.mark_acknowledged(truth.hashes.size() - 1);
  }

  void count(Database& db, Reached& reached) const {
    const Status status = db.status();
    reached.rotations += status.log_files - 1;
    reached.stripped += stripped_files(*disk_.copy().attach());
    for (const auto& [name, dataset] : status.datasets) {
      (sizes_.inline_bytes_max == 0 ? reached.fresh_segments : reached.other_segments) +=
          dataset.segments;
    }
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  history::HistoryOptions sizes_;
  io::SimDisk disk_;
  io::CrashRecorder recorder_;
  bool relaxed_ = false;
  std::uint64_t past_rows_ = 0;
};

/// Opens what is left and holds it against the truth, and once more where all is moved into
/// segments; throws Error or fails the test where it differs.
void check_survivor(const io::SimDisk& disk, std::uint64_t acknowledged, const Truth& truth,
                    bool compacts) {
  io::SimDisk mutable_disk = disk;
  Database db = open_on(mutable_disk.attach(), truth.sizes, 99, 3);
  const auto head = static_cast<std::uint64_t>(db.head().number);
  REQUIRE_MESSAGE(head >= acknowledged, "an acknowledged commit is lost");
  REQUIRE_MESSAGE(head < truth.hashes.size(), "a commit that nobody made");
  if (head > 0) REQUIRE(db.head().hash == truth.hashes[head]);
  REQUIRE(rows_at(db.at("HEAD")) == truth.rows[head]);
  if (compacts) {
    db.compact();
    REQUIRE(db.status().unnamed_files == 0);
    REQUIRE(rows_at(db.at("HEAD")) == truth.rows[head]);
  }
  for (std::uint64_t n = 0; n <= head; ++n) {
    REQUIRE(db::Door::digests(db, CommitNumber{n}) == truth.digests[n]);
  }
  const Table after = db.create_table("after", sensors());
  after.append(batch_of(after.schema(), {{std::int64_t{1}, "z", 1.0, kNull}}));
  db.close();
  Database again = open_on(mutable_disk.attach(), truth.sizes, 100, 3);
  REQUIRE(static_cast<std::uint64_t>(again.head().number) == head + 2);
  REQUIRE(again.table("after").rows() == 1);
}

/// The power fails a second time while the first recovery runs.
void crash_again(const io::CrashState& state, const Truth& truth, std::uint64_t seed,
                 Reached& reached) {
  io::SimDisk disk = state.disk.copy();
  io::CrashRecorder recorder(disk);
  recorder.mark_acknowledged(state.acknowledged);
  {
    Database db = open_on(disk.attach(), truth.sizes, 98, 2);
    db.close();
  }
  const io::CrashRecording recovery = recorder.finish();
  io::for_each_crash_state(recovery, {.seed = seed, .states_max = 40}, [&](io::CrashState& second) {
    INFO("crashed again: ", second.describe());
    ++reached.crashed_again;
    check_survivor(second.disk, second.acknowledged, truth, second.point % kCompactEvery == 0);
  });
}

std::uint64_t check_states(const io::CrashRecording& recording, const Truth& truth,
                           std::uint64_t seed, std::uint64_t states_max, Reached& reached) {
  std::uint64_t states = 0;
  io::for_each_crash_state(
      recording, {.seed = seed, .states_max = states_max}, [&](io::CrashState& state) {
        INFO("OTOLITH_SEED=", seed, ": ", state.describe());
        if (++states % kCrashAgainEvery == 0) {
          crash_again(state, truth, seed + states, reached);
        }
        check_survivor(state.disk, state.acknowledged, truth, states % kCompactEvery == 0);
      });
  return states;
}

std::uint64_t check_program(std::uint64_t seed, std::uint64_t states_max, Reached& reached) {
  Truth truth;
  const io::CrashRecording recording = Program(seed).run(truth, reached);
  return check_states(recording, truth, seed, states_max, reached);
}

}  // namespace

TEST_SUITE_BEGIN("long");

TEST_CASE(
    "crash: after a power cut at any moment, every acknowledged commit is there and none is half") {
  std::uint64_t states = 0;
  std::uint64_t programs = 0;
  Reached reached;
  for (const Budget budget; budget.left(); ++programs) {
    states += check_program(seed() + programs, kStatesPerProgram, reached);
  }
  MESSAGE(states, " crash states of ", programs, " programs from seed ", seed(), ", and ",
          reached.crashed_again, " of crashes within recovery; ", told(reached));
  CHECK(static_cast<double>(states) >= kStatesPerSecondMin * budget_s());
}

TEST_SUITE_END();

TEST_CASE("crash: in the midst of joins and of what they sweep, each commit shows what it showed") {
  Reached reached;
  std::uint64_t states = 0;
  for (std::uint64_t seed = 1; seed < 5; ++seed) {
    Truth truth;
    const io::CrashRecording recording = Program(seed).run_joins(truth);
    states += check_states(recording, truth, seed, 200, reached);
  }
  CHECK(states > 400);
}

TEST_CASE("crash: a few hundred states of fixed programs, with rotations, seals and segments") {
  Reached reached;
  std::uint64_t states = 0;
  for (std::uint64_t seed = 7; seed < 27; ++seed) states += check_program(seed, 40, reached);
  MESSAGE(states, " crash states; ", told(reached));
  CHECK(states > 400);
  CHECK(reached.rotations > 0);
  CHECK(reached.stripped > 0);
  CHECK(reached.fresh_segments > 0);
  CHECK(reached.other_segments > 0);
  for (const char* verb : {"alter", "documents", "drop", "record", "remove", "rename", "replace"})
    CHECK(reached.commits[verb] > 0);
}

}  // namespace otolith::test
