#include "ingest/recorder.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/unsynced.h"
#include "io/power_loss.h"
#include "io/sim_disk.h"
#include "model/leaf.h"
#include "model/wire.h"
#include "segment/path.h"
#include "test/budget.h"
#include "test/plain_history.h"
#include "test/refusal.h"
#include "test/segments.h"

namespace otolith::ingest {

namespace {

using test::code_of;

namespace sample = segment::sample;
using test::Random;
using test::Row;

constexpr std::int64_t kSpan = 40 * sample::kHour;

// A disk, a history that listens, and what recorders need.
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
    context.database = sample::id_of(3);
    context.threads = 2;
  }
  std::vector<std::string> files() {
    std::vector<std::string> out;
    if (!vfs->exists("segments")) return out;
    for (const std::string& folder : vfs->list("segments")) {
      for (const std::string& name : vfs->list("segments/" + folder)) out.push_back(name);
    }
    return out;
  }
  static std::shared_ptr<const segment::SegmentReader> reader(io::Vfs& of,
                                                              const history::SegmentRef& ref) {
    const std::string path = segment::segment_path(ref.id);
    return segment::SegmentReader::open(of.open(path, io::OpenMode::read), path,
                                        {.segment = ref.id, .footer_hash = ref.footer_hash}, true);
  }
};

history::CommitRequest request_of(const std::string& message, std::optional<Id128> change_id = {}) {
  history::CommitRequest request;
  request.message = message;
  request.change_id = change_id;
  return request;
}

history::CommitRequest relaxed() {
  history::CommitRequest request;
  request.relaxed = true;
  return request;
}

history::DatasetEntry table(std::uint32_t index, std::shared_ptr<const Schema> schema) {
  return {{CommitNumber{1}, index}, "table " + std::to_string(index), std::move(schema)};
}

std::vector<Row> random_rows(Random& random, const Schema& schema, std::uint64_t count) {
  std::vector<Row> rows;
  for (std::uint64_t i = 0; i < count; ++i)
    rows.push_back(sample::random_row(random, schema, kSpan));
  return rows;
}

// One fixed-width table, so that sizes can be chosen.
std::shared_ptr<const Schema> wide_schema() {
  Schema schema;
  for (int i = 0; i < 8; ++i) {
    schema.columns.push_back({.name = "n" + std::to_string(i), .type = {TypeKind::int64}});
    schema.columns.back().id = static_cast<std::uint32_t>(i + 2);
  }
  schema.columns.push_back(
      {.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1});
  return std::make_shared<const Schema>(std::move(schema));
}

void append_in_pieces(Recorder& recorder, const history::DatasetEntry& dataset,
                      const std::vector<Row>& rows, Random& random) {
  const Batch all = test::batch_of(dataset.schema, rows);
  for (std::uint64_t at = 0; at < all.rows;) {
    const std::uint64_t count = std::min(all.rows - at, 1 + test::below(random, 1 + all.rows / 2));
    const Batch piece = model::batch_slice(all, at, count);
    test::below(random, 2) == 0 ? recorder.append(dataset, piece)
                                : recorder.append_borrowed(dataset, piece);
    at += count;
  }
}

}  // namespace

TEST_CASE("recorder: small commits stand inside the frame, in stored order, under their root") {
  Random random(test::seed());
  for (int round = 0; round < 50; ++round) {
    Desk desk;
    const auto dataset = table(0, sample::random_schema(random));
    std::vector<Row> rows = random_rows(random, *dataset.schema, 1 + test::below(random, 60));
    Recorder recorder(desk.context);
    append_in_pieces(recorder, dataset, rows, random);
    CHECK(recorder.commit({}).number == CommitNumber{1});
    const auto& change = desk.history.commits.at(0).datasets.at(0);
    CHECK(desk.files().empty());
    CHECK(change.rows_added == rows.size());
    const auto stored = model::wire_decode(change.rows, nullptr);
    const Batch batch = model::conform(stored, dataset.schema);
    sample::sort_run(*dataset.schema, rows);
    REQUIRE(test::same_rows(test::rows_of(batch), rows));
    REQUIRE(stored.layout == model::RowLayout{{sample::run_of(*dataset.schema, rows)}});
    REQUIRE(model::rows_root(batch, stored.layout, change.salt) == change.rows_root);
    const auto time_of = [&](const Row& row) { return sample::time_of(*dataset.schema, row); };
    REQUIRE(change.time_min.ns == time_of(std::ranges::min(rows, {}, time_of)));
    REQUIRE(change.time_max.ns == time_of(std::ranges::max(rows, {}, time_of)));
  }
}

