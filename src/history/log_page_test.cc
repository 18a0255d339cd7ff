// docs/format/log.md shows the very bytes of a log.
#include "history/commit_record.h"
#include "history/history.h"
#include "history/log_layout.h"
#include "history/test_log.h"
#include "model/leaf.h"
#include "model/wire.h"
#include "test/hex_page.h"

namespace otolith::history {

namespace {

const char* const kPage = "docs/format/log.md";
const char* const kGolden = "test/golden/log-v1-two-commits.log";
constexpr const char* kFile = "log/00000001.log";
constexpr DatasetId kNotes{CommitNumber{1}, 0};
constexpr Timestamp kNine{1'767'603'600'000'000'000};  // 2026-01-05T09:00:00Z
constexpr std::int64_t kDay = 20'458;                  // the same day, counted from 1970

Id128 id_of(std::uint8_t kind, std::uint8_t number) {
  return {{std::byte{kind}, std::byte{number}}};
}

Schema two_columns() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "mood", .type = {TypeKind::int8}, .id = 2}};
  return schema;
}

CommitRequest request(std::uint8_t number, std::string message) {
  CommitRequest out;
  out.author = "ana";
  out.message = std::move(message);
  out.change_id = id_of(0xc1, number);
  out.time = Timestamp{kNine.ns + (number - 1) * 1'000'000'000ll};
  return out;
}

CommitRequest create_notes() {
  CommitRequest out = request(1, "create");
  out.catalog.emplace_back(CreateDataset{"notes", two_columns()});
  return out;
}

// One row: nine o'clock, mood 7.
CommitRequest add_row() {
  const auto schema = std::make_shared<const Schema>(two_columns());
  Batch batch{schema, 1, {}};
  Bytes time(sizeof kNine.ns);
  store_le(time.data(), kNine.ns);
  for (Bytes& values : std::array<Bytes, 2>{time, Bytes{std::byte{7}}}) {
    Array column{.type = schema->columns[batch.columns.size()].type, .length = 1};
    column.values = buffer_of(values);
    batch.columns.push_back(std::move(column));
  }
  const model::RowLayout layout{{{{kDay, 1}}}};
  CommitRequest out = request(2, "one row");
  DatasetChange& change = out.datasets.emplace_back();
  change.dataset = kNotes;
  change.rows_added = 1;
  change.rows = model::wire_encode(batch, layout);
  change.salt = id_of(0x5a, 1);
  change.rows_root = model::rows_root(batch, layout, change.salt);
  change.time_min = change.time_max = kNine;
  return out;
}

HistoryOptions small_history() {
  HistoryOptions options;
  options.log = small_log();
  options.log.preallocate_bytes = 4096;
  return options;
}

std::unique_ptr<History> open_history(const std::shared_ptr<io::Vfs>& vfs) {
  return History::open(vfs, io::simulated_environment(1), kTestDatabase, small_history());
}

// A log as a program leaves it that made two commits and closed the database.
struct TwoCommits {
  Bytes file;                                     // up to the preallocated zeros
  std::map<std::uint64_t, std::string> payloads;  // of the commits, by record
  CommitRecord first;
  CommitRecord second;

  TwoCommits() {
    const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
    History::create(*vfs, *io::simulated_environment(1), kTestDatabase, small_history().log);
    const auto history = open_history(vfs);
    history->commit(create_notes());
    history->commit(add_row());
    history->close();
    file = file_bytes(*vfs, kFile);
    while (!file.empty() && file.back() == std::byte{0}) file.pop_back();
    file.resize(align_up(file.size(), kFrameAlignment));
    TestProcess process(vfs);
    process.refresh();
    payloads = process.seen;
    commit_read(as_bytes_view(payloads.at(1)), first);
    commit_read(as_bytes_view(payloads.at(2)), second);
  }
};

void dump_file_header(test::HexDump& dump) {
  dump.heading("header of the file");
  dump.field(8, "magic");
  dump.field(4, "format version 1");
  dump.field(4, "bytes of the header");
  dump.field(8, "required features: none");
  dump.field(8, "optional features: none");
  dump.field(16, "database id");
  dump.field(16, "salt");
  dump.field(8, "number of the file");
  dump.field(8, "first record");
  dump.field(8, "last record on the disk when the file began");
  dump.field(8, "epoch");
  dump.field(8, "bytes of the file when it began");
  dump.field(32, "hash of the last commit before this file: none");
  dump.zeros(kHeaderChecksumAt - kHeaderReservedAt, "zero");
  dump.field(8, "XXH3 of bytes 0 to 503");
}

void dump_frame_header(test::HexDump& dump, std::uint64_t number, const char* type) {
  dump.heading(fmt::format("frame {}", number));
  dump.field(8, "checksum: XXH3 of all that follows in the frame, under the salt");
  dump.field(4, "bytes of the payload");
  dump.field(1, type);
  dump.field(1, "flags: not relaxed");
  dump.field(1, "required: know the type");
  dump.field(1, "optional features: none");
  dump.field(8, "record number");
  dump.field(8, "synced to: records up to this one were on the disk");
  dump.field(8, number == 1 ? "chain: XXH3 of the salt" : "chain: checksum of the frame before");
  dump.field(16, "nonce: not encrypted");
  dump.field(4, "key id: not encrypted");
  dump.field(4, "header check: XXH3 of bytes 8 to 59, low half, under the salt");
}

void dump_commit_header(test::HexDump& dump, const CommitRecord& record) {
  dump.field(4, "magic OTC1");
  dump.field(4, "bytes of the hashed header");
  dump.field(4, "required features: none");
  dump.field(4, "optional features: none");
  dump.field(1, "flags: no origin");
  dump.field(1, "commit number");
  dump.field(8, "commit time");
  dump.field(32, value_of(record.number) == 1 ? "parent: none" : "parent: hash of commit 1");
  dump.field(32, "root of the mountain range over the commits before");
  dump.field(16, "change id");
  dump.field(1 + record.author.size(), "author");
  dump.field(1 + record.message.size(), "message");
  dump.field(1, "extra: none");
  dump.field(1, "lineage: ordinary");
}

void dump_schema(test::HexDump& dump, const Schema& schema) {
  dump.field(1, "schema version");
  dump.field(1, "columns");
  for (const Column& column : schema.columns) {
    dump.field(1 + column.name.size(), "  name");
    dump.field(4, "  type, precision, scale, nullable");
    dump.field(1, "  column id");
    dump.field(2, "  codec, metadata: none");
  }
  dump.field(1 + schema.time.size(), "name of the time column");
  dump.field(1, "keys: none");
  dump.field(2, "partition, duplicates");
  dump.field(1 + schema.codec.size(), "codec");
  dump.field(1, "metadata: none");
}

void dump_first(test::HexDump& dump, const CommitRecord& record) {
  dump_frame_header(dump, 1, "type 1: commit");
  dump_commit_header(dump, record);
  const auto& create = std::get<CreateDataset>(record.catalog.front());
  dump.field(1, "changes of the catalog");
  dump.field(1, "  1: create");
  dump.field(1 + create.name.size(), "  name");
  dump_schema(dump, create.schema);
  dump.field(1, "datasets with changed rows: none");
  dump.field(1, "body: no request hash");
}

void dump_second(test::HexDump& dump, const TwoCommits& log) {
  dump_frame_header(dump, 2, "type 1: commit");
  dump_commit_header(dump, log.second);
  dump.field(1, "changes of the catalog: none");
  dump.field(1, "datasets with changed rows");
  dump.field(2, "  dataset: created by commit 1, the first of it");
  dump.field(4, "  rows added, ended, revived; begins that marks touch");
  dump.field(32, "  root of its rows and marks");
  dump.field(1, "body: no request hash");
  dump.field(1, "  flags: rows");
  dump.field(16, "  salt of the leaf keys");
  dump.field(32, "  root of its rows");
  dump.field(16, "  least and greatest time");
  dump.field(1 + log.second.datasets.front().rows.size(), "  the row (src/model/wire.cc)");
}

std::string dump_of(const TwoCommits& log) {
  test::HexDump dump(log.file);
  const auto pad = [&] {
    const std::size_t padding = align_up(dump.at(), kFrameAlignment) - dump.at();
    if (padding != 0) dump.field(padding, "zero, up to a multiple of 8");
  };
  dump_file_header(dump);
  dump_first(dump, log.first);
  pad();
  dump_second(dump, log);
  pad();
  dump_frame_header(dump, 3, "type 3: sync mark, without a payload");
  REQUIRE(dump.at() == log.file.size());
  dump.heading("zeros up to the size that was preallocated");
  return dump.text();
}

}  // namespace

