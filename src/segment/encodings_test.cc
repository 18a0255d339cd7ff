#include <doctest/doctest.h>

#include <set>

#include "codec/registry.h"
#include "model/leaf.h"
#include "model/state_digest.h"
#include "test/budget.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using sample::Row;

// A time column and two of every type, the second with nulls.
std::shared_ptr<const Schema> schema_of_all(const char* profile) {
  Schema schema;
  schema.partition = Partition::none;
  schema.codec = profile;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1}};
  for (const Type type : test::kAllTypes) {
    for (const bool nullable : {false, true}) {
      const auto id = static_cast<std::uint32_t>(schema.columns.size() + 1);
      schema.columns.push_back(
          {.name = "c" + std::to_string(id), .type = type, .nullable = nullable, .id = id});
    }
  }
  return std::make_shared<const Schema>(std::move(schema));
}

// A column of one manner: any values, one value, steps, or decimals; so that every codec is chosen
// by someone.
test::Cell cell_in(test::Random& random, const Column& column, std::uint64_t manner,
                   std::int64_t row) {
  const test::Cell any = test::random_cell(random, column);
  if (!any || manner == 0) return any;
  if (std::holds_alternative<std::string>(*any)) {
    return manner == 1 ? test::Cell("same") : test::Cell(std::to_string(row % 50));
  }
  const std::int64_t step = manner == 1 ? 5 : row % 100 + static_cast<std::int64_t>(random() % 2);
  if (std::holds_alternative<Decimal>(*any)) return decimal_of(step);
  if (column.type.kind == TypeKind::boolean) return static_cast<std::uint64_t>(step % 2);
  if (std::holds_alternative<double>(*any)) return static_cast<double>(step) / 4;
  if (std::holds_alternative<std::uint64_t>(*any)) return static_cast<std::uint64_t>(step);
  return step;
}

std::vector<Row> random_rows(test::Random& random, const Schema& schema, std::uint64_t count) {
  std::vector<std::uint64_t> manners;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    manners.push_back(test::below(random, 3));
  }
  std::vector<Row> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    Row made{row * 1'000'000 + (manners[0] == 0 ? static_cast<std::int64_t>(random() % 999) : 0)};
    for (std::size_t column = 1; column < schema.columns.size(); ++column) {
      made.push_back(cell_in(random, schema.columns[column], manners[column], row));
    }
    out.push_back(std::move(made));
  }
  return out;
}

struct Encoded {
  std::shared_ptr<const SegmentReader> reader;
  Hash256 root;
  std::string digest;  // of what is read
};

Encoded encode(io::Vfs& vfs, const char* profile, const std::vector<Row>& rows, bool map) {
  SegmentSpec spec = sample::spec_of(schema_of_all(profile));
  const model::Run run = sample::run_of(*spec.schema, rows);
  model::ContentHasher content(model::leaf_columns(*spec.schema));
  content.add_run(run);
  model::LeafHasher hasher{Id128{}};
  spec.leaf = [&](const LeafRows& leaf) {
    const ColumnId id{spec.schema->columns[leaf.column].id};
    content.put(leaf.column, leaf.leaf,
                hasher.hash(id, leaf.leaf, content.places()[leaf.leaf], leaf.rows, 0));
  };
  const auto file = sample::file_of(vfs, {});
  SegmentWriter writer(*file, spec);
  writer.begin_run(run);
  writer.append(test::batch_of(spec.schema, rows));
  writer.end_run();
  writer.finish();
  Encoded out;
  out.root = content.rows_root();
  out.reader = SegmentReader::open(sample::file_of(vfs, sample::bytes_of(*file)), "s.seg", {}, map);
  model::StateDigest digest;
  for (std::size_t group = 0; group < out.reader->shape().row_groups.size(); ++group) {
    Batch batch{.schema = spec.schema, .rows = out.reader->shape().row_groups[group].rows};
    for (std::size_t column = 0; column < spec.schema->columns.size(); ++column) {
      batch.columns.push_back(out.reader->chunk(group, column));
    }
    digest.add(batch);
  }
  out.digest = digest.text();
  return out;
}

void codecs_used(const SegmentReader& reader, std::set<codec::CodecId>& out) {
  for (std::size_t column = 0; column < reader.shape().columns.size(); ++column) {
    for (const ChunkEntry& chunk : reader.index(column).chunks) out.insert(chunk.codec.id);
  }
}

// Values compared, and the codecs that held them.
struct Tried {
  std::uint64_t values = 0;
  std::uint64_t tables = 0;
  std::set<codec::CodecId> codecs;
};

void try_table(std::uint64_t seed, std::uint64_t rows_max, Tried& tried) {
  CAPTURE(seed);
  const auto vfs = io::memory_vfs();
  test::Random random(seed);
  const auto schema = schema_of_all("raw");
  const std::vector<Row> rows = random_rows(random, *schema, 1 + test::below(random, rows_max));
  const Encoded plain = encode(*vfs, "raw", rows, true);
  for (const char* profile : {"raw", "hot", "small"}) {
    CAPTURE(profile);
    const Encoded made = encode(*vfs, profile, rows, test::below(random, 2) == 0);
    REQUIRE(made.root == plain.root);
    REQUIRE(made.digest == plain.digest);
    REQUIRE(test::same_rows(sample::read_all(*made.reader), rows));
    made.reader->verify();
    codecs_used(*made.reader, tried.codecs);
    tried.values += rows.size() * schema->columns.size();
  }
  ++tried.tables;
}

}  // namespace

TEST_CASE(
    "segment: the same rows have one digest, one Merkle root and one reading however encoded") {
  Tried tried;
  for (std::uint64_t seed = test::seed(); tried.tables < 6; ++seed) try_table(seed, 2500, tried);
  for (const codec::Codec* codec : codec::our_codecs()) {
    CAPTURE(codec->name());
    WARN(tried.codecs.contains(codec->key().id));
  }
  CHECK(tried.codecs.size() >= 7);
}

TEST_SUITE("long") {
  TEST_CASE(
      "segment: random tables of every type under every profile come back, a million values") {
    const test::Budget budget;
    Tried tried;
    std::uint64_t seed = test::seed();
    for (; tried.tables < 2 || budget.left(); ++seed) try_table(seed, 12'000, tried);
    MESSAGE(tried.values << " values of " << tried.tables << " tables in " << tried.codecs.size()
                         << " codecs, from seed " << test::seed());
  }
}

}  // namespace otolith::segment
