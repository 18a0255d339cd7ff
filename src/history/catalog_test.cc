#include <doctest/doctest.h>

#include <functional>

#include "history/checkpoint.h"
#include "history/snapshot_view.h"

namespace otolith::history {

namespace {

Schema schema_of(std::vector<std::pair<std::string, std::uint32_t>> columns) {
  Schema schema;
  schema.columns.push_back({"time", {TypeKind::timestamp}, false, 1, "", {}});
  for (auto& [name, id] : columns)
    schema.columns.push_back({name, {TypeKind::int64}, true, id, "", {}});
  return schema;
}

Id128 id_of(std::uint64_t number) {
  Id128 id;
  store_le(id.bytes.data(), number);
  return id;
}

// A catalog with its lineage, to which commits are applied one after the other.
struct History {
  Catalog catalog;
  std::shared_ptr<Lineage> lineage = std::make_shared<Lineage>();
  std::uint64_t commit = 0;
  std::uint64_t record = 0;

  void add(CommitRecord one) {
    one.number = CommitNumber{++commit};
    catalog.apply(one, RecordNumber{++record});
    if (const auto* rollback = std::get_if<RollbackRecord>(&one.lineage)) {
      lineage->append_rollback(one.number, rollback->to, rollback->dataset);
    } else {
      lineage->append(one.number);
    }
  }
  void change(CatalogChange change) {
    CommitRecord one;
    one.catalog = {std::move(change)};
    add(one);
  }
  void rows(DatasetId dataset, std::string_view bytes) {
    CommitRecord one;
    DatasetRecord rows;
    rows.dataset = dataset;
    rows.rows_added = 1;
    rows.rows = as_bytes_view(bytes);
    one.datasets = {rows};
    add(one);
  }
  void segment(DatasetId dataset, std::uint64_t id) {
    CommitRecord one;
    DatasetRecord rows;
    rows.dataset = dataset;
    rows.rows_added = 5;
    rows.segment = SegmentRef{id_of(id), 100, 5, 0, {}, {}};
    one.datasets = {rows};
    add(one);
  }
  void marks(DatasetId dataset, std::uint64_t begin) {
    CommitRecord one;
    DatasetRecord ends;
    ends.dataset = dataset;
    ends.marks = {{CommitNumber{begin}, commit, 1, false}};
    one.datasets = {ends};
    add(one);
  }
  void rollback(std::uint64_t to, std::optional<DatasetId> dataset = {}) {
    CommitRecord one;
    one.lineage = RollbackRecord{CommitNumber{to}, dataset};
    add(one);
  }
  SnapshotView at(std::uint64_t number) const {
    const CatalogView view{catalog.version(), lineage, CommitNumber{number}};
    return {view, std::make_shared<NameTable>(view)};
  }
  std::vector<std::string> names(std::uint64_t number) const {
    std::vector<std::string> out;
    for (const DatasetEntry& entry : at(number).datasets()) out.push_back(entry.name);
    return out;
  }
};

const DatasetId kFirst{CommitNumber{1}, 0};

using Names = std::vector<std::string>;

SealRecord seal_of(DatasetId dataset, std::uint64_t covers, std::uint64_t base, std::uint64_t id,
                   std::uint64_t first, std::uint64_t last) {
  SegmentEntry entry{{id_of(id), 100, 9, 0, {}, {}}, CommitNumber{first}, CommitNumber{last}, true};
  return {RecordNumber{covers}, {{dataset, RecordNumber{base}, entry}}};
}

CompactRecord join_of(std::vector<std::uint64_t> replaced, std::uint64_t id, std::uint64_t first,
                      std::uint64_t last, std::uint64_t rows = 10) {
  CompactRecord join;
  join.dataset = kFirst;
  for (const std::uint64_t segment : replaced) join.replaced.push_back(id_of(segment));
  join.segments = {
      {{id_of(id), 100, rows, 0, {}, {}}, CommitNumber{first}, CommitNumber{last}, true}};
  return join;
}

}  // namespace

TEST_CASE("catalog: names and schemas follow the lineage, and a dropped name is free again") {
  History history;
  history.change(CreateDataset{"b", schema_of({{"x", 2}})});    // 1
  history.change(RenameDataset{kFirst, "a"});                   // 2
  history.change(CreateDataset{"c", schema_of({})});            // 3
  history.change(AlterDataset{kFirst, schema_of({{"y", 3}})});  // 4
  history.change(DropDataset{kFirst});                          // 5
  history.change(CreateDataset{"a", schema_of({})});            // 6
  CHECK(history.names(0) == Names{});
  CHECK(history.names(1) == Names{"b"});
  CHECK(history.names(4) == Names{"a", "c"});
  CHECK(history.names(5) == Names{"c"});
  CHECK(history.at(6).find("a")->id == DatasetId{CommitNumber{6}, 0});
  CHECK(history.at(4).find("a")->id == kFirst);
  CHECK(history.at(3).find("a")->schema->find("x"));
  CHECK(history.at(4).find(kFirst)->schema->find("y"));
  CHECK_FALSE(history.at(5).find(kFirst));
  history.rollback(1);  // 7
  CHECK(history.names(7) == Names{"b"});
  CHECK(history.at(7).find("b")->schema->find("x"));
  CHECK(history.names(6) == Names{"a", "c"});
}

TEST_CASE("catalog: column ids are never reused, also across rolled-back commits") {
  History history;
  history.change(CreateDataset{"a", schema_of({{"x", 2}})});
  history.change(AlterDataset{kFirst, schema_of({{"x", 2}, {"y", 3}})});
  history.rollback(1);
  CHECK(history.at(3).find("a")->schema->columns.size() == 2);
  CHECK(history.catalog.next_column(kFirst) == 4);
}

TEST_CASE("catalog: a seal switches tail and segment in one step; older snapshots keep theirs") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.rows(kFirst, "two");
  history.segment(kFirst, 33);
  history.rows(kFirst, "four");
  const SnapshotView before = history.at(4);
  CHECK(before.tail(kFirst).size() == 2);
  CHECK(before.segments(kFirst).size() == 1);
  const SealRecord seal = seal_of(kFirst, 3, 0, 77, 2, 2);
  REQUIRE(history.catalog.seal_fits(seal));
  history.catalog.apply_seal(seal);
  CHECK_FALSE(history.catalog.seal_fits(seal));
  const SnapshotView after = history.at(4);
  CHECK(after.tail(kFirst).size() == 1);
  CHECK(after.segments(kFirst).size() == 2);
  CHECK(after.segments(kFirst)[0].ref.id == id_of(77));
  CHECK(before.tail(kFirst).size() == 2);
  CHECK(before.segments(kFirst).size() == 1);
  CHECK(history.at(2).segments(kFirst).size() == 1);
  CHECK(history.at(1).segments(kFirst).empty());
}