TEST_CASE("recorder: large commits name one segment whose rows, layout and root are theirs") {
  Random random(test::seed());
  for (int round = 0; round < 6; ++round) {
    Desk desk;
    const auto dataset = table(0, wide_schema());
    // Small memory makes several runs of what has to be sorted; the rest comes in one.
    desk.context.memory_bytes = round % 2 == 0 ? kMemoryBytesDefault : 1 << 20;
    std::vector<Row> rows =
        random_rows(random, *dataset.schema, 16'000 + test::below(random, 9000));
    if (round % 3 == 0) sample::sort_run(*dataset.schema, rows);
    Recorder recorder(desk.context);
    append_in_pieces(recorder, dataset, rows, random);
    recorder.commit({});
    const auto& change = desk.history.commits.at(0).datasets.at(0);
    REQUIRE(change.segment.has_value());
    CHECK(change.rows.empty());
    const auto reader = Desk::reader(*desk.vfs, *change.segment);
    reader->verify();
    std::vector<Row> read = sample::read_all(*reader);
    const auto& shape = reader->shape();
    if (round % 2 == 0) {
      CHECK(shape.runs == 1);
      sample::sort_run(*dataset.schema, rows);
      REQUIRE(test::same_rows(read, rows));
    } else {
      model::RowLayout layout;
      for (const auto& group : shape.row_groups) {
        if (group.run >= layout.runs.size()) layout.runs.emplace_back();
        model::Run& run = layout.runs.back();
        if (run.empty() || run.back().bucket != group.partition)
          run.push_back({group.partition, 0});
        run.back().rows += group.rows;
      }
      const Batch batch = test::batch_of(dataset.schema, read);
      REQUIRE(model::rows_root(batch, layout, change.salt) == change.rows_root);
      std::ranges::sort(read);
      std::ranges::sort(rows);
      REQUIRE(test::same_rows(read, rows));
    }
  }
}

TEST_CASE("recorder: unsorted rows beyond the memory become several runs, sorted ones stay one") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  std::vector<Row> rows = random_rows(random, *dataset.schema, 20'000);
  for (const bool sorted : {false, true}) {
    Desk desk;
    desk.context.memory_bytes = 1 << 20;
    if (sorted) sample::sort_run(*dataset.schema, rows);
    Recorder recorder(desk.context);
    recorder.append_borrowed(dataset, test::batch_of(dataset.schema, rows));
    recorder.commit({});
    const auto reader = Desk::reader(*desk.vfs, *desk.history.commits.at(0).datasets.at(0).segment);
    CHECK((reader->shape().runs == 1) == sorted);
  }
}

TEST_CASE("recorder: rows lent and changed before the commit are judged as they are written") {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "s", .type = {TypeKind::string}, .nullable = false, .id = 2}};
  const auto dataset = table(0, std::make_shared<const Schema>(schema));
  const auto flaws = std::to_array<std::pair<std::size_t, int>>({{0, 0x80}, {1, 0xff}, {1, 'z'}});
  for (const bool sorted : {false, true}) {
    for (const std::uint64_t inline_bytes : {std::uint64_t{0}, kInlineBytesMax}) {
      for (const auto& [column, byte] : flaws) {
        CAPTURE(sorted);
        CAPTURE(inline_bytes);
        CAPTURE(byte);
        Desk desk;
        desk.context.inline_bytes_max = inline_bytes;
        const Batch batch = test::batch_of(
            dataset.schema, {{std::int64_t{sorted ? 0 : 9}, "text"}, {5, "more"}, {7, "end"}});
        Recorder recorder(desk.context);
        recorder.append_borrowed(dataset, batch);
        // The time becomes -2^63, the text no UTF-8, or another text, which is as good as any.
        auto* bytes = const_cast<std::byte*>(batch.columns[column].values.bytes.data());
        bytes[column == 0 ? 7 : 0] = static_cast<std::byte>(byte);
        if (column == 0) std::fill_n(bytes, 7, std::byte{0});
        if (byte != 'z') {
          CHECK(code_of([&] { recorder.commit({}); }) == ErrorCode::invalid_argument);
          CHECK(desk.files().empty());
          CHECK(desk.history.commits.empty());
          continue;
        }
        recorder.commit({});
        const auto& change = desk.history.commits.at(0).datasets.at(0);
        if (change.segment) Desk::reader(*desk.vfs, *change.segment)->verify();
        CHECK(change.rows_added == 3);
      }
    }
  }
}

