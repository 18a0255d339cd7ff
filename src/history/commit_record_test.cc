#include <doctest/doctest.h>

#include <random>

#include "history/commit_record.h"
#include "history/frame_record.h"
#include "history/schema_record.h"
#include "test/budget.h"

namespace otolith::history {

namespace {

Schema flights_schema() {
  Schema schema;
  schema.columns = {{"time", {TypeKind::timestamp}, false, 1, "", {}},
                    {"origin", {TypeKind::string}, false, 2, "", {{"unit", "IATA"}}},
                    {"delay", {TypeKind::float64}, true, 7, "raw", {}}};
  schema.keys = {"origin"};
  schema.metadata = {{"source", "nycflights13"}, {"year", "2013"}};
  return schema;
}

Hash256 hash_of(std::string_view text) { return blake3(as_bytes_view(text)); }

Id128 id_of(std::uint8_t byte) {
  Id128 id;
  id.bytes.fill(std::byte{byte});
  return id;
}

DatasetRecord added_rows(DatasetId dataset, std::string_view rows) {
  DatasetRecord record;
  record.dataset = dataset;
  record.rows_added = 3;
  record.rows = as_bytes_view(rows);
  record.salt = id_of(9);
  record.rows_root = hash_of(rows);
  record.time_min = Timestamp{-5};
  record.time_max = Timestamp{1'000'000};
  dataset_record_finish(record);
  return record;
}

// A commit with one of everything a commit can hold.
CommitRecord full_commit() {
  CommitRecord record;
  record.number = CommitNumber{12};
  record.parent = hash_of("parent");
  record.range_root = hash_of("range");
  record.time = Timestamp{1'767'225'600'000'000'000};
  record.author = "ana";
  record.message = "morning";
  record.extra = R"({"a":1})";
  record.change_id = id_of(3);
  record.request_hash = hash_of("request");
  record.origin = {4, id_of(8), 2, 77};
  record.features_optional = 0x80;
  record.catalog = {CreateDataset{"flights", flights_schema()},
                    AlterDataset{{CommitNumber{3}, 1}, flights_schema()},
                    RenameDataset{{CommitNumber{4}, 0}, "ticks"},
                    DropDataset{{CommitNumber{5}, 2}}};
  DatasetRecord marked = added_rows({CommitNumber{2}, 0}, "some rows");
  marked.marks = {{CommitNumber{2}, 0, 5, false},
                  {CommitNumber{2}, 5, 1, true},
                  {CommitNumber{7}, 3, 4, false}};
  dataset_record_finish(marked);
  DatasetRecord large = added_rows({CommitNumber{12}, 0}, "");
  large.segment = SegmentRef{id_of(5), 4096, 3, 42, Timestamp{0}, Timestamp{9}};
  large.runs = {2, 1};
  record.datasets = {marked, large};
  return record;
}

void check_round_trip(const CommitRecord& record) {
  Hash256 hash;
  const Bytes payload = commit_write(record, hash);
  CHECK(commit_hash(payload) == hash);
  CommitRecord back;
  commit_read(payload, back);
  CHECK(back.datasets == record.datasets);
  CHECK(back.author == record.author);
  CHECK(back.change_id == record.change_id);
  CHECK(back.origin == record.origin);
  CHECK(back.catalog.size() == record.catalog.size());
  Hash256 again;
  CHECK(commit_write(back, again) == payload);
  CHECK(again == hash);
}

}  // namespace

TEST_CASE(
    "commit record: runs that are not those of its rows, or that it need not tell, are corrupt") {
  const auto reads = [](std::vector<std::uint64_t> runs, auto change) {
    CommitRecord record = full_commit();
    record.datasets.back().runs = std::move(runs);
    Hash256 hash;
    Bytes payload = commit_write(record, hash);
    change(payload);
    try {
      CommitRecord back;
      commit_read(payload, back);
      return back.datasets.back().runs;
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      return std::vector<std::uint64_t>{0};
    }
  };
  const std::vector<std::uint64_t> refused{0};
  const auto as_it_is = [](Bytes&) {};
  CHECK(reads({1, 1, 1}, as_it_is) == std::vector<std::uint64_t>{1, 1, 1});
  CHECK(reads({}, as_it_is).empty());
  CHECK(reads({3}, as_it_is) == refused);
  CHECK(reads({3, 0}, as_it_is) == refused);
  CHECK(reads({1, 1}, as_it_is) == refused);
  CHECK(reads({1, UINT64_MAX, 3}, as_it_is) == refused);
  const auto needs = [](std::uint32_t bits) {
    return [bits](Bytes& payload) { store_le(&payload[8], bits); };
  };
  CHECK(reads({1, 2}, needs(0)) == refused);  // a build that does not know runs would go on
  CHECK(reads({}, needs(1)) == refused);
}

TEST_CASE("schema record: a schema written is the schema read, column ids included") {
  ByteWriter out;
  schema_write(out, flights_schema());
  ByteReader in(out.view());
  CHECK(schema_read(in) == flights_schema());
  in.expect_end();
}

TEST_CASE("schema record: a collection is one of version 2, and has the columns of one") {
  Schema schema = collection_schema({.path = "user.joined", .unit = TimeUnit::millisecond});
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  ByteWriter out;
  schema_write(out, schema);
  CHECK(out.view()[0] == std::byte{2});
  ByteReader in(out.view());
  CHECK(schema_read(in) == schema);
  in.expect_end();
  ByteWriter table;
  schema_write(table, flights_schema());
  CHECK(table.view()[0] == std::byte{1});

  schema.columns.pop_back();
  ByteWriter odd;
  schema_write(odd, schema);
  ByteReader hostile(odd.view());
  CHECK_THROWS_AS(schema_read(hostile), Error);
}

TEST_CASE("schema record: sizes of segments make it version 3 or 4, and are judged") {
  Schema schema = flights_schema();
  schema.segments = {.bytes = 8 << 20, .spread = 3};
  const auto written = [](const Schema& of) {
    ByteWriter out;
    schema_write(out, of);
    return Bytes(out.view().begin(), out.view().end());
  };
  Bytes bytes = written(schema);
  CHECK(bytes[0] == std::byte{3});
  ByteReader in(bytes);
  CHECK(schema_read(in) == schema);
  in.expect_end();
  Schema documents = collection_schema();
  for (std::uint32_t i = 0; i < documents.columns.size(); ++i) documents.columns[i].id = i + 1;
  documents.segments.spread = 2;
  CHECK(written(documents)[0] == std::byte{4});
  const auto refused = [](Bytes hostile) {
    ByteReader reader(hostile);
    CHECK_THROWS_AS(schema_read(reader), Error);
  };
  bytes.back() = std::byte{0};  // no files
  refused(bytes);
  schema.segments = {.bytes = 0, .spread = 2};
  bytes = written(schema);
  bytes.back() = std::byte{1};  // what is said without saying it
  refused(bytes);
  bytes[0] = std::byte{5};
  refused(bytes);
}

TEST_CASE("schema record: impossible digits and names that come twice are corrupt") {
  const auto refused = [](auto change) {
    Schema schema = flights_schema();
    change(schema);
    ByteWriter out;
    schema_write(out, schema);
    ByteReader in(out.view());
    try {
      schema_read(in);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      return error.message();
    }
    return std::string("sound");
  };
  const auto says = [](const std::string& message, const char* part) {
    CAPTURE(message);
    return message.find(part) != std::string::npos;
  };
  for (const Type type : {Type{TypeKind::decimal, 0, 0}, Type{TypeKind::decimal, 39, 0},
                          Type{TypeKind::decimal, 4, 5}, Type{TypeKind::float64, 1, 0}}) {
    CHECK(says(refused([&](Schema& of) { of.columns[2].type = type; }), "impossible precision"));
  }
  CHECK(says(refused([](Schema& of) { of.columns[2].name = "origin"; }), "have one name"));
  CHECK(says(refused([](Schema& of) { of.keys = {"origin", "origin"}; }), "comes twice"));
  CHECK(says(refused([](Schema& of) { of.keys = {"dest"}; }), "no column"));
  CHECK(says(refused([](Schema& of) { of.keys = {"time"}; }), "missing or a key"));
  CHECK(says(refused([](Schema& of) { of.time = "dest"; }), "missing or a key"));
  CHECK(refused([](Schema& of) { of.keys = {"origin", "delay"}; }) == "sound");
}

TEST_CASE("commit record: everything a commit can hold is read back as it was written") {
  check_round_trip(full_commit());
}

TEST_CASE("commit record: rollback and revert carry their target and deltas") {
  CommitRecord record;
  record.number = CommitNumber{100};
  record.lineage = RollbackRecord{CommitNumber{7}, DatasetId{CommitNumber{2}, 1}};
  check_round_trip(record);
  Reversal reversal{.commit = CommitNumber{8}, .dataset = {}, .delta = {}, .own = {}};
  reversal.delta.removed = {{CommitNumber{7}, CommitNumber{7}}};
  reversal.delta.added = {{CommitNumber{2}, CommitNumber{3}}, {CommitNumber{5}, CommitNumber{6}}};
  reversal.own = {{DatasetId{CommitNumber{2}, 1}, reversal.delta}};
  record.lineage = reversal;
  check_round_trip(record);
  Hash256 hash;
  CommitRecord back;
  commit_read(commit_write(record, hash), back);
  CHECK(back.lineage == record.lineage);
}

TEST_CASE("commit record: stripping rows, or sealing them elsewhere, leaves the commit hash") {
  const CommitRecord record = full_commit();
  Hash256 hash;
  const Bytes payload = commit_write(record, hash);
  const Bytes stripped = commit_strip(payload);
  CHECK(stripped.size() < payload.size());
  CHECK(commit_hash(stripped) == hash);
  CommitRecord back;
  commit_read(stripped, back);
  CHECK(back.datasets[0].stripped);
  CHECK(back.datasets[0].rows.empty());
  CHECK(back.datasets[0].marks == record.datasets[0].marks);
  CHECK(commit_strip(stripped) == stripped);
}

TEST_CASE("commit record: the hash covers parent, texts, counts and roots, not salts and places") {
  CommitRecord record = full_commit();
  Hash256 hash;
  commit_write(record, hash);
  const auto hash_with = [&](auto&& change) {
    CommitRecord other = full_commit();
    change(other);
    Hash256 changed;
    commit_write(other, changed);
    return changed;
  };
  CHECK(hash_with([](CommitRecord& r) { r.parent.bytes[0] ^= std::byte{1}; }) != hash);
  CHECK(hash_with([](CommitRecord& r) { r.message = "evening"; }) != hash);
  CHECK(hash_with([](CommitRecord& r) { r.datasets[0].rows_added = 4; }) != hash);
  CHECK(hash_with([](CommitRecord& r) { r.datasets[0].root.bytes[5] ^= std::byte{1}; }) != hash);
  CHECK(hash_with([](CommitRecord& r) { r.datasets[0].salt = id_of(1); }) == hash);
  CHECK(hash_with([](CommitRecord& r) { r.datasets[1].segment->id = id_of(77); }) == hash);
  CHECK(hash_with([](CommitRecord& r) { r.request_hash = {}; }) == hash);
}

TEST_CASE("commit record: an unknown required feature is unsupported, an optional one is kept") {
  Hash256 hash;
  Bytes payload = commit_write(full_commit(), hash);
  payload[8] = std::byte{2};
  CommitRecord back;
  try {
    commit_read(payload, back);
    FAIL("read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported_format);
  }
}

TEST_CASE("commit record: cut at any byte, or with bytes behind it, it is corrupt") {
  Hash256 hash;
  const Bytes payload = commit_write(full_commit(), hash);
  CommitRecord back;
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CHECK_THROWS_AS(commit_read(BytesView(payload).first(size), back), Error);
  }
  Bytes longer = payload;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(commit_read(longer, back), Error);
}

TEST_CASE(
    "commit record: any changed bytes end in an error or in the one encoding of what was read") {
  std::mt19937_64 random(test::seed());
  Hash256 hash;
  const Bytes payload = commit_write(full_commit(), hash);
  std::uint64_t sound = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes changed = payload;
    const auto flips = 1 + random() % 3;
    for (std::uint64_t flip = 0; flip < flips; ++flip) {
      changed[random() % changed.size()] = static_cast<std::byte>(random());
    }
    CommitRecord back;
    try {
      commit_read(changed, back);
    } catch (const Error&) {
      continue;
    }
    Hash256 again;
    REQUIRE_MESSAGE(commit_write(back, again) == changed, "seed ", test::seed(), " round ", i);
    ++sound;
  }
  CHECK(sound > 0);
}

