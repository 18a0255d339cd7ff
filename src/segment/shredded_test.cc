// Shredded columns of a segment: written, read, verified, in no leaf; and what a footer says of
// them, by a writer that is hostile.
#include <doctest/doctest.h>

#include "base/hash.h"
#include "io/posix.h"
#include "test/hex_page.h"
#include "test/refusal.h"
#include "test/segment_reseal.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using test::tells;

using sample::open;

const char* const kGolden = "test/golden/segment-v1-shredded.seg";
const char* const kSeed = "test/corpus/fuzz_segment/shredded";

std::shared_ptr<const Schema> documents() {
  Schema schema = collection_schema();
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  return std::make_shared<const Schema>(std::move(schema));
}

template <typename... Values>
Array array_of(TypeKind kind, const std::vector<int>& valid, Values... values) {
  model::ArrayBuilder out({kind});
  std::size_t row = 0;
  const auto add = [&](auto value) {
    if (valid[row++] == 0)
      out.append_null();
    else if constexpr (std::is_same_v<decltype(value), const char*>)
      out.append_text(value);
    else
      out.append_value(value);
  };
  (add(values), ...);
  return out.finish();
}

// Three documents with two shredded paths, the second of which has strays.
struct Made {
  std::unique_ptr<io::Vfs> vfs = io::memory_vfs();
  std::vector<std::size_t> leaves{};  // columns that any are of
  Bytes bytes{};

  explicit Made(bool many = false) {
    SegmentSpec spec = sample::spec_of(documents());
    spec.many = many;
    spec.shredded = {{.name = "user.age", .type = {TypeKind::int64}},
                     {.name = "city", .type = {TypeKind::string}}};
    spec.leaf = [&](const LeafRows& leaf) { leaves.push_back(leaf.column); };
    Batch rows{.schema = spec.schema, .rows = 3, .columns = {}};
    const std::vector<int> all{1, 1, 1};
    rows.columns.push_back(array_of(TypeKind::string, all, "a", "b", "c"));
    rows.columns.push_back(
        array_of(TypeKind::timestamp, all, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}));
    rows.columns.push_back(array_of(TypeKind::binary, all, "\x80", "\x80", "\x80"));
    if (many) {
      using U = std::uint64_t;
      rows.columns.push_back(array_of(TypeKind::uint64, all, U{1}, U{1}, U{1}));
      rows.columns.push_back(array_of(TypeKind::uint64, all, U{0}, U{1}, U{2}));
    }
    rows.columns.push_back(
        array_of(TypeKind::int64, {1, 0, 1}, std::int64_t{30}, std::int64_t{0}, std::int64_t{50}));
    rows.columns.push_back(array_of(TypeKind::string, {1, 1, 0}, "Oslo", "Rome", ""));
    const auto file = sample::file_of(*vfs, {});
    SegmentWriter writer(*file, spec);
    writer.begin_run({{0, 3}});
    writer.append(model::batch_slice(rows, 0, 1));
    writer.append(model::batch_slice(rows, 1, 2));
    writer.end_run();
    writer.note_strays(1);
    writer.finish();
    bytes = sample::bytes_of(*file);
  }

  Footer footer() const { return open(*vfs, bytes)->shape(); }

  // The segment with another footer, checksums put right.
  std::string with(const Footer& other) const {
    const std::uint64_t old = load_le<std::uint64_t>(&bytes[bytes.size() - kTrailerBytes]);
    const Bytes made = footer_write(other);
    Bytes out(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(kTrailerBytes + old));
    out.insert(out.end(), made.begin(), made.end());
    out.insert(out.end(), bytes.end() - kTrailerBytes, bytes.end());
    store_le<std::uint64_t>(&out[out.size() - kTrailerBytes], made.size());
    return told(std::move(out));
  }

  std::string told(Bytes changed) const {
    test::reseal(changed);
    try {
      open(*vfs, changed)->verify();
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
      CHECK(error.where().file == "sample.seg");
      return error.message();
    }
    return "sound";
  }
};

}  // namespace

TEST_CASE("segment: shredded columns come back with their paths and no leaf is of them") {
  for (const bool many : {false, true}) {
    const Made made(many);
    const auto reader = open(*made.vfs, made.bytes);
    reader->verify();
    CHECK(reader->header().required_features == kFeatureShredded);
    const auto& paths = reader->shape().shredded;
    REQUIRE(paths.size() == 2);
    CHECK(paths[0].path == "user.age");
    CHECK_FALSE(paths[0].strays);
    CHECK(paths[1].path == "city");
    CHECK(paths[1].strays);
    const Array age = reader->chunk(0, *reader->find(paths[0].column));
    CHECK(age.type == Type{TypeKind::int64});
    CHECK(age.null_count == 1);
    CHECK(age.is_null(1));
    CHECK(age.value<std::int64_t>(2) == 50);
    CHECK(reader->chunk(0, *reader->find(paths[1].column)).text(1) == "Rome");
    for (const std::size_t column : made.leaves) CHECK(column < 3);
    CHECK(made.leaves.size() == 3);
  }
}

