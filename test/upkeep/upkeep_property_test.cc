// Random programs of appends, deletes, replaces, documents, rollbacks, reverts, alters, drops,
// compacts and reopening: what each commit showed when it was made it shows for ever.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kDays = 4;

// All that a commit shows.
struct Shown {
  std::string hash;
  std::map<std::string, model::StateDigest> digests;
  std::map<std::string, std::string> rows;
  std::map<std::string, std::uint64_t> counts;
  bool operator==(const Shown&) const = default;
};

class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed), seed_(seed) {
    constexpr std::uint64_t inlined[] = {0, 300, 1 << 20};
    sizes_.inline_bytes_max = inlined[below(random_, 3)];
    sizes_.tail_commits_max = 2 + below(random_, 12);
    sizes_.checkpoint_commits = 1 + below(random_, 20);
    sizes_.sweep_after_ns = below(random_, 2) == 0 ? 0 : kSweepAfterNs;
    for (auto& handle : handles_) open(handle);
    create();
  }

  void run(int steps) {
    note();
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      step();
      note();
      check(below(random_, shown_.size()));
    }
    handles_[0]->compact();
    joined += handles_[0]->compact().joined_segments;  // finds nothing
    CHECK(joined == joined_before_);
    for (std::uint64_t n = 0; n < shown_.size(); ++n) check(n);
    for (const Problem& problem : handles_[1]->verify().problems) FAIL_CHECK(problem.what);
  }

  std::uint64_t joined = 0;
  std::uint64_t past_rows = 0;
  std::uint64_t undone = 0;

 private:
  void open(std::optional<Database>& handle) {
    handle.reset();
    handle = db::Door::open(disk_.attach(), io::simulated_environment(seed_ + 1000 * ++opened_),
                            {.memory_bytes = kMemoryBytesMin}, sizes_);
  }

  Database& db() { return *handles_[below(random_, 2)]; }

  void step() {
    Database& on = db();
    auto names = on.datasets();
    std::erase(names, "documents");
    if (names.empty() || below(random_, 30) == 0) return create();
    const Table t = on.table(names[below(random_, names.size())]);
    switch (below(random_, 20)) {
      case 0:
      case 1:
        return compact();
      case 16:
      case 17:
        return put(on.collection("documents"));
      case 18:
        return roll_back();
      case 19:
        return revert();
      case 2:
        return open(handles_[below(random_, 2)]);
      case 3:
        return remove(t);
      case 4:
        return replace(t);
      case 5:
        return alter(t);
      case 6:
        if (below(random_, 6) == 0) on.drop(t.name());
        return;
      default:
        t.append(rows_of_some(t, 0, kDays * kDayNs));
    }
  }

  // Digests and reads of HEAD and of some old commits before, and the same behind it.
  void compact() {
    const std::uint64_t head = shown_.size() - 1;
    std::vector<std::uint64_t> looked{head, below(random_, head + 1), below(random_, head + 1)};
    for (const std::uint64_t number : looked) check(number);
    const CompactReport done = db().compact();
    joined += done.joined_segments;
    joined_before_ = joined;
    past_rows += done.past_rows;
    for (const std::uint64_t number : looked) check(number);
  }

  void put(const Collection& documents) {
    std::vector<Document> some;
    for (std::uint64_t i = 0, count = 1 + below(random_, 6); i < count; ++i) {
      some.push_back(Document::from_json(
          fmt::format(R"({{"_id": "{}", "n": {}}})", below(random_, 8), below(random_, 100))));
    }
    documents.put(some);
    if (below(random_, 4) == 0) documents.remove(some.front().id());
  }

  // What is refused is no commit, and changes nothing.
  void undo(const std::function<void()>& work) {
    try {
      work();
      ++undone;
    } catch (const Error& error) {
      const bool refusal =
          error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found;
      if (!refusal) throw;
    }
  }

  std::string any_commit() { return std::to_string(below(random_, shown_.size())); }

  void roll_back() {
    RollbackOptions options;
    const auto names = db().datasets();
    if (below(random_, 2) == 0) options.dataset = names[below(random_, names.size())];
    if (options.dataset && below(random_, 3) == 0) std::tie(options.start, options.stop) = range();
    undo([&] { db().rollback(any_commit(), options); });
  }

  void revert() {
    std::vector<std::string> names = db().datasets();
    std::erase(names, "documents");
    if (shown_.size() < 2) return;
    const std::uint64_t back = below(random_, std::min<std::uint64_t>(4, shown_.size() - 1));
    const std::string& name = names[below(random_, names.size())];
    undo([&] { db().revert(std::to_string(shown_.size() - 1 - back), {.dataset = name}); });
  }

  void create() {
    Schema schema = sensors();
    schema.partition = below(random_, 2) == 0 ? Partition::none : Partition::day;
    if (below(random_, 2) == 0) schema.keys.clear();
    db().create_table("t" + std::to_string(tables_++), schema);
  }

  Batch rows_of_some(const Table& t, std::int64_t from, std::int64_t to) {
    const auto schema = t.schema();
    std::vector<Row> rows;
    for (std::uint64_t i = 0, count = 1 + below(random_, 20); i < count; ++i) {
      Row row{from + static_cast<std::int64_t>(below(random_, 40)) * ((to - from) / 40)};
      for (std::size_t c = 1; c < schema->columns.size(); ++c) {
        const Column& column = schema->columns[c];
        row.push_back(column.name == "sensor"
                          ? Cell(Value(std::string(1, static_cast<char>('a' + below(random_, 3)))))
                          : random_cell(random_, column));
      }
      rows.push_back(std::move(row));
    }
    return batch_of(schema, rows);
  }

  std::pair<Timestamp, Timestamp> range() {
    const auto first = static_cast<std::int64_t>(below(random_, 100)) * kDays * kDayNs / 100;
    const auto length = static_cast<std::int64_t>(1 + below(random_, 40)) * kDayNs / 20;
    return {Timestamp{first}, Timestamp{first + length}};
  }

  void remove(const Table& t) {
    const auto [start, stop] = range();
    t.remove({.start = start, .stop = stop});
  }

  void replace(const Table& t) {
    const auto [start, stop] = range();
    t.replace({.start = start, .stop = stop}, rows_of_some(t, start.ns, stop.ns));
  }

  void alter(const Table& t) {
    const auto schema = t.schema();
    const std::string added = "x" + std::to_string(columns_++);
    if (schema->columns.size() > 4 && below(random_, 2) == 0) {
      const Column& last = schema->columns.back();
      if (last.type.kind == TypeKind::int16) {
        t.alter({.widen = {{last.name, {TypeKind::int64}}}});
      } else if (below(random_, 2) == 0) {
        t.alter({.drop = {last.name}});
      } else {
        t.alter({.rename = {{last.name, added}}});
      }
    } else {
      t.alter({.add = {{.name = added, .type = {TypeKind::int16}}}});
    }
  }

  Shown shown(std::uint64_t number) {
    Shown out;
    Database& on = db();
    const Snapshot snapshot = on.at(CommitNumber{number});
    if (number != 0) out.hash = snapshot.commit().hash;
    out.digests = db::Door::digests(on, CommitNumber{number});
    for (const std::string& name : snapshot.datasets()) {
      if (snapshot.kind(name) == DatasetKind::collection) {
        documents(snapshot.collection(name), out);
        continue;
      }
      const Table t = snapshot.table(name);
      out.rows[name] = text_of(t.read());
      out.counts[name] = t.rows();
    }
    return out;
  }

  static void documents(const Collection& collection, Shown& out) {
    std::string& text = out.rows[collection.name()];
    DocumentStream stream = collection.find();
    for (auto some = stream.next(); !some.empty(); some = stream.next()) {
      for (const DocumentEntry& entry : some) {
        text += entry.revision + " " + entry.document.json() + "\n";
        REQUIRE(collection.get(entry.document.id()) == entry.document);
        for (const DocumentRevision& each : collection.revisions(entry.document.id()))
          text += each.revision + "\n";
      }
    }
    out.counts[collection.name()] = collection.size();
  }

  void note() {
    const std::uint64_t head = value_of(db().head().number);
    while (shown_.size() <= head) shown_.push_back(shown(shown_.size()));
  }

  void check(std::uint64_t number) {
    CAPTURE(number);
    REQUIRE(shown(number) == shown_[number]);
  }

  Random random_;
  std::uint64_t seed_;
  std::uint64_t opened_ = 0;
  std::uint64_t joined_before_ = 0;
  int tables_ = 0;
  int columns_ = 0;
  history::HistoryOptions sizes_;
  io::SimDisk disk_;
  std::optional<Database> handles_[2];
  std::vector<Shown> shown_;
};

}  // namespace

TEST_CASE("upkeep: random programs show at every commit what they showed, whatever is joined") {
  const Budget budget;
  std::uint64_t programs = 0;
  std::uint64_t joined = 0;
  std::uint64_t past_rows = 0;
  std::uint64_t undone = 0;
  for (std::uint64_t first = seed(); programs < 10 || budget.left(); ++programs) {
    CAPTURE(first + programs);
    Program program(first + programs);
    program.run(60);
    joined += program.joined;
    past_rows += program.past_rows;
    undone += program.undone;
  }
  MESSAGE(programs, " programs that joined ", joined, " segments, made ", past_rows,
          " rows past and undid ", undone, " commits, from seed ", seed());
  CHECK(joined > 100);
  CHECK(past_rows > 100);
  CHECK(undone > 10);
}

}  // namespace otolith::test
