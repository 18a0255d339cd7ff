// Rows that a recorder had no memory for: taken out again, read, and joined at the commit.
#include "ingest/spilled.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "ingest/recorder.h"
#include "io/sim_disk.h"
#include "model/leaf.h"
#include "scan/scan.h"
#include "scan/store.h"
#include "segment/path.h"
#include "test/plain_history.h"
#include "test/rows.h"

namespace otolith::ingest {

namespace {

using test::Row;

constexpr std::int64_t kDay = 86'400'000'000'000;

history::DatasetEntry table(std::uint32_t index = 0) {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "n", .type = {TypeKind::int64}, .id = 2}};
  return {{CommitNumber{1}, index}, "t", std::make_shared<const Schema>(std::move(schema))};
}

// Two days, numbered from `first`; the later day comes first, so that every run is sorted.
std::vector<Row> rows_from(std::int64_t first, std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = first; i < first + count; ++i) rows.push_back({(i % 2 == 0) * kDay + i, i});
  return rows;
}

ReadRequest where(const Expression& condition) {
  ReadRequest out;
  out.where = condition;
  return out;
}

// A disk whose recorders hold some 40 rows.
struct Desk {
  io::SimDisk disk;
  std::shared_ptr<io::Vfs> vfs = disk.attach();
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  test::PlainHistory history;
  history::DatasetEntry dataset = table();
  IngestContext context;

  Desk() {
    context.vfs = vfs.get();
    context.environment = environment.get();
    context.history = &history;
    context.threads = 2;
    context.memory_bytes = 2 << 10;
    context.inline_bytes_max = 0;
    context.store = std::make_shared<scan::SegmentStore>(vfs, Id128{});
    history.snapshot->entries = {{dataset.id, dataset}, {table(1).id, table(1)}};
  }
  void append(Recorder& recorder, std::int64_t first, std::int64_t count) const {
    recorder.append(dataset, test::batch_of(dataset.schema, rows_from(first, count)));
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const std::string& folder : vfs->list("segments")) {
      for (const std::string& name : vfs->list("segments/" + folder)) out.push_back(name);
    }
    return out;
  }
  std::vector<std::int64_t> numbers(const std::shared_ptr<const history::Snapshot>& snapshot,
                                    const history::DatasetEntry& of) const {
    std::vector<std::int64_t> out;
    scan::Scan scan({.store = context.store}, snapshot, of, {});
    while (const auto batch = scan.next()) {
      for (const Row& row : test::rows_of(*batch)) out.push_back(std::get<std::int64_t>(*row[1]));
    }
    std::ranges::sort(out);
    return out;
  }
  const history::DatasetChange& change() const { return history.commits.at(0).datasets.at(0); }
  // The rows of the one commit, behind checks of all that is said of them.
  std::vector<std::int64_t> committed() const {
    const history::SegmentRef& ref = *change().segment;
    const auto reader = scan::SegmentStore(vfs, Id128{}).lend(dataset.id, {ref, {}, {}, false});
    reader->verify();
    model::RowLayout layout;
    std::vector<Row> rows;
    std::uint64_t ordinal = 0;
    const auto& groups = reader->shape().row_groups;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (groups[i].run >= layout.runs.size()) layout.runs.emplace_back();
      model::Run& run = layout.runs.back();
      if (run.empty() || run.back().bucket != groups[i].partition)
        run.push_back({groups[i].partition, 0});
      run.back().rows += groups[i].rows;
      CHECK(groups[i].first_ordinal == ordinal);
      ordinal += groups[i].rows;
      const Batch batch{dataset.schema, groups[i].rows, {reader->chunk(i, 0), reader->chunk(i, 1)}};
      for (Row& row : test::rows_of(batch)) rows.push_back(std::move(row));
    }
    CHECK(ref.rows == rows.size());
    CHECK(change().rows_added == rows.size());
    const Batch all = test::batch_of(dataset.schema, rows);
    CHECK(model::rows_root(all, layout, change().salt) == change().rows_root);
    std::vector<std::int64_t> out;
    for (const Row& row : rows) out.push_back(std::get<std::int64_t>(*row[1]));
    std::ranges::sort(out);
    return out;
  }
};

std::vector<std::int64_t> counted(std::int64_t first, std::int64_t end, std::int64_t step = 1) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = first; i < end; i += step) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE(
    "spilled: what is both added and deleted is never written, and ordinals number the rest") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 500);
  recorder.remove(desk.dataset, where(col("n") >= 100));
  desk.append(recorder, 500, 30);
  recorder.remove(desk.dataset, where(col("n") < 3));
  recorder.commit({});
  std::vector<std::int64_t> left = counted(3, 100);
  std::ranges::copy(counted(500, 530), std::back_inserter(left));
  CHECK(desk.committed() == left);
  CHECK(desk.files().size() == 1);
  CHECK(desk.history.commits.at(0).markings.size() == 1);
}

TEST_CASE("spilled: a delete takes out what was spilled before it, and nothing behind it") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 200);
  recorder.remove(desk.dataset, {});
  desk.append(recorder, 1000, 200);
  recorder.commit({});
  CHECK(desk.committed() == counted(1000, 1200));
}

TEST_CASE("spilled: where nothing is left, the commit has no rows and no file") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 500);
  recorder.remove(desk.dataset, {});
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.empty());
  CHECK(desk.files().empty());
}