TEST_CASE("catalog: what is cut off behind a commit goes, also where a join was put behind it") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.segment(kFirst, 33);
  history.segment(kFirst, 34);
  history.segment(kFirst, 35);
  history.catalog.apply_compact(join_of({33, 34}, 77, 2, 3));
  history.catalog.truncate(CommitNumber{3});
  history.lineage->truncate(CommitNumber{3});
  const auto segments = history.at(3).segments(kFirst);
  REQUIRE(segments.size() == 1);
  CHECK(segments[0].ref.id == id_of(77));
  std::uint64_t stored = 0;
  const auto& all = *history.catalog.version()->find(kFirst)->segments;
  for (std::size_t i = 0; i < all.size(); ++i) stored += all[i].entry.begin_last > CommitNumber{3};
  CHECK(stored == 0);
}

TEST_CASE("catalog: a join switches its segments in one step; older snapshots keep theirs") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.segment(kFirst, 33);
  history.segment(kFirst, 34);
  history.segment(kFirst, 35);
  const SnapshotView before = history.at(4);
  const CompactRecord join = join_of({33, 34}, 77, 2, 3);
  REQUIRE(history.catalog.compact_fits(join));
  history.catalog.apply_compact(join);
  history.segment(kFirst, 36);
  const auto ids = [](const SnapshotView& view) {
    std::vector<Id128> out;
    for (const SegmentEntry& entry : view.segments(kFirst)) out.push_back(entry.ref.id);
    return out;
  };
  CHECK(ids(before) == std::vector{id_of(33), id_of(34), id_of(35)});
  CHECK(ids(history.at(5)) == std::vector{id_of(77), id_of(35), id_of(36)});
  CHECK(ids(history.at(2)) == std::vector{id_of(77)});
  CHECK(ids(history.at(1)).empty());
  // Neither again, nor another of a segment that went.
  CHECK_FALSE(history.catalog.compact_fits(join));
  CHECK_FALSE(history.catalog.compact_fits(join_of({34, 35}, 78, 3, 4)));
  CHECK(history.catalog.compact_fits(join_of({35, 77}, 78, 2, 4, 15)));
  CompactRecord other = join_of({35, 36}, 78, 4, 5);
  other.dataset = {CommitNumber{9}, 0};
  CHECK_FALSE(history.catalog.compact_fits(other));
}

