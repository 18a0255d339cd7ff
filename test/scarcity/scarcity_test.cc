// Memory that runs out: an error that says so, nothing hangs, and the next try works.
#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "codec/compress.h"
#include "codec/pressed.h"
#include "ingest/recorder.h"
#include "io/sim_disk.h"
#include "model/wire.h"
#include "otolith/expression.h"
#include "segment/path.h"
#include "test/pages.h"
#include "test/plain_history.h"
#include "test/scarcity/failing_memory.h"
#include "test/segments.h"

namespace otolith::test {

namespace {

namespace sample = segment::sample;

// The code and message of the error that a call ends with; "done" without one, "bad_alloc" for
// that.
std::string told(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "bad_alloc";
  }
  return "done";
}

Schema notes() {
  Schema schema;
  schema.partition = Partition::none;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "a", .type = {TypeKind::float64}, .id = 2},
                    {.name = "note", .type = {TypeKind::string}, .id = 3},
                    {.name = "b", .type = {TypeKind::int64}, .id = 4}};
  return schema;
}

Batch rows_of(std::uint64_t rows, std::size_t text_bytes) {
  model::ArrayBuilder times({TypeKind::timestamp});
  model::ArrayBuilder floats({TypeKind::float64});
  model::ArrayBuilder texts({TypeKind::string});
  model::ArrayBuilder integers({TypeKind::int64});
  for (std::uint64_t row = 0; row < rows; ++row) {
    times.append_value(static_cast<std::int64_t>(row));
    floats.append_value(static_cast<double>(row * row % 977) / 100);
    texts.append_text(std::string(text_bytes, static_cast<char>('a' + row % 7)) +
                      std::to_string(row * 7919));
    integers.append_value(static_cast<std::int64_t>(row * 31 % 1000));
  }
  Batch out{.schema = std::make_shared<const Schema>(notes()), .rows = rows};
  out.columns = {times.finish(), floats.finish(), texts.finish(), integers.finish()};
  return out;
}

}  // namespace

TEST_CASE("scarcity: a thread that gets no context of zstd says limit, and is no worse for it") {
  model::ArrayBuilder builder({TypeKind::string});
  for (int row = 0; row < 1000; ++row) builder.append_text("the same text again and again");
  const Array chunk = builder.finish();
  const codec::Codec& codec = codec::zstd_codec();
  std::string first;
  std::string second;
  std::thread([&] {
    const auto encode = [&] { (void)codec.encode(chunk, kPageRowsMax); };
    {
      const NoContexts none;
      first = told(encode);
    }
    second = told(encode);
  }).join();
  CHECK(first == "limit: zstd has no memory for a page; free some and try again");
  CHECK(second == "done");
  const codec::EncodedChunk encoded = codec::chunk_parts(codec, chunk, kPageRowsMax);
  const std::vector<codec::Page> pages = pages_of(codec, chunk, encoded, kPageRowsMax);
  std::string flaw = "unasked";
  std::thread([&] {
    const auto ask = [&] { flaw = codec::page_flaw(codec, pages[0]); };
    {
      const NoContexts none;
      first = told(ask);
    }
    second = told(ask);
  }).join();
  CHECK(first == "limit: zstd has no memory for a page; free some and try again");  // no damage
  CHECK(second == "done");
  CHECK(flaw == "");
}

TEST_CASE("scarcity: an allocation that fails in a thread of the writer ends the write, no more") {
  const Batch batch = rows_of(3 * kRowGroupRowsMax, 3);
  const auto write = [&] {
    const auto vfs = io::memory_vfs();
    const auto file = sample::file_of(*vfs, {});
    segment::SegmentSpec spec = sample::spec_of(batch.schema);
    spec.threads = 4;
    segment::SegmentWriter writer(*file, spec);
    writer.begin_run({{0, batch.rows}});
    writer.append(batch);
    writer.end_run();
    writer.finish();
    return sample::bytes_of(*file);
  };
  const Bytes sound = write();
  int failures = 0;
  for (std::uint64_t number = 1; number < 400; number += 1 + number / 8) {
    CAPTURE(number);
    const FailingAllocation failing(number);
    const std::string said = told([&] { (void)write(); });
    // Threads share the tasks as they come: the other ones may not have got so far.
    CHECK(said == (failing.failed() ? "bad_alloc" : "done"));
    failures += failing.failed() ? 1 : 0;
  }
  CHECK(failures >= 5);
  CHECK(write() == sound);
}

// A tail of two datasets, large and small, over a disk in memory.
struct TailOfTwo {
  PlainHistory history;
  std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  ingest::IngestContext context;

  TailOfTwo(std::uint64_t large, std::uint64_t small) {
    context.vfs = vfs.get();
    context.environment = environment.get();
    context.history = &history;
    add(0, "large", rows_of(large, 4000));
    add(1, "small", rows_of(small, 4));
  }

  void add(std::uint32_t index, const char* name, const Batch& batch) {
    const DatasetId id{CommitNumber{1}, index};
    history.snapshot->entries[id] = {id, name, batch.schema};
    const auto bytes =
        std::make_shared<const Bytes>(model::wire_encode(batch, {{{{0, batch.rows}}}}));
    history.tails.push_back({id, {{.begin = CommitNumber{3}, .rows = batch.rows, .bytes = bytes}}});
  }
};

TEST_CASE("scarcity: a dataset that there is no memory to seal stays in the tail, others do not") {
  TailOfTwo tail(1000, 10);
  PlainHistory& history = tail.history;
  std::string said;
  {
    const SmallMemory small(2 << 20);
    said = told([&] { ingest::seal_tail(tail.context); });
  }
  CHECK(said ==
        "limit: rows of \"large\" stay in the log, unsealed: there is no memory for it; "
        "free some and try again");
  REQUIRE(history.seals.size() == 1);
  REQUIRE(history.seals[0].datasets.size() == 1);
  CHECK(history.seals[0].datasets[0].dataset == DatasetId{CommitNumber{1}, 1});
  CHECK(told([&] { ingest::seal_tail(tail.context); }) == "done");
  CHECK(history.seals.back().datasets.size() == 2);
}

TEST_CASE("scarcity: a seal names no segment that is not there, whatever allocation failed in it") {
  std::uint64_t number = 1;
  std::uint64_t sealed = 0;
  for (bool failed = true; failed; ++number) {
    CAPTURE(number);
    TailOfTwo tail(5, 5);
    {
      const FailingAllocation failing(number, true);
      const std::string said = told([&] { ingest::seal_tail(tail.context); });
      failed = failing.failed();
      CHECK((said == "done") == !failed);
    }
    for (const history::SealRequest& seal : tail.history.seals) {
      for (const history::SealedDataset& dataset : seal.datasets) {
        ++sealed;
        CHECK(tail.vfs->exists(segment::segment_path(dataset.segment.ref.id)));
      }
    }
  }
  CHECK(number > 100);
  CHECK(sealed > 10);
}

TEST_CASE("scarcity: conditions of any shape are let go without an allocation") {
  std::optional<Expression> front = col("x") == 0;
  std::optional<Expression> back = front;
  std::optional<Expression> tree = front;
  for (int i = 1; i < 20'000; ++i) {
    front = (col("x") == i) || *front;
    back = *back && (col("x") == i);
  }
  for (int i = 0; i < 12; ++i) tree = !(*tree || !*tree);
  const FailingAllocation failing(1, true);
  front.reset();
  back.reset();
  tree.reset();
  CHECK_FALSE(failing.failed());
}

}  // namespace otolith::test