TEST_CASE("recorder: several tables are one commit; the large ones get a segment each") {
  Random random(test::seed());
  Desk desk;
  const auto schema = wide_schema();
  Recorder recorder(desk.context);
  for (const std::uint32_t index : {0u, 1u, 2u, 3u}) {
    const std::uint64_t count = index < 2 ? 20'000 : 10;
    recorder.append(table(index, schema),
                    test::batch_of(schema, random_rows(random, *schema, count)));
  }
  recorder.commit(request_of("open"));
  REQUIRE(desk.history.commits.size() == 1);
  const history::CommitRequest& request = desk.history.commits.front();
  CHECK(request.message == "open");
  REQUIRE(request.datasets.size() == 4);
  for (const auto& change : request.datasets) {
    CHECK(change.segment.has_value() == (change.dataset.index < 2));
    CHECK(change.rows.empty() == change.segment.has_value());
  }
  CHECK(desk.files().size() == 2);
}

TEST_CASE("recorder: discarding leaves nothing, and neither kind of end allows more") {
  Random random(test::seed());
  Desk desk;
  desk.context.memory_bytes = 1 << 20;
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  {
    Recorder recorder(desk.context);
    recorder.append(dataset, batch);
    CHECK(desk.files().size() == 1);  // beyond the memory
    recorder.discard();
    CHECK(desk.files().empty());
    CHECK_FALSE(recorder.open());
    CHECK_THROWS_AS(recorder.append(dataset, batch), Error);
    CHECK_THROWS_AS(recorder.commit({}), Error);
  }
  {
    Recorder dropped(desk.context);
    dropped.append(dataset, batch);
  }
  CHECK(desk.files().empty());
  CHECK(desk.history.commits.empty());
  Recorder recorder(desk.context);
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.empty());
  CHECK_THROWS_AS(recorder.append_borrowed(dataset, batch), Error);
}

TEST_CASE("recorder: an append that is refused leaves what was staged before it") {
  Random random(test::seed());
  Desk desk;
  const auto dataset = table(0, wide_schema());
  const std::vector<Row> rows = random_rows(random, *dataset.schema, 5);
  const Batch batch = test::batch_of(dataset.schema, rows);
  Recorder recorder(desk.context);
  recorder.append(dataset, batch);
  Batch bad = batch;
  bad.columns[8] = model::array_of_nulls({TypeKind::timestamp}, 5);
  CHECK_THROWS_AS(recorder.append(dataset, bad), Error);
  Schema other = *dataset.schema;
  other.columns[0].name = "renamed";
  const auto altered = std::make_shared<const Schema>(other);
  CHECK_THROWS_AS(recorder.append(table(0, altered), test::batch_of(altered, rows)), Error);
  recorder.commit({});
  CHECK(desk.history.commits.at(0).datasets.at(0).rows_added == 5);
}

TEST_CASE("recorder: a write that fails ends the recorder, and nothing of it stays") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  for (const io::Operation operation : {io::Operation::write, io::Operation::create}) {
    Desk desk;
    desk.context.memory_bytes = 1 << 20;
    Recorder recorder(desk.context);
    desk.disk.inject({.operation = operation, .at = 2, .error = 28});
    CHECK_THROWS_AS(
        {
          recorder.append(dataset, batch);
          recorder.append(dataset, batch);
          recorder.append(table(1, dataset.schema), batch);
        },
        Error);
    CHECK_FALSE(recorder.open());
    CHECK(desk.files().empty());
    CHECK(code_of([&] { recorder.append(dataset, batch); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { recorder.commit({}); }) == ErrorCode::no_space);
    CHECK(code_of([&] { recorder.commit({}); }) == ErrorCode::no_space);
    recorder.discard();
    CHECK(code_of([&] { recorder.commit({}); }) == ErrorCode::invalid_argument);
    CHECK(desk.history.commits.empty());
  }
}

