// docs/format/checkpoint.md shows a small checkpoint and a run of the index byte by byte; both are
// golden files too.
#include <doctest/doctest.h>

#include "history/checkpoint.h"
#include "history/index_run.h"
#include "history/snapshot_view.h"
#include "io/sim_disk.h"
#include "test/hex_page.h"

namespace otolith::history {

namespace {

constexpr const char* kPage = "docs/format/checkpoint.md";
constexpr const char* kGolden = "test/golden/checkpoint-v1-five-commits.ckpt";
constexpr const char* kGoldenRun = "test/golden/index-run-v1-two-commits.commits";
constexpr DatasetId kQuotes{CommitNumber{1}, 0};
constexpr Timestamp kNine{1'767'603'600'000'000'000};

Id128 filled(std::uint8_t byte) {
  Id128 id;
  id.bytes.fill(std::byte{byte});
  return id;
}

Hash256 hash_of(std::uint8_t byte) {
  Hash256 hash;
  hash.bytes.fill(std::byte{byte});
  return hash;
}

Schema one_column() {
  Schema schema;
  schema.columns = {{"time", {TypeKind::timestamp}, false, 1, "", {}}};
  return schema;
}

// Commit 1 creates `quotes`, 2 adds three rows in a segment, 3 ends one of them, 4 goes back to 2,
// 5 reverts 2: so that nothing on the page stays empty but the files of marks.
Checkpoint five_commits() {
  Checkpoint out;
  out.lineage = std::make_shared<Lineage>();
  const auto add = [&](std::uint64_t number, CommitRecord record) {
    record.number = CommitNumber{number};
    out.catalog.apply(record, RecordNumber{number});
    out.range.append(hash_of(static_cast<std::uint8_t>(number)));
  };
  CommitRecord create;
  create.catalog.emplace_back(CreateDataset{"quotes", one_column()});
  add(1, create);
  CommitRecord rows;
  rows.datasets.emplace_back();
  rows.datasets[0].dataset = kQuotes;
  rows.datasets[0].rows_added = 3;
  rows.datasets[0].segment = SegmentRef{filled(0x5e), 2'000, 3, 0x0807060504030201, kNine, kNine};
  add(2, rows);
  CommitRecord marks;
  marks.datasets.emplace_back();
  marks.datasets[0].dataset = kQuotes;
  marks.datasets[0].marks = {{CommitNumber{2}, 1, 1, false}};
  add(3, marks);
  for (std::uint64_t number = 1; number <= 3; ++number) out.lineage->append(CommitNumber{number});
  CommitRecord back;
  back.lineage = RollbackRecord{CommitNumber{2}, std::nullopt};
  add(4, back);
  out.lineage->append_rollback(CommitNumber{4}, CommitNumber{2}, std::nullopt);
  Reversal reversal;
  reversal.commit = CommitNumber{2};
  reversal.delta.removed = {{CommitNumber{2}, CommitNumber{2}}};
  out.lineage->append_revert(CommitNumber{5}, reversal);
  CommitRecord revert;
  add(5, revert);
  out.head = {RecordNumber{7}, CommitNumber{5}, RecordNumber{7}, hash_of(5), kNine};
  out.tags = {{"v1", CommitNumber{2}}};
  out.lost = {{RecordNumber{5}, RecordNumber{6}, CommitNumber{4}, CommitNumber{0}}};
  out.replaced = {{filled(0x4a), kNine}};
  return out;
}

void dump_losses_and_files(otolith::test::HexDump& out) {
  out.heading("lost records");
  out.field(1, "runs of them");
  out.field(2, "first and last: 5, 6");
  out.field(1, "the commit before them: 4");
  out.field(1, "last commit that stood in them: none");
  out.heading("replaced files");
  out.field(1, "files of segments that were joined");
  out.field(16, "id");
  out.field(8, "when: 2026-01-05T09:00:00Z");
}

std::string dump_of(BytesView bytes) {
  otolith::test::HexDump out(bytes);
  out.heading("where history stands");
  out.field(4, "magic OCP1");
  out.field(4, "version 1");
  out.field(16, "database id");
  out.field(8, "last record");
  out.field(8, "last commit");
  out.field(8, "record of that commit");
  out.field(32, "its hash");
  out.field(8, "its time: 2026-01-05T09:00:00Z");
  out.field(2, "rows in the tail: none");
  out.heading("mountain range");
  out.field(8, "leaves: 5 = 4 + 1");
  out.field(32, "peak of commits 1 to 4");
  out.field(32, "peak of commit 5");
  out.heading("tags");
  out.field(1, "tags");
  out.field(3, "\"v1\"");
  out.field(1, "commit 2");
  dump_losses_and_files(out);
  out.heading("catalog");
  out.field(1, "datasets");
  out.field(2, "created by commit 1, index 0");
  out.field(1, "sealed up to record: none");
  out.field(1, "events");
  out.field(2, "commit 1; kind 1: create");
  out.field(7, "name \"quotes\"");
  out.field(2, "schema: version, columns");
  out.field(5, "column \"time\"");
  out.field(7, "timestamp, not nullable, id 1, codec and metadata: none");
  out.field(5, "time column");
  out.field(1, "keys");
  out.field(2, "partition: day; duplicates: keep");
  out.field(4, "codec \"hot\"");
  out.field(1, "metadata: none");
  out.field(1, "segments");
  out.field(16, "id");
  out.field(3, "bytes 2,000; rows 3");
  out.field(8, "XXH3 of its footer");
  out.field(16, "least and greatest time");
  out.field(2, "begins: commit 2, and 0 more");
  out.field(1, "begins in the rows themselves: no");
  out.field(1, "marks");
  out.field(1, "commit: 3 behind the mark before");
  out.field(1, "begin: 1 before the commit");
  out.field(1, "first ordinal");
  out.field(1, "rows * 2 + revive");
  out.field(1, "files of marks: none");
  out.heading("lineage");
  out.field(1, "last commit");
  out.field(1, "nodes of the database");
  out.field(3, "node 1: begins 4 behind 0; goes on 2 before; that is in the node 1 before");
  out.field(3, "node 2: begins 1 behind 4; goes on 1 before; that is in the node 1 before");
  out.field(1, "runs of nodes whose first commit has events: none");
  out.field(1, "datasets with nodes of their own: none");
  out.field(1, "deltas");
  out.field(1, "of commit 5");
  out.field(1, "of the database, not one dataset");
  out.field(3, "removed: one run, from 2, 0 more");
  out.field(1, "added: none");
  out.heading("end");
  out.field(8, "XXH3 of all before");
  CHECK(out.at() == bytes.size());
  return out.text();
}

Bytes file_of(io::Vfs& vfs, const std::string& path) {
  const std::string text = otolith::test::read_text(vfs, path);
  const BytesView bytes = as_bytes_view(text);
  return {bytes.begin(), bytes.end()};
}

// The file of the sources.
Bytes golden(const char* path, BytesView now) {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  otolith::test::make_golden(*sources, path, as_text(now));
  return file_of(*sources, path);
}

RunContent two_commits() {
  RunContent content{CommitNumber{1}, {}, {}, {}};
  ByteWriter heap;
  for (std::uint8_t number = 1; number <= 2; ++number) {
    MetaEntry entry{.hash = hash_of(number),
                    .change_id = filled(number),
                    .time = kNine,
                    .record = RecordNumber{number},
                    .heap_offset = heap.size(),
                    .relaxed = number == 2};
    MetaText text;
    text.author = "ana";
    text.message = number == 1 ? "create" : "rows";
    text.changes = {{.dataset = kQuotes, .added = number - 1u, .catalog = number == 1}};
    meta_text_write(heap, text);
    entry.heap_bytes = static_cast<std::uint32_t>(heap.size() - entry.heap_offset);
    content.entries.push_back(entry);
  }
  content.heap = heap.take();
  return content;
}

}  // namespace

TEST_CASE("checkpoint: the page on its format shows the very bytes of one") {
  const Bytes bytes = checkpoint_write(filled(0xda), five_commits());
  CHECK_MESSAGE(otolith::test::page_shows(kPage, dump_of(bytes)), "run with OTOLITH_UPDATE_DOCS=1");
}

TEST_CASE("checkpoint: the golden file of version 1 is written and read as ever") {
  const Bytes now = checkpoint_write(filled(0xda), five_commits());
  const Bytes file = golden(kGolden, now);
  CHECK(file == now);
  const Checkpoint read = checkpoint_read(filled(0xda), file);
  CHECK(read.head.record == RecordNumber{7});
  CHECK(read.tags.at("v1") == CommitNumber{2});
  CHECK(read.lost.size() == 1);
  CHECK(read.replaced == std::vector<ReplacedFile>{{filled(0x4a), kNine}});
  CHECK(read.lineage->contains(kQuotes, CommitNumber{4}, CommitNumber{2}));
  CHECK_FALSE(read.lineage->contains(kQuotes, CommitNumber{4}, CommitNumber{3}));
  CHECK_FALSE(read.lineage->contains(kQuotes, CommitNumber{5}, CommitNumber{2}));
  const CatalogView view{read.catalog.version(), read.lineage, CommitNumber{3}};
  const SnapshotView snapshot(view, std::make_shared<NameTable>(view));
  REQUIRE(snapshot.segments(kQuotes).size() == 1);
  CHECK(snapshot.segments(kQuotes)[0].ref.id == filled(0x5e));
  CHECK((snapshot.visible(kQuotes, CommitNumber{2}, 3).slice({0, 3}) == RowSet{{0, 1}, {2, 1}}));
}

TEST_CASE("index run: the golden file of version 1 is written and read as ever") {
  const auto vfs = io::memory_vfs();
  vfs->make_dir("index");
  const std::string name = IndexRun::write(*vfs, filled(0xda), two_commits());
  const Bytes now = file_of(*vfs, "index/" + name);
  const Bytes file = golden(kGoldenRun, now);
  CHECK(file == now);
  vfs->open("index/" + name, io::OpenMode::read_write)->write_at(0, file);
  const IndexRun run(*vfs, filled(0xda), name);
  REQUIRE(run.count() == 2);
  const MetaEntry second = run.entry(CommitNumber{2});
  CHECK(second.relaxed);
  CHECK(meta_text_read(run.text(second)).message == "rows");
  CHECK(run.find_change(filled(1)) == CommitNumber{1});
  std::vector<CommitNumber> found;
  run.find_hash("0202", 9, found);
  CHECK(found == std::vector{CommitNumber{2}});
}

}  // namespace otolith::history