TEST_CASE("catalog: a join into other rows than those of its segments is corrupt") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.segment(kFirst, 33);
  history.segment(kFirst, 34);
  CHECK(history.catalog.compact_fits(join_of({33, 34}, 77, 2, 3)));
  CHECK_THROWS_AS(history.catalog.compact_fits(join_of({33, 34}, 77, 2, 3, 9)), Error);
  CHECK_THROWS_AS(history.catalog.compact_fits(join_of({33, 34}, 77, 1, 3)), Error);
  CHECK_THROWS_AS(history.catalog.compact_fits(join_of({33, 34}, 77, 2, 4)), Error);
  CompactRecord late = join_of({33, 34}, 77, 2, 3);
  late.segments[0].ref.time_max = Timestamp{1};
  CHECK_THROWS_AS(history.catalog.compact_fits(late), Error);
}

TEST_CASE("catalog: segments and tail of rolled-back commits are left out") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.rows(kFirst, "two");
  history.segment(kFirst, 33);
  history.rollback(1);
  CHECK(history.at(4).tail(kFirst).empty());
  CHECK(history.at(4).segments(kFirst).empty());
  CHECK(history.at(3).segments(kFirst).size() == 1);
  CHECK(history.at(4).visible(kFirst, CommitNumber{2}, 1).kind() == VisibleRows::Kind::none);
  CHECK(history.at(3).visible(kFirst, CommitNumber{2}, 1).kind() == VisibleRows::Kind::all);
}

TEST_CASE("catalog: truncation forgets the commits behind, and snapshots before them stay whole") {
  History history;
  history.change(CreateDataset{"a", schema_of({})});
  history.rows(kFirst, "two");
  const SnapshotView kept = history.at(2);
  history.segment(kFirst, 3);
  history.rows(kFirst, "four");
  history.change(CreateDataset{"b", schema_of({})});
  history.catalog.truncate(CommitNumber{2});
  history.lineage->truncate(CommitNumber{2});
  history.commit = history.record = 2;
  CHECK(history.catalog.tail_entries() == 1);
  CHECK(history.names(2) == Names{"a"});
  history.rows(kFirst, "three");
  CHECK(history.at(3).tail(kFirst).size() == 2);
  CHECK(history.at(3).segments(kFirst).empty());
  CHECK(kept.tail(kFirst).size() == 1);
  CHECK(as_text(*history.at(3).tail(kFirst)[1].bytes) == "three");
}

TEST_CASE("catalog: sealed rows keep every column the dataset ever had") {
  History history;
  history.change(CreateDataset{"a", schema_of({{"x", 2}})});
  history.change(AlterDataset{kFirst, schema_of({{"y", 3}})});
  const Schema schema = every_column(*history.catalog.version()->find(kFirst));
  CHECK(schema.names() == Names{"time", "x", "y"});
}

TEST_CASE("checkpoint: what was saved is loaded, tail rows apart") {
  History history;
  history.change(CreateDataset{"a", schema_of({{"x", 2}})});
  history.rows(kFirst, "two");
  history.segment(kFirst, 33);
  history.change(RenameDataset{kFirst, "b"});
  history.rollback(3);
  Checkpoint checkpoint;
  checkpoint.head = {RecordNumber{5}, CommitNumber{5}, RecordNumber{5}, Hash256{}, Timestamp{7}};
  for (int i = 0; i < 5; ++i) checkpoint.range.append({});
  checkpoint.tags = {{"v1", CommitNumber{2}}};
  checkpoint.replaced = {{id_of(8), Timestamp{6}}};
  checkpoint.tail_first = history.catalog.tail_first();
  checkpoint.catalog = history.catalog;
  checkpoint.lineage = history.lineage;
  const Id128 database = id_of(1);
  const Bytes bytes = checkpoint_write(database, checkpoint);
  Checkpoint loaded = checkpoint_read(database, bytes);
  CHECK(loaded.tail_first == RecordNumber{2});
  CHECK(loaded.replay_from() == RecordNumber{2});
  CHECK(loaded.tags == checkpoint.tags);
  CHECK(loaded.replaced == checkpoint.replaced);
  CHECK(loaded.range == checkpoint.range);
  history.catalog = std::move(loaded.catalog);
  history.lineage = std::move(loaded.lineage);
  CHECK(history.names(5) == Names{"a"});
  CHECK(history.names(4) == Names{"b"});
  CHECK(history.at(5).segments(kFirst).size() == 1);
  CHECK(history.at(5).tail(kFirst).empty());
  CHECK_THROWS_AS(checkpoint_read(id_of(2), bytes), Error);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    CHECK_THROWS_AS(checkpoint_read(database, damaged), Error);
  }
  CHECK_THROWS_AS(checkpoint_read(database, BytesView(bytes).first(5)), Error);
}