TEST_CASE("spilled: a delete that takes out nothing, or a read, costs no second file") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 500);
  recorder.remove(desk.dataset, where(col("n") > 1000));
  CHECK(desk.numbers(recorder.look(desk.dataset), desk.dataset) == counted(0, 500));
  const std::vector<std::string> file = desk.files();
  recorder.commit({});
  CHECK(desk.committed() == counted(0, 500));
  CHECK(file.size() == 1);
  CHECK(desk.files() == file);
}

TEST_CASE("spilled: what was looked at stays as it was, whatever the recorder does later") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 300);
  const auto first = recorder.look(desk.dataset);
  desk.append(recorder, 300, 10);
  const auto second = recorder.look(desk.dataset);
  recorder.remove(desk.dataset, where(col("n") < 290));
  desk.append(recorder, 400, 200);
  std::vector<std::int64_t> left = counted(290, 310);
  std::ranges::copy(counted(400, 600), std::back_inserter(left));
  CHECK(desk.numbers(recorder.look(desk.dataset), desk.dataset) == left);
  recorder.commit({});
  CHECK(desk.committed() == left);
  CHECK(desk.numbers(first, desk.dataset) == counted(0, 300));
  CHECK(desk.numbers(second, desk.dataset) == counted(0, 310));
  CHECK(desk.files().size() == 1);
}

TEST_CASE("staged: rows in memory are read right whatever was taken out and added between reads") {
  Desk desk;
  desk.context.memory_bytes = kMemoryBytesDefault;
  Recorder recorder(desk.context);
  const auto seen = [&] { return desk.numbers(recorder.look(desk.dataset), desk.dataset); };
  desk.append(recorder, 0, 10);
  CHECK(seen() == counted(0, 10));
  desk.append(recorder, 10, 3);
  CHECK(seen() == counted(0, 13));
  recorder.remove(desk.dataset, where(col("n") < 5));
  desk.append(recorder, 13, 1);
  CHECK(seen() == counted(5, 14));
  recorder.remove(desk.dataset, where(col("n") == 13));
  CHECK(seen() == counted(5, 13));
  recorder.remove(desk.dataset, {});
  CHECK(seen().empty());
  desk.append(recorder, 20, 2);
  CHECK(seen() == counted(20, 22));
  recorder.commit({});
  CHECK(desk.committed() == counted(20, 22));
}

TEST_CASE("spilled: a look at one table shows its staged rows and leaves another's alone") {
  Desk desk;
  const auto other = table(1);
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 5);
  CHECK(desk.numbers(recorder.look(desk.dataset), desk.dataset) == counted(0, 5));
  CHECK(desk.numbers(recorder.look(other), other).empty());
  recorder.append(other, test::batch_of(other.schema, rows_from(0, 500)));
  CHECK(desk.numbers(recorder.look(other), other) == counted(0, 500));
  CHECK(desk.numbers(recorder.look(desk.dataset), desk.dataset) == counted(0, 5));
}

TEST_CASE("spilled: a look that cannot write ends the recorder, and nothing of it stays") {
  Desk desk;
  Recorder recorder(desk.context);
  desk.append(recorder, 0, 500);
  desk.disk.inject({.operation = io::Operation::write, .error = 28});
  CHECK_THROWS_AS(recorder.look(desk.dataset), Error);
  CHECK_FALSE(recorder.open());
  CHECK(desk.files().empty());
  CHECK_THROWS_AS(recorder.commit({}), Error);
  CHECK(desk.history.commits.empty());
}

TEST_CASE("spilled: a retry under another budget is the same request, deletes or not") {
  std::vector<Hash256> hashes;
  for (const std::uint64_t memory : {std::uint64_t{2} << 10, std::uint64_t{1} << 30}) {
    Desk desk;
    desk.context.memory_bytes = memory;
    Recorder recorder(desk.context, true);
    desk.append(recorder, 0, 500);
    recorder.remove(desk.dataset, where(col("n") >= 100));
    desk.append(recorder, 500, 30);
    history::CommitRequest request;
    request.change_id = Id128{};
    recorder.commit(std::move(request));
    hashes.push_back(desk.history.commits.at(0).request_hash);
  }
  CHECK(hashes[0] == hashes[1]);
}

TEST_CASE("staged: rows that go are cut out of those that are shown") {
  using Kind = history::VisibleRows::Kind;
  const auto all = history::VisibleRows::all_or_none(true);
  const RowRange ten{0, 10};
  CHECK(without(all, 10, {}).kind() == Kind::all);
  CHECK(without(all, 10, {{0, 10}}).kind() == Kind::none);
  CHECK(without({}, 10, {{0, 4}}).kind() == Kind::none);
  CHECK(without(all, 10, {{0, 1}, {3, 2}}).slice(ten) == RowSet{{1, 2}, {5, 5}});
  CHECK(without(all, 10, {{0, 1}, {3, 2}, {9, 1}}).slice(ten) == RowSet{{1, 2}, {5, 4}});
  CHECK(without(all, kSegmentRowsMax, {{3, 2}}).slice(ten) == RowSet{{0, 3}, {5, 5}});
  const RowSet some{{1, 3}, {6, 2}, {20, 5}};
  for (const bool behind : {false, true}) {  // those from 25 on are shown or hidden
    const history::VisibleRows shown(some, 25, behind, kSegmentRowsMax);
    const auto left = without(shown, kSegmentRowsMax, {{0, 2}, {3, 4}, {22, 1}});
    CHECK(left.slice({0, 25}) == RowSet{{2, 1}, {7, 1}, {20, 2}, {23, 2}});
    CHECK(left.shows(1'000'000) == behind);
  }
}

}  // namespace otolith::ingest
