#include "scan/shredded_proof.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "document/json_reader.h"
#include "test/refusal.h"
#include "test/segments.h"

namespace otolith::scan {

namespace {

using test::tells;

namespace sample = segment::sample;

// A segment of documents {"n": 1} and {"n": "x"} with what somebody says of them.
struct Said {
  std::string path = "n";
  Type type{TypeKind::int64};
  std::optional<std::int64_t> first = 1;
  std::optional<std::int64_t> second = std::nullopt;
  bool strays = true;
  bool documents = true;

  std::string verdict() const {
    Schema schema = collection_schema();
    for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
    const auto vfs = io::memory_vfs();
    const auto file = sample::file_of(*vfs, {});
    segment::SegmentSpec spec = sample::spec_of(std::make_shared<const Schema>(schema));
    spec.shredded = {{.name = path, .type = type}};
    const std::vector<test::Row> rows{
        {"a", std::int64_t{1}, std::string(as_text(document::from_json(R"({"n":1})")))},
        {"b", std::int64_t{1}, std::string(as_text(document::from_json(R"({"n":"x"})")))}};
    Batch batch = test::batch_of(spec.schema, rows);
    model::ArrayBuilder column(type);
    for (const auto& value : {first, second}) {
      if (value)
        column.append_value(*value);
      else
        column.append_null();
    }
    batch.columns.push_back(column.finish());
    segment::SegmentWriter writer(*file, spec);
    writer.begin_run({{0, 2}});
    writer.append(batch);
    writer.end_run();
    if (strays) writer.note_strays(0);
    writer.finish();
    const auto reader = sample::open(*vfs, sample::bytes_of(*file));
    reader->verify();
    if (!documents) schema.kind = DatasetKind::table;
    try {
      check_shredded(*reader, schema, 2);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      CHECK(error.where().offset.has_value());
      return error.message();
    }
    return "sound";
  }
};

}  // namespace

TEST_CASE("shredded columns are held against documents, and what differs is damage") {
  CHECK(Said{}.verdict() == "sound");
  CHECK(
      tells(Said{.first = 2}.verdict(), "shredded column 0 does not hold what the documents say"));
  CHECK(tells(Said{.first = std::nullopt}.verdict(), "does not hold what the documents say"));
  CHECK(tells(Said{.second = 5}.verdict(), "does not hold what the documents say"));
  CHECK(tells(Said{.path = "m"}.verdict(), "does not hold what the documents say"));
  CHECK(Said{.path = "m", .first = std::nullopt, .strays = false}.verdict() == "sound");
  CHECK(tells(Said{.strays = false}.verdict(), "has strays that its footer denies"));
  CHECK(tells(Said{.path = "a..b"}.verdict(), "is no path"));
  CHECK(tells(Said{.documents = false}.verdict(), "has shredded paths and no documents"));
}

}  // namespace otolith::scan