TEST_CASE("segment: the golden file of shredded paths opens and is written so today") {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const Made made(true);
  test::make_golden(*sources, kGolden, as_text(made.bytes));
  if (test::update_docs()) test::write_text(*sources, kSeed, as_text(made.bytes));
  for (const char* const path : {kGolden, kSeed})
    CHECK(std::ranges::equal(as_bytes_view(test::read_text(*sources, path)), made.bytes));
}

TEST_CASE("segment: one without shredded paths needs no feature") {
  const auto vfs = io::memory_vfs();
  SegmentSpec spec = sample::spec_of(documents());
  const Bytes bytes = sample::bytes_of_run(spec, {{"a", std::int64_t{1}, "\x80"}});
  CHECK(open(*vfs, bytes)->header().required_features == 0);
  CHECK(open(*vfs, bytes)->shape().shredded.empty());
}

TEST_CASE("segment: hostile shredded paths are corrupt") {
  const Made made(false);
  const Footer sound = made.footer();
  CHECK(made.with(sound) == "sound");
  const auto changed = [&](auto change) {
    Footer footer = sound;
    change(footer);
    return made.with(footer);
  };
  CHECK(tells(changed([](Footer& f) { f.shredded.pop_back(); }), "a shredded column has no path"));
  CHECK(tells(changed([](Footer& f) { f.shredded.push_back(f.shredded.back()); }),
              "shredded paths do not fit the columns"));
  CHECK(tells(changed([](Footer& f) { std::swap(f.shredded[0], f.shredded[1]); }),
              "shredded paths do not fit the columns"));
  CHECK(tells(changed([](Footer& f) { f.shredded[0].path = "city"; }),
              "two shredded columns have one path"));
  CHECK(tells(changed([](Footer& f) { f.shredded[0].path.clear(); }), "too long, or empty"));
  CHECK(tells(changed([](Footer& f) { f.shredded[0].path.assign(kShreddedPathBytesMax + 1, 'x'); }),
              "too long, or empty"));
  CHECK(tells(changed([](Footer& f) { f.shredded[0].path = "\xff"; }), "not UTF-8"));
  CHECK(tells(changed([](Footer& f) { f.columns[3].type = {TypeKind::uint64}; }),
              "of a type that documents do not have"));
  CHECK(tells(changed([](Footer& f) { f.columns[3].id = ColumnId{9}; }),
              "shredded paths do not fit the columns"));
  CHECK(tells(changed([](Footer& f) { f.shredded.clear(); }), "differ about shredded paths"));
}

TEST_CASE("segment: counts flags and reserved bytes of shredded paths are checked") {
  const Made made(false);
  const std::uint64_t end = made.bytes.size() - kTrailerBytes;
  const std::uint64_t second = end - 16 - 8;    // "city"
  const std::uint64_t first = second - 16 - 8;  // "user.age"
  const std::uint64_t count = first - 8;
  const auto put = [&](std::uint64_t at, std::uint32_t value) {
    Bytes bytes = made.bytes;
    store_le(&bytes[at], value);
    return made.told(std::move(bytes));
  };
  CHECK(put(count, 2) == "sound");
  CHECK(tells(put(count, 0), "there are no shredded paths, or too many"));
  CHECK(tells(put(count, 0xffff'ffff), "there are no shredded paths, or too many"));
  CHECK(put(count, 1) != "sound");
  CHECK(put(count, 3) != "sound");
  CHECK(put(count + 4, 1) != "sound");
  CHECK(tells(put(first + 4, 2), "unknown flags"));
  CHECK(put(first + 4, kFlagStrays) == "sound");
  CHECK(put(first + 8, 0xffff'fff0) != "sound");
  CHECK(put(first + 8, 7) != "sound");
  CHECK(put(first + 12, 1) != "sound");
  CHECK(put(end - 4, 1) != "sound");  // behind the text
  CHECK(put(16, 0) != "sound");       // the header's feature
}

TEST_CASE("segment: a shredded column's damage names it") {
  const Made made(false);
  const auto reader = open(*made.vfs, made.bytes);
  const std::size_t column = *reader->find(kShreddedColumnFirst);
  Bytes bytes = made.bytes;
  bytes[reader->index(column).chunks[0].values.offset] ^= std::byte{1};
  const auto damaged = open(*made.vfs, bytes);
  CHECK_THROWS_WITH_AS(damaged->verify(), doctest::Contains("shredded column 0"), Error);
}

}  // namespace otolith::segment