TEST_CASE("checkpoint: a catalog that names commits behind the head is corrupt") {
  CommitRecord marks;
  marks.datasets.emplace_back();
  marks.datasets[0].dataset = kFirst;
  marks.datasets[0].marks = {{CommitNumber{2}, 0, 1, false}};
  const std::vector<std::function<void(History&)>> thirds{
      [](History& history) { history.change(RenameDataset{kFirst, "b"}); },
      [](History& history) { history.change(CreateDataset{"c", schema_of({})}); },
      [](History& history) { history.segment(kFirst, 33); },
      [&](History& history) { history.add(marks); }};
  for (std::size_t i = 0; i < thirds.size(); ++i) {
    CAPTURE(i);
    History history;
    history.change(CreateDataset{"a", schema_of({})});
    history.rows(kFirst, "two");
    thirds[i](history);
    ByteWriter out;
    history.catalog.save(out, CommitNumber{3});
    for (std::uint64_t n = 1; n <= 3; ++n) {
      ByteReader in(out.view(), "catalog");
      if (n == 3) {
        CHECK_NOTHROW(Catalog::load(in, CommitNumber{n}));
      } else {
        CHECK_THROWS_AS(Catalog::load(in, CommitNumber{n}), Error);
      }
    }
  }
}

// It is encoded without a lock, while others go on.
TEST_CASE("checkpoint: encoded late, it holds what was there when it was taken") {
  History history;
  history.change(CreateDataset{"a", schema_of({{"x", 2}})});
  history.segment(kFirst, 33);
  history.marks(kFirst, 2);
  history.rows(kFirst, "four");
  history.rollback(3, kFirst);
  Checkpoint checkpoint;
  checkpoint.head = {RecordNumber{5}, CommitNumber{5}, RecordNumber{5}, Hash256{}, Timestamp{7}};
  checkpoint.tail_first = history.catalog.tail_first();
  checkpoint.catalog = history.catalog;
  checkpoint.lineage = history.lineage;
  const auto bytes = [&] { return checkpoint_write(id_of(1), checkpoint); };
  const Bytes at_once = bytes();
  SUBCASE("a name") { history.change(RenameDataset{kFirst, "b"}); }
  SUBCASE("a dataset") { history.change(CreateDataset{"c", schema_of({})}); }
  SUBCASE("a segment") { history.segment(kFirst, 34); }
  SUBCASE("marks") { history.marks(kFirst, 2); }
  SUBCASE("rows") { history.rows(kFirst, "six"); }
  SUBCASE("a rollback") { history.rollback(1); }
  SUBCASE("a rollback of another dataset") {
    history.change(CreateDataset{"c", schema_of({})});
    history.rollback(6, DatasetId{CommitNumber{6}, 0});
  }
  SUBCASE("a seal") {
    const SegmentEntry entry{{id_of(9), 100, 1, 0, {}, {}}, CommitNumber{4}, CommitNumber{4}, true};
    history.catalog.apply_seal({RecordNumber{5}, {{kFirst, RecordNumber{0}, entry}}});
  }
  SUBCASE("a join") {
    history.segment(kFirst, 34);
    history.catalog.apply_compact(join_of({33, 34}, 77, 2, 6));
  }
  SUBCASE("commits that are taken back") {
    history.segment(kFirst, 34);
    history.catalog.truncate(CommitNumber{5});
    history.lineage->truncate(CommitNumber{5});
  }
  CHECK(bytes() == at_once);
}

}  // namespace otolith::history
