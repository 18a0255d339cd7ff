// What a recorder deletes: staged rows at once, others by asking for them at the commit.
#include "ingest/removals.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "ingest/recorder.h"
#include "io/sim_disk.h"
#include "model/wire.h"
#include "test/plain_history.h"
#include "test/refusal.h"
#include "test/rows.h"

namespace otolith::ingest {

namespace {

using test::code_of;

struct Desk {
  io::SimDisk disk;
  std::unique_ptr<io::Vfs> vfs = disk.attach();
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  test::PlainHistory history;
  IngestContext context;

  Desk() {
    context.vfs = vfs.get();
    context.environment = environment.get();
    context.history = &history;
  }
};

history::DatasetEntry table(Duplicates duplicates = Duplicates::keep) {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "n", .type = {TypeKind::int64}, .id = 2}};
  schema.duplicates = duplicates;
  return {{CommitNumber{1}, 0}, "t", std::make_shared<const Schema>(std::move(schema))};
}

Batch rows_from(const history::DatasetEntry& of, std::int64_t first, std::int64_t count) {
  std::vector<test::Row> rows;
  for (std::int64_t i = first; i < first + count; ++i) rows.push_back({i, i});
  return test::batch_of(of.schema, rows);
}

ReadRequest from(std::int64_t start) {
  ReadRequest out;
  out.start = Timestamp{start};
  return out;
}

ReadRequest where(const Expression& condition) {
  ReadRequest out;
  out.where = condition;
  return out;
}

}  // namespace

TEST_CASE("removals: staged rows are netted in order, and never written") {
  Desk desk;
  const auto dataset = table();
  Recorder recorder(desk.context);
  recorder.append(dataset, rows_from(dataset, 0, 4));
  recorder.append_borrowed(dataset, rows_from(dataset, 4, 4));
  recorder.remove(dataset, from(2));
  recorder.append(dataset, rows_from(dataset, 3, 2));
  recorder.remove(dataset, where(col("n") == 0));
  recorder.commit({});
  const history::CommitRequest& request = desk.history.commits.at(0);
  REQUIRE(request.datasets.size() == 1);
  const auto stored = model::wire_decode(request.datasets[0].rows, nullptr);
  CHECK(test::same_rows(test::rows_of(model::conform(stored, dataset.schema)),
                        {{1, 1}, {3, 3}, {4, 4}}));
  REQUIRE(request.markings.size() == 1);
  CHECK(request.markings[0].dataset == dataset.id);
  CHECK(request.markings[0].by_row);
}

TEST_CASE("removals: what takes all that was staged leaves no rows in the request") {
  Desk desk;
  const auto dataset = table();
  Recorder recorder(desk.context);
  recorder.append(dataset, rows_from(dataset, 0, 4));
  recorder.remove(dataset, {});
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.empty());
  CHECK(desk.history.commits.at(0).markings.size() == 1);
}

TEST_CASE("removals: what is refused leaves what was staged") {
  Desk desk;
  desk.context.memory_bytes = 3 << 10;
  const auto dataset = table();
  Recorder recorder(desk.context);
  recorder.append(dataset, rows_from(dataset, 0, 10));
  CHECK(code_of([&] { recorder.remove(dataset, where(col("m") == 1)); }) ==
        ErrorCode::invalid_argument);
  auto altered = table();
  Schema other = *altered.schema;
  other.columns[1].name = "m";
  altered.schema = std::make_shared<const Schema>(other);
  CHECK(code_of([&] { recorder.remove(altered, from(0)); }) == ErrorCode::conflict);
  recorder.append(dataset, rows_from(dataset, 10, 100));
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.at(0).rows_added == 110);
  CHECK(desk.history.commits.at(0).markings.empty());
}

TEST_CASE("removals: a policy does not judge staged rows and others together") {
  for (const std::uint64_t memory : {kMemoryBytesDefault, std::uint64_t{60}}) {
    Desk desk;
    desk.context.memory_bytes = memory;
    const auto dataset = table(Duplicates::last);
    Recorder recorder(desk.context);
    recorder.remove(dataset, where(col("n") == 1));
    recorder.append(dataset, rows_from(dataset, 0, 3));
    CHECK(code_of([&] { recorder.remove(dataset, where(col("n") == 1)); }) ==
          ErrorCode::invalid_argument);
  }
  Desk desk;
  const auto dataset = table(Duplicates::last);
  Recorder recorder(desk.context);
  recorder.remove(dataset, where(col("n") == 1));
  recorder.append(dataset, rows_from(dataset, 0, 3));
  recorder.remove(dataset, from(2));
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.at(0).rows_added == 2);
  CHECK_FALSE(desk.history.commits.at(0).markings.at(0).by_row);
}

TEST_CASE("removals: a retry is told from another delete") {
  const auto hash_of = [](const ReadRequest& request, std::uint64_t before) {
    Blake3 hash;
    hash_request(hash, {CommitNumber{1}, 0}, before, request);
    return hash.finish();
  };
  std::vector<ReadRequest> different{from(1),
                                     from(2),
                                     {},
                                     where(col("n") == 1),
                                     where(col("n") == 2),
                                     where(col("n") != 1),
                                     where(col("n") == "1"),
                                     where(col("n") + 1 == 2),
                                     where(col("n") - 1 == 2),
                                     where(col("n") == col("n")),
                                     where(col("n").cast({TypeKind::int8}) == 1),
                                     where(col("n").cast({TypeKind::int16}) == 1),
                                     where(col("n").try_cast({TypeKind::int8}) == 1),
                                     where(col("n").call("abs") == 1),
                                     where(col("time").call("hour") == 1),
                                     where(col("time").call("minute") == 1),
                                     where(col("time").call("floor", {"1h"}) > Timestamp{1}),
                                     where(col("time").call("floor", {"2h"}) > Timestamp{1}),
                                     where(col("n") > 0.1),
                                     where(col("n") > Constant::number("0.1"))};
  different.emplace_back().stop = Timestamp{1};
  different.emplace_back().keys = {{"n", {std::int64_t{1}}}};
  different.emplace_back().keys = {{"n", {std::int64_t{1}, std::int64_t{2}}}};
  std::vector<Hash256> hashes;
  for (const ReadRequest& request : different) {
    CHECK(hash_of(request, 7) == hash_of(request, 7));
    CHECK(hash_of(request, 7) != hash_of(request, 8));
    const Hash256 hash = hash_of(request, 7);
    CHECK(std::ranges::find(hashes, hash) == hashes.end());
    hashes.push_back(hash);
  }
}

}  // namespace otolith::ingest
