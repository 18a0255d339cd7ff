#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/recorder.h"
#include "io/power_loss.h"
#include "io/sim_disk.h"
#include "model/wire.h"
#include "segment/path.h"
#include "test/budget.h"
#include "test/plain_history.h"
#include "test/segments.h"

namespace otolith::ingest {

namespace {

namespace sample = segment::sample;
using test::Random;
using test::Row;

constexpr DatasetId kDataset{CommitNumber{1}, 0};

// The tail of one dataset: some commits of sorted rows.
struct Tail {
  io::SimDisk disk;
  std::unique_ptr<io::Vfs> vfs = disk.attach();
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  test::PlainHistory history;
  IngestContext context;
  std::vector<Row> expected;  // with begin and ordinal as last cells, in no order

  explicit Tail(std::shared_ptr<const Schema> schema) {
    context.vfs = vfs.get();
    context.environment = environment.get();
    context.history = &history;
    history.schema = std::move(schema);
  }
  void add(std::uint64_t begin, const Schema& schema, std::vector<Row> rows) {
    sample::sort_run(schema, rows);
    const Batch batch = test::batch_of(std::make_shared<const Schema>(schema), rows);
    auto bytes =
        std::make_shared<const Bytes>(model::wire_encode(batch, {{sample::run_of(schema, rows)}}));
    if (history.tails.empty()) history.tails.push_back({kDataset, {}});
    history.tails.front().second.push_back({.begin = CommitNumber{begin},
                                            .rows = rows.size(),
                                            .bytes = bytes,
                                            .time_min = {},
                                            .time_max = {}});
    for (std::uint64_t i = 0; i < rows.size(); ++i) {
      Row row = rows[i];
      row.push_back(test::Value(begin));
      row.push_back(test::Value(i));
      expected.push_back(row);
    }
  }
  std::size_t files() {
    std::size_t count = 0;
    if (!vfs->exists("segments")) return 0;
    for (const auto& folder : vfs->list("segments"))
      count += vfs->list("segments/" + folder).size();
    return count;
  }
  std::shared_ptr<const segment::SegmentReader> sealed(io::Vfs& on) {
    const history::SegmentRef& ref = history.seals.at(0).datasets.at(0).segment.ref;
    const std::string path = segment::segment_path(ref.id);
    return segment::SegmentReader::open(on.open(path, io::OpenMode::read), path,
                                        {.footer_hash = ref.footer_hash}, true);
  }
};

Tail tail_of(Random& random, std::shared_ptr<const Schema> schema) {
  Tail tail(schema);
  for (std::uint64_t begin = 3; begin < 8; ++begin) {
    std::vector<Row> rows;
    for (std::uint64_t i = 1 + test::below(random, 30); i-- > 0;) {
      rows.push_back(
          sample::random_row(random, *schema, 30 * sample::kHour / (1 + begin % 2 * 50)));
    }
    tail.add(begin, *schema, rows);
  }
  return tail;
}

}  // namespace

TEST_CASE("seal: rows of the tail stand in stored order with their row ids") {
  Random random(test::seed());
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    const auto schema = sample::random_schema(random);
    Tail tail = tail_of(random, schema);
    REQUIRE(seal_tail(tail.context));
    const history::SealRequest& request = tail.history.seals.at(0);
    CHECK(request.covers == RecordNumber{7});
    CHECK(request.datasets.at(0).segment.many);
    CHECK(request.datasets.at(0).segment.begin_first == CommitNumber{3});
    CHECK(request.datasets.at(0).segment.begin_last == CommitNumber{7});
    CHECK(tail.history.checkpoints == 1);
    const auto reader = tail.sealed(*tail.vfs);
    reader->verify();
    // Appended by begin and ordinal: what sorting keeps decides among equal rows.
    sample::sort_run(*schema, tail.expected);
    REQUIRE(test::same_rows(sample::read_all(*reader), tail.expected));
  }
}