TEST_CASE("frame record: tag, seal and lost are read back as they were written") {
  const TagRecord tag = tag_read(tag_write({"v1", CommitNumber{9}}));
  CHECK(tag.name == "v1");
  CHECK(tag.commit == CommitNumber{9});
  CHECK(lost_read(lost_write({RecordNumber{5}, RecordNumber{7}})).stands() == RecordNumber{4});
  SealRecord seal;
  seal.covers = RecordNumber{40};
  seal.datasets = {{DatasetId{CommitNumber{1}, 0},
                    RecordNumber{3},
                    {{id_of(1), 100, 10, 7, Timestamp{1}, Timestamp{2}},
                     CommitNumber{2},
                     CommitNumber{30},
                     true}}};
  const SealRecord back = seal_read(seal_write(seal));
  CHECK(back.covers == seal.covers);
  REQUIRE(back.datasets.size() == 1);
  CHECK(back.datasets[0].segment.ref == seal.datasets[0].segment.ref);
  CHECK(back.datasets[0].segment.begin_last == CommitNumber{30});
  CHECK(back.datasets[0].base == RecordNumber{3});
}

TEST_CASE("frame record: a join is read back as it was written, and nothing else is a join") {
  CompactRecord join{Timestamp{7}, DatasetId{CommitNumber{1}, 2}, {id_of(1), id_of(2)}, {}};
  join.segments = {{{id_of(9), 100, 10, 7, Timestamp{1}, Timestamp{2}},
                    CommitNumber{2},
                    CommitNumber{30},
                    true}};
  const Bytes bytes = compact_write(join);
  const CompactRecord back = compact_read(bytes);
  CHECK(back.time == join.time);
  CHECK(back.dataset == join.dataset);
  CHECK(back.replaced == join.replaced);
  REQUIRE(back.segments.size() == 1);
  CHECK(back.segments[0].ref == join.segments[0].ref);
  CHECK(back.segments[0].begin_last == CommitNumber{30});
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CHECK_THROWS_AS(compact_read(BytesView(bytes).first(i)), Error);
  const auto refused = [&](auto change) {
    CompactRecord other = join;
    change(other);
    CHECK_THROWS_AS(compact_read(compact_write(other)), Error);
  };
  refused([](CompactRecord& r) { r.replaced = {}; });
  refused([](CompactRecord& r) { r.segments = {}; });
  refused([](CompactRecord& r) { std::swap(r.replaced[0], r.replaced[1]); });
  refused([](CompactRecord& r) { r.replaced[1] = r.replaced[0]; });
  refused([](CompactRecord& r) {
    r.segments[0].many = false;
    r.segments[0].begin_last = r.segments[0].begin_first;
  });
}

