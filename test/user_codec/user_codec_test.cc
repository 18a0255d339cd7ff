// A column of a user's codec, from create_table to a read after the database was closed.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <vector>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/halves_codec.h"

namespace otolith::test {

namespace {

constexpr std::uint64_t kRows = 200'000;  // enough for a segment of their own

template <typename T>
Array column(TypeKind kind, const std::function<T(std::uint64_t)>& value) {
  std::byte* data = nullptr;
  Array out{.type = {kind}, .length = kRows, .values = buffer_allocate(kRows * sizeof(T), &data)};
  for (std::uint64_t row = 0; row < kRows; ++row) {
    const T one = value(row);
    std::memcpy(data + row * sizeof(T), &one, sizeof(T));
  }
  return out;
}

Schema schema_of(const std::string& codec, TypeKind kind = TypeKind::int64) {
  Schema schema;
  schema.partition = Partition::none;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                    {.name = "n", .type = {kind}, .codec = codec}};
  return schema;
}

Batch rows_of(const Table& table) {
  Batch out{.schema = table.schema(), .rows = kRows};
  out.columns.push_back(column<std::int64_t>(TypeKind::timestamp, [](std::uint64_t row) {
    return static_cast<std::int64_t>(row) * 1000;
  }));
  out.columns.push_back(column<std::int64_t>(TypeKind::int64, [](std::uint64_t row) {
    return static_cast<std::int64_t>(row * row % 1000);
  }));
  return out;
}

std::string told(const std::function<void()>& call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.message();
  }
  return {};
}

bool holds(const std::string& message, const std::string& part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("user codec: a column is written and read by a codec that the program registered") {
  const auto folder = std::filesystem::temp_directory_path() / "otolith_user_codec_test.oto";
  std::filesystem::remove_all(folder);
  {
    Database db = Database::open(folder);
    CHECK(
        holds(told([&] { db.create_table("t", schema_of("codec:")); }, ErrorCode::invalid_argument),
              "unknown codec"));
    const Table table = db.create_table("t", schema_of("codec:halves"));
    const Batch batch = rows_of(table);
    CHECK(holds(told([&] { table.append(batch); }, ErrorCode::unsupported_format),
                "codec \"halves\", which this process has not registered"));
    CHECK(table.rows() == 0);
    codec_register(std::make_unique<HalvesCodec>());
    table.append(batch);
    const Table floats = db.create_table("f", schema_of("codec:halves", TypeKind::float32));
    Batch other = rows_of(floats);
    other.columns[1] = column<float>(TypeKind::float32, [](std::uint64_t) { return 1.0f; });
    CHECK(holds(told([&] { floats.append(other); }, ErrorCode::invalid_argument),
                "codec \"halves\" does not take float32"));
  }
  Database db = Database::open(folder);
  const Data data = db.table("t").read();
  REQUIRE(data.rows() == kRows);
  std::uint64_t row = 0;
  for (const Batch& batch : data.batches()) {
    for (std::uint64_t i = 0; i < batch.rows; ++i, ++row)
      REQUIRE(batch.columns[1].value<std::int64_t>(i) ==
              static_cast<std::int64_t>(row * row % 1000));
  }
  std::filesystem::remove_all(folder);
}

// Encodes once it may; a commit into the log does not ask it.
class Moody final : public UserCodec {
 public:
  explicit Moody(const bool* works) : works_(works) {}
  std::uint16_t id() const noexcept override { return kUserCodecFirst + 40; }
  std::uint16_t version() const noexcept override { return 1; }
  std::string_view name() const noexcept override { return "moody"; }
  bool fits(Type) const noexcept override { return true; }
  std::vector<std::byte> encode(const Array& page) const override {
    if (!*works_) throw 7;  // NOLINT: users may throw anything
    return halves_.encode(page);
  }
  Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const override {
    return halves_.decode(bytes, type, rows);
  }

 private:
  const bool* works_;
  HalvesCodec halves_;
};

TEST_CASE("user codec: a table that cannot be sealed fails no commit and holds up no other table") {
  static bool works = false;  // codecs are registered for as long as the process runs
  codec_register(std::make_unique<Moody>(&works));
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 4;
  Database db = db::Door::open(io::memory_vfs(), io::system_environment(), {}, sizes);
  const Table stuck = db.create_table("stuck", schema_of("codec:moody"));
  const Table plain = db.create_table("plain", schema_of("hot"));
  const auto append = [](const Table& table, std::uint64_t rows) {
    Batch batch = rows_of(table);
    batch.rows = rows;
    for (Array& column : batch.columns) column.length = rows;
    table.append(batch);
  };
  const auto segments = [&](const char* name) { return db.status().datasets.at(name).segments; };
  for (int i = 0; i < 3; ++i) {
    append(plain, 1);
    append(stuck, 1);
  }
  CHECK(segments("plain") == 1);  // by the commit that was one too many
  CHECK(segments("stuck") == 0);
  CHECK(stuck.rows() == 3);
  // What is left is no reason to cut the rows of every further commit into a segment.
  append(plain, 1);
  append(plain, 1);
  CHECK(segments("plain") == 1);
  works = true;
  for (int i = 0; i < 4; ++i) append(plain, 1);
  CHECK(segments("plain") == 2);
  CHECK(segments("stuck") == 1);
  CHECK(stuck.rows() == 3);
  CHECK(plain.rows() == 9);
  CHECK(stuck.read().rows() == 3);
  works = false;
  const std::string said =
      told([&] { append(db.create_table("large", schema_of("codec:moody")), kRows); },
           ErrorCode::invalid_argument);
  CHECK(holds(said, "column \"n\" of \"large\": codec \"moody\" could not encode a page"));
}

}  // namespace otolith::test