TEST_CASE("log: the page on its format shows the very bytes of a log") {
  CHECK_MESSAGE(test::page_shows(kPage, dump_of(TwoCommits())), "run with OTOLITH_UPDATE_DOCS=1");
}

TEST_CASE("log: the golden file of version 1 opens and gives its commits") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const TwoCommits now;
  test::make_golden(*sources, kGolden, as_text(now.file));
  const Bytes golden = file_bytes(*sources, kGolden);
  CHECK(golden == now.file);
  const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  vfs->make_dir("log");
  Bytes whole = golden;
  whole.resize(small_history().log.preallocate_bytes);
  put_file(*vfs, kFile, whole);
  const auto history = open_history(vfs);
  const auto head = history->head();
  CHECK(head->number() == CommitNumber{2});
  CHECK(history->commit_info(CommitNumber{1}).message == "create");
  CHECK(history->commit_info(CommitNumber{2}).time.ns == kNine.ns + 1'000'000'000);
  const auto tail = head->tail(kNotes);
  REQUIRE(tail.size() == 1);
  const model::StoredRows rows = model::wire_decode(*tail.front().bytes, nullptr);
  REQUIRE(rows.columns.size() == 2);
  CHECK(rows.columns[0].array.value<std::int64_t>(0) == kNine.ns);
  CHECK(rows.columns[1].array.value<std::int8_t>(0) == 7);
}

}  // namespace otolith::history