TEST_CASE("seal: columns that were dropped or widened meanwhile keep all their values") {
  Schema first{
      .columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                  {.name = "a", .type = {TypeKind::int32}, .id = 2},
                  {.name = "gone", .type = {TypeKind::string}, .id = 3}}};
  Schema newest = first;
  newest.columns.pop_back();
  newest.columns[1].type = {TypeKind::int16};  // rolled back: the older type is wider
  newest.columns.push_back({.name = "new", .type = {TypeKind::float64}, .id = 4});
  Tail tail(std::make_shared<const Schema>(newest));
  using test::Value;
  tail.add(3, first,
           {{Value(std::int64_t{5}), Value(std::int64_t{100'000}), Value(std::string("x"))}});
  tail.add(4, newest, {{Value(std::int64_t{1}), Value(std::int64_t{7}), Value(0.5)}});
  REQUIRE(seal_tail(tail.context));
  const auto reader = tail.sealed(*tail.vfs);
  const auto column = [&](std::uint32_t id) {
    return reader->chunk(0, *reader->find(ColumnId{id}));
  };
  CHECK(column(2).value<std::int32_t>(1) == 100'000);
  CHECK(column(2).value<std::int32_t>(0) == 7);
  CHECK(column(3).text(1) == "x");
  CHECK(column(3).is_null(0));
  CHECK(column(4).value<double>(0) == 0.5);
  CHECK(column(4).is_null(1));
}

TEST_CASE("seal: its files are on the disk before a frame names them") {
  Random random(test::seed());
  Tail tail = tail_of(random, sample::random_schema(random));
  tail.history.while_committing = [&] {
    io::SimDisk after(io::after_power_loss(tail.disk.state(), {}), {});
    const auto vfs = after.attach();
    CHECK_NOTHROW(tail.sealed(*vfs)->verify());
  };
  CHECK(seal_tail(tail.context));
}

TEST_CASE(
    "seal: a seal that lost the race or failed removes its files, an unknown one keeps them") {
  Random random(test::seed());
  const auto schema = sample::random_schema(random);
  Tail lost = tail_of(random, schema);
  lost.history.seal_answer = false;
  CHECK_FALSE(seal_tail(lost.context));
  CHECK(lost.files() == 0);
  CHECK(lost.history.checkpoints == 0);
  Tail failed = tail_of(random, schema);
  failed.history.fails = Error(ErrorCode::io, "told to", {}, Outcome::failed);
  CHECK_THROWS_AS(seal_tail(failed.context), Error);
  CHECK(failed.files() == 0);
  Tail unknown = tail_of(random, schema);
  unknown.history.fails = Error(ErrorCode::io, "told to", {}, Outcome::unknown);
  CHECK_THROWS_AS(seal_tail(unknown.context), Error);
  CHECK(unknown.files() == 1);
}

TEST_CASE(
    "seal: a dataset whose codec nobody registered stays in the tail, the others are sealed") {
  Random random(test::seed());
  const auto schema = sample::random_schema(random);
  Tail tail = tail_of(random, schema);
  Schema strange = *schema;
  strange.columns.back().codec = "codec:nobody";
  const auto add_strange = [&](std::uint32_t index, const std::string& name) {
    const DatasetId id{CommitNumber{1}, index};
    tail.history.snapshot->entries[id] = {id, name, std::make_shared<const Schema>(strange)};
    tail.history.tails.push_back({id, tail.history.tails.front().second});
  };
  add_strange(1, "strange");
  std::ranges::reverse(tail.history.tails);  // it comes first
  const auto told = [&] {
    try {
      seal_tail(tail.context);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::unsupported_format);
      return error.message();
    }
    return std::string();
  };
  const std::string said = told();
  CHECK(said.find("rows of \"strange\" stay in the log, unsealed: column ") == 0);
  CHECK(said.find("codec \"nobody\", which this process has not registered") != said.npos);
  CHECK(said.find(quoted(strange.columns.back().name) + " of \"strange\"") != said.npos);
  REQUIRE(tail.history.seals.size() == 1);
  REQUIRE(tail.history.seals[0].datasets.size() == 1);
  CHECK(tail.history.seals[0].datasets[0].dataset == kDataset);
  CHECK(tail.files() == 1);  // and that of the other is removed
  CHECK(tail.history.left == 1);
  CHECK(tail.history.checkpoints == 1);
  tail.sealed(*tail.vfs)->verify();
  // Two of them, and none that can be sealed.
  add_strange(2, "stranger");
  std::erase_if(tail.history.tails, [](const auto& of) { return of.first == kDataset; });
  CHECK(told().find("(and 1 more like it)") != said.npos);
  CHECK(tail.history.seals.size() == 1);
  CHECK(tail.files() == 1);
}

TEST_CASE("seal: an empty tail makes neither a file nor a frame") {
  Tail tail(nullptr);
  CHECK_FALSE(seal_tail(tail.context));
  CHECK(tail.files() == 0);
  CHECK(tail.history.seals.empty());
}

}  // namespace otolith::ingest