TEST_CASE("commit: an error that ended the recorder is thrown again by the next commit") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  Desk desk;
  desk.history.fails = Error(ErrorCode::io, "told to", {}, Outcome::unknown);
  Recorder recorder(desk.context);
  recorder.append(dataset, test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 5)));
  for (int i = 0; i < 2; ++i) CHECK(code_of([&] { recorder.commit({}); }) == ErrorCode::io);
  CHECK(desk.history.commits.size() == 1);
  CHECK(recorder.failed());
}

TEST_CASE("commit: segments and their folders are on the disk before a frame names them") {
  Random random(test::seed());
  Desk desk;
  const auto dataset = table(0, wide_schema());
  const std::vector<Row> rows = random_rows(random, *dataset.schema, 20'000);
  bool looked = false;
  desk.history.while_committing = [&] {
    const auto& ref = desk.history.commits.at(0).datasets.at(0).segment;
    // All that was not synced is gone.
    io::SimDisk after(io::after_power_loss(desk.disk.state(), {}), {});
    const auto vfs = after.attach();
    CHECK_NOTHROW(Desk::reader(*vfs, *ref)->verify());
    looked = true;
  };
  Recorder recorder(desk.context);
  recorder.append(dataset, test::batch_of(dataset.schema, rows));
  recorder.commit({});
  CHECK(looked);
}

TEST_CASE("commit: files of a commit that failed go, those of an unknown outcome stay") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  for (const Outcome outcome : {Outcome::failed, Outcome::unknown}) {
    Desk desk;
    desk.history.fails = Error(ErrorCode::io, "told to", {}, outcome);
    Recorder recorder(desk.context);
    recorder.append(dataset, batch);
    CHECK_THROWS_AS(recorder.commit({}), Error);
    CHECK(desk.files().size() == (outcome == Outcome::failed ? 0 : 1));
  }
}

TEST_CASE("commit: a segment that cannot be synced fails the commit before the log hears of it") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  for (const io::Operation operation : {io::Operation::sync, io::Operation::sync_dir}) {
    Desk desk;
    Recorder recorder(desk.context);
    recorder.append(dataset, batch);
    desk.disk.inject({.operation = operation});
    try {
      recorder.commit({});
      FAIL("the commit succeeded");
    } catch (const Error& error) {
      CHECK(error.outcome() == Outcome::failed);
    }
    CHECK(desk.history.commits.empty());
    CHECK(desk.files().empty());
  }
}

