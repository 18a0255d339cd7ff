// The rows of every commit, hashed again.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "io/test_folder.h"
#include "model/array.h"
#include "otolith/codec.h"
#include "otolith/otolith.h"

namespace otolith {

namespace {

std::atomic<bool> lying = false;

// Values as they are; where it lies the first two of a page change places, which no checksum, zone
// map or order tells.
class LyingCodec final : public UserCodec {
 public:
  std::uint16_t id() const noexcept override { return kUserCodecFirst + 93; }
  std::uint16_t version() const noexcept override { return 1; }
  std::string_view name() const noexcept override { return "lying"; }
  bool fits(Type type) const noexcept override { return type.kind == TypeKind::int64; }
  std::vector<std::byte> encode(const Array& page) const override {
    std::vector<std::byte> out(page.length * 8);
    std::memcpy(out.data(), page.values.as<std::int64_t>(), out.size());
    return out;
  }
  Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const override {
    std::byte* data = nullptr;
    Array out{.type = type, .length = rows, .values = buffer_allocate(rows * 8, &data)};
    std::memcpy(data, bytes.data(), rows * 8);
    if (lying && rows > 1) std::swap_ranges(data, data + 8, data + 8);
    return out;
  }
};

Schema schema_of(Partition partition, const std::string& codec = {}) {
  Schema schema;
  schema.partition = partition;
  schema.columns = {
      {.name = "time", .type = {TypeKind::timestamp}},
      {.name = "key", .type = {TypeKind::string}},
      {.name = "n", .type = {TypeKind::int64}, .nullable = codec.empty(), .codec = codec}};
  schema.keys = {"key"};
  return schema;
}

// Rows of some days and keys, in no order, some values missing.
Batch rows_of(const Table& table, std::uint64_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Batch out{.schema = table.schema(), .rows = rows, .columns = {}};
  for (const Column& column : out.schema->columns) {
    model::ArrayBuilder builder(column.type);
    for (std::uint64_t row = 0; row < rows; ++row) {
      if (column.type.kind == TypeKind::timestamp)
        builder.append_value(static_cast<std::int64_t>(random() % 300'000'000'000'000));
      else if (column.type.kind == TypeKind::string)
        builder.append_text("key " + std::to_string(random() % 5));
      else if (column.nullable && random() % 5 == 0)
        builder.append_null();
      else
        builder.append_value(static_cast<std::int64_t>(random() % 1000));
    }
    out.columns.push_back(builder.finish());
  }
  return out;
}

std::string told(const VerifyReport& report) {
  std::string out;
  for (const Problem& problem : report.problems) out += problem.what + "\n";
  return out;
}

}  // namespace

TEST_CASE("verify: the rows of every commit hash to what it says, wherever they went since") {
  for (const Partition partition : {Partition::none, Partition::day}) {
    Database db = Database::open(":memory:");
    const Table table = db.create_table("t", schema_of(partition));
    for (std::uint64_t i = 0; i < 12; ++i)  // in the log, and in segments of their own
      table.append(rows_of(table, i % 4 == 3 ? 90'000 : 50 + i, i));
    CHECK(told(db.verify({}, true)) == "");
    table.alter({.add = {{.name = "late", .type = {TypeKind::int64}}}, .drop = {"n"}});
    table.append(rows_of(table, 5'000, 99));
    table.remove({.keys = {{"key", {std::string("key 1")}}}});
    const Collection notes = db.collection("notes");
    for (int i = 0; i < 5; ++i)
      notes.put(Document::from_json(R"({"_id": "a", "n": )" + std::to_string(i) + "}"));
    db.compact();  // sealed, and joined with others
    const VerifyReport report = db.verify({}, true);
    CHECK(told(report) == "");
    CHECK(report.commits == 18);
    CHECK(report.commits_unknown == 0);
    db.rollback("3");
    CHECK(told(db.verify({}, true)) == "");
    CHECK(db.verify().commits == 0);
  }
}

TEST_CASE("verify: rows of a commit of several runs are checked, also where they were joined") {
  Database db = Database::open(":memory:", {.memory_bytes = 1 << 20});
  const Table table = db.create_table("t", schema_of(Partition::day));
  Recorder recorder = db.recorder();
  for (std::uint64_t i = 0; i < 10; ++i) recorder.append("t", rows_of(table, 20'000, i));
  recorder.commit();
  const auto check_all_told = [&] {
    const VerifyReport report = db.verify({}, true);
    CHECK(told(report) == "");
    CHECK(report.commits == 1);
    CHECK(report.commits_unknown == 0);
  };
  check_all_told();
  table.remove({.keys = {{"key", {std::string("key 1")}}}});
  CHECK(db.compact().past_segments == 1);  // where no run can be seen
  check_all_told();
}

TEST_CASE(
    "verify: a changed row that every checksum fits is found, and its commit and table named") {
  if (static bool known = false; !std::exchange(known, true))
    codec_register(std::make_unique<LyingCodec>());
  enum class Where : std::uint8_t { own, sealed, joined };
  for (const Where where : {Where::own, Where::sealed, Where::joined}) {
    const io::TestFolder folder;
    Database db = Database::open(folder.path() + "/x.oto");
    const Table table = db.create_table("quotes", schema_of(Partition::none, "codec:lying"));
    table.append(rows_of(table, where == Where::sealed ? 500 : 90'000, 1));
    table.append(rows_of(table, where == Where::joined ? 90'000 : 10, 2));
    if (where != Where::own) db.compact();
    CHECK(told(db.verify({}, true)) == "");
    lying = true;
    const VerifyReport unaware = db.verify();
    const VerifyReport aware = db.verify({}, true);
    lying = false;
    CHECK(told(unaware) == "");
    REQUIRE(aware.problems.size() == (where == Where::joined ? 2 : 1));
    CHECK(aware.problems.front().damage());
    const std::vector<std::uint64_t> named = aware.problems.front().where.commits;
    REQUIRE(named.size() == 1);
    CHECK(named.front() == 2);
    CHECK(told(aware).find("commit 2 added to \"quotes\"") != std::string::npos);
  }
}

}  // namespace otolith
