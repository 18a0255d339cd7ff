// One text of a page by itself.
#include <doctest/doctest.h>

#include <set>

#include "codec/codec.h"
#include "otolith/error.h"
#include "segment/reader_state.h"
#include "test/budget.h"
#include "test/segments.h"

namespace otolith::segment {

namespace {

using sample::Row;

constexpr std::size_t kBody = 2;  // its column
constexpr std::uint64_t kRows = 3000;

SegmentSpec bodies(const char* profile) {
  Schema made = collection_schema();
  made.codec = profile;
  for (std::uint32_t i = 0; i < made.columns.size(); ++i) made.columns[i].id = i + 1;
  return sample::spec_of(std::make_shared<const Schema>(made));
}

std::string body_of(std::int64_t row) {
  return "{customer identification number: " + std::to_string(row) +
         ", preferred delivery address: {city of residence: Oslo, postal code: " +
         std::to_string(row * 7919 % 10'007) +
         "}, language of all communication: Norwegian, newsletters may be sent to this address: "
         "true, terms and conditions accepted: always}";
}

std::vector<Row> rows() {
  std::vector<Row> out;
  for (std::int64_t row = 0; row < static_cast<std::int64_t>(kRows); ++row)
    out.push_back({std::to_string(10'000 + row), kTimeOfCommit.ns, body_of(row)});
  return out;
}

codec::CodecId codec_of(const SegmentReader& reader) {
  return reader.index(kBody).chunks.front().codec.id;
}

}  // namespace

TEST_CASE("segment: a text alone is what it is among all, under every profile") {
  const auto vfs = io::memory_vfs();
  std::set<codec::CodecId> met;
  for (const char* profile : {"raw", "hot", "small"}) {
    CAPTURE(profile);
    const auto reader = sample::open(*vfs, sample::bytes_of_run(bodies(profile), rows()));
    met.insert(codec_of(*reader));
    for (std::uint64_t row = 0; row < kRows; row += 7)
      REQUIRE(reader->text(0, kBody, row) == body_of(static_cast<std::int64_t>(row)));
    const Array all = reader->chunk(0, kBody);
    for (std::uint64_t row = 0; row < kRows; ++row)
      REQUIRE(all.text(row) == body_of(static_cast<std::int64_t>(row)));
    CHECK(reader->text(0, kBody, kRows - 1) == body_of(kRows - 1));
  }
  CHECK(met.contains(codec::CodecId::raw));
  CHECK(met.contains(codec::CodecId::bodies));
}

TEST_CASE("segment: what codecs prepared is kept within a bound, of all readers together") {
  const auto vfs = io::memory_vfs();
  const Bytes file = sample::bytes_of_run(bodies("hot"), rows());
  const auto kept = [before = KeptRoom::taken_in_all().load()] {
    return KeptRoom::taken_in_all().load() - before;
  };
  const auto text_of_one = [&] {
    auto reader = sample::open(*vfs, file);
    CHECK(reader->text(0, kBody, 7) == body_of(7));
    CHECK(reader->text(0, kBody, 2000) == body_of(2000));
    return reader;
  };
  {
    const auto reader = text_of_one();
    CHECK(kept() > 1000);
    CHECK(kept() < 1 << 20);
  }
  CHECK(kept() == 0);
  KeptRoom most;
  CHECK(most.take(64 << 20));
  const auto reader = text_of_one();  // none is left for its dictionary
  CHECK(kept() == 64 << 20);
  KeptRoom more;
  CHECK_FALSE(more.take(1));
}

TEST_CASE("segment: damage of a page is met by who asks for one of its texts") {
  const auto vfs = io::memory_vfs();
  for (const char* profile : {"raw", "hot"}) {
    CAPTURE(profile);
    const Bytes sound = sample::bytes_of_run(bodies(profile), rows());
    const auto whole = sample::open(*vfs, sound);
    const ColumnIndex& index = whole->index(kBody);
    const Part& values = index.chunks.front().values;
    const std::uint64_t second = index.pages[1].place.values_at;
    test::Random random(test::seed());
    for (int round = 0; round < 40; ++round) {
      Bytes damaged = sound;
      const std::uint64_t at = values.offset + test::below(random, second);
      damaged[at] ^= static_cast<std::byte>(1u << test::below(random, 8));
      const auto reader = sample::open(*vfs, damaged);
      CHECK(reader->text(0, kBody, 1024) == body_of(1024));  // of the second page
      try {
        (void)reader->text(0, kBody, 5);
        FAIL("it was read");
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.where().offset.has_value());
        CHECK(error.message().find("page 0 of row group 0 of column 3") != std::string::npos);
      }
    }
  }
}

}  // namespace otolith::segment
