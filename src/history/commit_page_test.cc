#include <doctest/doctest.h>

#include "history/commit_record.h"
#include "test/hex_page.h"

namespace otolith::history {

namespace {

Hash256 filled(std::uint8_t byte) {
  Hash256 hash;
  hash.bytes.fill(std::byte{byte});
  return hash;
}

Bytes small_commit() {
  CommitRecord record;
  record.number = CommitNumber{1};
  record.time = Timestamp{1'767'603'600'000'000'000};
  record.change_id.bytes.fill(std::byte{0xc1});
  record.author = "ana";
  Schema schema;
  schema.columns = {{"time", {TypeKind::timestamp}, false, 1, "", {}},
                    {"bid", {TypeKind::float64}, true, 2, "", {}}};
  record.catalog.emplace_back(CreateDataset{"quotes", schema});
  DatasetRecord rows;
  rows.dataset = {CommitNumber{1}, 0};
  rows.rows_added = 1;
  rows.salt.bytes.fill(std::byte{0x5a});
  rows.rows_root = filled(0xee);
  rows.time_min = rows.time_max = record.time;
  rows.rows = as_bytes_view("a row");
  dataset_record_finish(rows);
  record.datasets.push_back(rows);
  Hash256 hash;
  return commit_write(record, hash);
}

// Rows of two runs in a segment.
CommitRecord commit_of_runs() {
  CommitRecord record;
  record.number = CommitNumber{2};
  record.time = Timestamp{1'767'603'600'000'000'000};
  record.change_id.bytes.fill(std::byte{0xc2});
  record.features_optional = kRunsTold;
  DatasetRecord rows;
  rows.dataset = {CommitNumber{1}, 0};
  rows.rows_added = 5;
  rows.rows_root = filled(0xee);
  rows.time_max = record.time;
  rows.segment = SegmentRef{Id128{}, 4096, 5, 42, Timestamp{}, Timestamp{}};
  rows.runs = {3, 2};
  dataset_record_finish(rows);
  record.datasets.push_back(rows);
  return record;
}

std::string dump_of(BytesView bytes) {
  otolith::test::HexDump out(bytes);
  out.heading("header: hashed");
  out.field(4, "magic");
  out.field(4, "bytes of the header");
  out.field(8, "required and optional features: none");
  out.field(1, "flags: no origin");
  out.field(1, "number");
  out.field(8, "time: 2026-01-05T09:00:00Z");
  out.field(32, "parent: none");
  out.field(32, "root of the mountain range: no commits");
  out.field(16, "change id");
  out.field(4, "author: \"ana\"");
  out.field(2, "message, extra: empty");
  out.field(1, "lineage: an ordinary commit");
  out.field(1, "changes of the catalog");
  out.field(8, "create \"quotes\"");
  out.field(2, "schema: version, columns");
  out.field(5, "column \"time\"");
  out.field(7, "timestamp, not nullable, id 1, codec and metadata: none");
  out.field(4, "column \"bid\"");
  out.field(7, "float64, nullable, id 2, codec and metadata: none");
  out.field(5, "time column");
  out.field(1, "keys");
  out.field(2, "partition: day; duplicates: keep");
  out.field(4, "codec \"hot\"");
  out.field(1, "metadata: none");
  out.field(1, "datasets with rows or marks");
  out.field(2, "created by commit 1, index 0");
  out.field(3, "rows added, ended, revived");
  out.field(1, "begins that marks touch");
  out.field(32, "root: of the rows and the marks");
  out.heading("body");
  out.field(1, "request hash: none");
  out.field(1, "flags: rows, here");
  out.field(16, "salt");
  out.field(32, "root of the rows");
  out.field(16, "least and greatest time");
  out.field(6, "rows, as src/model/wire.h writes them: here \"a row\"");
  CHECK(out.at() == bytes.size());
  return out.text();
}

}  // namespace

TEST_CASE("format page: the dump in docs/format/commit.md is what the code writes") {
  CHECK_MESSAGE(otolith::test::page_shows("docs/format/commit.md", dump_of(small_commit())),
                "run with OTOLITH_UPDATE_DOCS=1");
}

TEST_CASE("format page: the golden commit says how many rows its runs have") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  Hash256 hash;
  const Bytes now = commit_write(commit_of_runs(), hash);
  const char* const path = "test/golden/commit-v1-several-runs.bin";
  otolith::test::make_golden(*sources, path, as_text(now));
  const std::string golden = otolith::test::read_text(*sources, path);
  CHECK(golden == as_text(now));
  CommitRecord record;
  commit_read(as_bytes_view(golden), record);
  CHECK(record.datasets.front().runs == std::vector<std::uint64_t>{3, 2});
  CHECK(record.features_optional == kRunsTold);
  CHECK(commit_hash(as_bytes_view(golden)) == hash);
}

}  // namespace otolith::history