TEST_CASE("frame record: a join says which segments are present and past, and as of which commit") {
  CompactRecord join{Timestamp{7}, DatasetId{CommitNumber{1}, 2}, {id_of(1)}, {}};
  const auto entry = [](std::uint8_t id, Side side) {
    return SegmentEntry{{id_of(id), 100, 10, 7, Timestamp{1}, Timestamp{2}},
                        CommitNumber{2},
                        CommitNumber{30},
                        true,
                        side,
                        CommitNumber{side == Side::mixed ? 0u : 31u}};
  };
  join.segments = {entry(8, Side::mixed)};
  CHECK(load_le<std::uint32_t>(compact_write(join).data() + 4) == 0);  // as it ever was
  join.segments = {entry(8, Side::mixed), entry(9, Side::present), entry(10, Side::past)};
  Bytes bytes = compact_write(join);
  CHECK(load_le<std::uint32_t>(bytes.data() + 4) == 1);
  const CompactRecord back = compact_read(bytes);
  REQUIRE(back.segments.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(back.segments[i].side == join.segments[i].side);
    CHECK(back.segments[i].base == join.segments[i].base);
  }
  CHECK(compact_write(back) == bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CHECK_THROWS_AS(compact_read(BytesView(bytes).first(i)), Error);
  const auto code_of = [](BytesView payload) {
    try {
      compact_read(payload);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::io;
  };
  Bytes other = bytes;
  other[4] = std::byte{0};  // the feature is named wherever it is used
  CHECK(code_of(other) == ErrorCode::corrupt);
  other[4] = std::byte{2};
  CHECK(code_of(other) == ErrorCode::unsupported_format);
  other = bytes;
  other[other.size() - 2] = std::byte{4};  // of no kind
  CHECK(code_of(other) == ErrorCode::corrupt);
  other = bytes;
  other.back() = std::byte{29};  // a base before the last begin
  CHECK(code_of(other) == ErrorCode::corrupt);
  SealRecord seal{RecordNumber{9}, {{join.dataset, RecordNumber{3}, entry(9, Side::past)}}};
  CHECK_THROWS_AS(seal_read(seal_write(seal)), Error);
}

TEST_CASE("frame record: one kind never passes for another, and reserved kinds are refused") {
  CHECK_THROWS_AS(tag_read(lost_write({RecordNumber{1}, RecordNumber{1}})), Error);
  CHECK_THROWS_AS(lost_read(tag_write({"v", CommitNumber{1}})), Error);
  CHECK_THROWS_AS(reserved_read({}), Error);
}

}  // namespace otolith::history