TEST_CASE("commit: the same rows under one change id are the same request, other rows are not") {
  Random random(test::seed());
  Desk desk;
  const auto dataset = table(0, wide_schema());
  const std::vector<Row> rows = random_rows(random, *dataset.schema, 20'000);
  const auto commit = [&](std::vector<Row> of, const std::string& message) {
    Recorder recorder(desk.context, true);
    recorder.append(dataset, test::batch_of(dataset.schema, of));
    recorder.commit(request_of(message, sample::id_of(9)));
    return desk.history.commits.back().request_hash;
  };
  for (const std::uint64_t count : {10ull, 20'000ull}) {
    const std::vector<Row> some(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
    const Hash256 hash = commit(some, "a");
    CHECK(commit(some, "a") == hash);
    CHECK_FALSE(commit(some, "b") == hash);
    std::vector<Row> other = some;
    other[count / 2][0] = test::Value(std::int64_t{12345});
    CHECK_FALSE(commit(other, "a") == hash);
  }
}

TEST_CASE("commit: a retry in other pieces and under another budget is the same request") {
  Random random(test::seed());
  for (int round = 0; round < 4; ++round) {
    const auto dataset = table(0, round == 0 ? wide_schema() : sample::random_schema(random));
    std::vector<Row> rows = random_rows(random, *dataset.schema, round == 0 ? 20'000 : 3000);
    std::optional<Hash256> first;
    for (const std::uint64_t memory :
         {std::uint64_t{1} << 16, std::uint64_t{1} << 20, std::uint64_t{1} << 30}) {
      for (const std::uint64_t inline_bytes : {std::uint64_t{0}, kInlineBytesMax}) {
        Desk desk;
        desk.context.memory_bytes = memory;
        desk.context.inline_bytes_max = inline_bytes;
        Recorder recorder(desk.context, true);
        append_in_pieces(recorder, dataset, rows, random);
        recorder.commit(request_of("", sample::id_of(9)));
        const Hash256 hash = desk.history.commits.back().request_hash;
        REQUIRE(first.value_or(hash) == hash);
        first = hash;
        std::ranges::shuffle(rows, random);
      }
    }
  }
}

TEST_CASE("commit: a retry whose first try won removes its own files") {
  Random random(test::seed());
  Desk desk;
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  Recorder lost(desk.context, true);
  lost.append(dataset, batch);
  lost.commit(request_of("", sample::id_of(9)));
  CHECK(desk.files().empty());
  desk.history.while_committing = [&] {
    desk.history.snapshot->named.push_back(
        {.ref = *desk.history.commits.back().datasets.at(0).segment});
  };
  Recorder won(desk.context, true);
  won.append(dataset, batch);
  won.commit(request_of("", sample::id_of(9)));
  CHECK(desk.files().size() == 1);
}

TEST_CASE("commit: one that stands succeeds, also where nobody can tell which files it names") {
  Random random(test::seed());
  Desk desk;
  const auto dataset = table(0, wide_schema());
  desk.history.at_fails = Error(ErrorCode::io, "told to");
  Recorder recorder(desk.context, true);
  recorder.append(dataset,
                  test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000)));
  CHECK(recorder.commit(request_of("", sample::id_of(9))).number == CommitNumber{1});
  CHECK(desk.files().size() == 1);  // it may be the commit's
}

TEST_CASE("unsynced: segments of relaxed commits are synced by the next durable one") {
  Random random(test::seed());
  Desk desk;
  UnsyncedSegments unsynced;
  desk.context.unsynced = &unsynced;
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  std::vector<history::SegmentRef> named;
  for (int i = 0; i < 2; ++i) {
    Recorder recorder(desk.context);
    recorder.append(dataset, batch);
    const auto syncs = desk.disk.calls()[static_cast<std::size_t>(io::Operation::sync)];
    recorder.commit(relaxed());
    CHECK(desk.disk.calls()[static_cast<std::size_t>(io::Operation::sync)] == syncs);
    named.push_back(*desk.history.commits.back().datasets.at(0).segment);
  }
  unsynced.remove(named[1].id);  // as if another process had written it
  unsynced.sync(*desk.vfs, named);
  io::SimDisk after(io::after_power_loss(desk.disk.state(), {}), {});
  const auto vfs = after.attach();
  for (const auto& ref : named) CHECK_NOTHROW(Desk::reader(*vfs, ref)->verify());
}

TEST_CASE("unsynced: files that no frame names are forgotten, of an unknown outcome they stay") {
  Random random(test::seed());
  const auto dataset = table(0, wide_schema());
  const Batch batch = test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000));
  for (const Outcome outcome : {Outcome::failed, Outcome::unknown, Outcome::none}) {
    Desk desk;
    UnsyncedSegments unsynced;
    desk.context.unsynced = &unsynced;
    Recorder recorder(desk.context, outcome == Outcome::none);
    recorder.append(dataset, batch);
    history::CommitRequest request = relaxed();
    if (outcome == Outcome::none) {
      request.change_id = sample::id_of(9);  // an earlier commit answers for it
    } else {
      desk.history.fails = Error(ErrorCode::io, "told to", {}, outcome);
    }
    try {
      recorder.commit(request);
    } catch (const Error& error) {
      CHECK(error.outcome() == outcome);
    }
    const auto named = *desk.history.commits.back().datasets.at(0).segment;
    if (outcome == Outcome::unknown) {
      CHECK_NOTHROW(unsynced.sync(*desk.vfs, {named}));
    } else {
      CHECK_THROWS_AS(unsynced.sync(*desk.vfs, {named}), Error);
    }
  }
}

TEST_CASE("unsynced: after a sync that failed, no later one claims to have succeeded") {
  Random random(test::seed());
  Desk desk;
  UnsyncedSegments unsynced;
  desk.context.unsynced = &unsynced;
  const auto dataset = table(0, wide_schema());
  Recorder recorder(desk.context);
  recorder.append(dataset,
                  test::batch_of(dataset.schema, random_rows(random, *dataset.schema, 20'000)));
  recorder.commit(relaxed());
  const std::vector<history::SegmentRef> named{*desk.history.commits.back().datasets.at(0).segment};
  CHECK_NOTHROW(unsynced.check());
  desk.disk.inject({.operation = io::Operation::sync});
  CHECK_THROWS_AS(unsynced.sync(*desk.vfs, named), Error);
  CHECK_THROWS_AS(unsynced.check(), Error);
  CHECK_THROWS_AS(unsynced.sync(*desk.vfs, named), Error);
}

}  // namespace otolith::ingest
