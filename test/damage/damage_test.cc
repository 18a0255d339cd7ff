// Every bit of a small database flipped, every file cut, zeroed and swapped: never wrong data.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/budget.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::size_t kSectorBytes = 512;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 16 << 10;
  sizes.log.preallocate_bytes = 4 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  sizes.tail_bytes_max = 2048;
  sizes.tail_commits_max = 6;
  return sizes;
}

Database open_on(io::SimDisk& disk) {
  return db::Door::open(disk.attach(), io::simulated_environment(7), {}, small_sizes());
}

/// Inlined commits, sealed ones, a tag, and one commit large enough for a segment of its own.
io::SimDisk sound_disk() {
  io::SimDisk disk;
  Database db = open_on(disk);
  const Table table = db.create_table("t", sensors());
  for (std::int64_t i = 0; i < 15; ++i) {
    table.append(batch_of(table.schema(), {{i * 1000, "a", 0.5 * static_cast<double>(i), kNull}}),
                 {.author = "ana", .message = fmt::format("row {}", i)});
  }
  db.tag("fifteen");
  table.append(batch_of(table.schema(), {{std::int64_t{77}, "late", kNull, std::int64_t{3}}}));
  db.close();
  return disk;
}

/// Every state that can be read, as text; throws what opening or reading throws.
std::string everything(Database& db) {
  std::string out;
  for (const Commit& commit : db.log()) {
    out += fmt::format("{} {} {}\n", static_cast<std::uint64_t>(commit.number), commit.hash,
                       commit.message);
    const Snapshot at = db.at(commit.number);
    for (const std::string& name : at.datasets()) out += text_of(at.table(name).read());
  }
  for (const auto& [name, commit] : db.tags()) out += name + " " + commit.hash + "\n";
  return out;
}

std::map<std::string, std::uint64_t> files_of(io::Vfs& vfs, const std::string& folder = "") {
  std::map<std::string, std::uint64_t> out;
  for (const std::string& name : vfs.list(folder)) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    try {
      out.merge(files_of(vfs, path));
    } catch (const Error&) {
      out.emplace(path, vfs.open(path, io::OpenMode::read)->stat().size);
    }
  }
  return out;
}

/// Files that are rebuilt, hold nothing or are only hints: damage in them changes nothing.
bool derived(const std::string& path) {
  return path == "lock" || path == "log/reserve" || path.starts_with("index/");
}

/// Behind the last byte that is not zero, a log file is only preallocated.
std::uint64_t used_bytes(io::SimDisk disk, const std::string& path) {
  const auto file = disk.attach()->open(path, io::OpenMode::read);
  Bytes bytes(file->stat().size);
  file->read_at(0, bytes);
  const auto last = std::find_if(bytes.rbegin(), bytes.rend(),
                                 [](std::byte byte) { return byte != std::byte{}; });
  return static_cast<std::uint64_t>(bytes.rend() - last);
}

/// A damaged disk may refuse with a typed error, or show exactly what was committed and say where
/// the damage is; anything else is a failure.
void check_damaged(io::SimDisk disk, const std::string& path, const std::string& expected,
                   bool may_pass = false) {
  try {
    Database db = open_on(disk);
    const VerifyReport report = db.verify();
    const bool reported =
        !report.ok() || !db.status().torn_tails.empty() || derived(path) || may_pass;
    const bool right = everything(db) == expected;
    CHECK_MESSAGE(right, "wrong data were served");
    CHECK_MESSAGE(reported, "damage went unnoticed");
  } catch (const Error& error) {
    const bool typed = error.code() == ErrorCode::corrupt ||
                       error.code() == ErrorCode::unsupported_format ||
                       error.code() == ErrorCode::not_found || error.code() == ErrorCode::io;
    CHECK_MESSAGE(typed, error.what());
    CHECK_MESSAGE(!derived(path), error.what());
  }
}

template <typename Change>
void damage(const io::SimDisk& sound, const std::string& path, const std::string& expected,
            const std::string& what, std::uint64_t at, const Change& change) {
  const std::string where = path + ": " + what;
  INFO(where);
  io::SimDisk disk = sound.copy();
  const auto vfs = disk.attach();
  const auto file = vfs->open(path, io::OpenMode::read_write);
  change(*file);
  check_damaged(disk, path, expected, at >= used_bytes(sound, path));
}

void flip(io::File& file, std::uint64_t bit) {
  std::byte byte{};
  file.read_at(bit / 8, std::span(&byte, 1));
  byte ^= static_cast<std::byte>(1u << (bit & 7));
  file.write_at(bit / 8, std::span(&byte, 1));
}

}  // namespace

TEST_SUITE_BEGIN("long");

TEST_CASE("damage: no flipped bit of any file is ever served as data") {
  const io::SimDisk sound = sound_disk();
  io::SimDisk reference = sound.copy();
  Database db = open_on(reference);
  const std::string expected = everything(db);
  REQUIRE(std::count(expected.begin(), expected.end(), '\n') > 100);
  REQUIRE(db.verify().problems.empty());
  const auto files = files_of(*sound.copy().attach());
  std::vector<std::pair<std::string, std::uint64_t>> bits;
  for (const auto& [path, size] : files) {
    for (std::uint64_t bit = 0; bit < size * 8; ++bit) bits.emplace_back(path, bit);
  }
  std::mt19937_64 random(seed());
  std::shuffle(bits.begin(), bits.end(), random);
  std::size_t done = 0;
  for (const Budget budget; done < bits.size() && budget.left(); ++done) {
    const auto& [path, bit] = bits[done];
    damage(sound, path, expected, fmt::format("bit {}", bit), bit / 8,
           [&](io::File& file) { flip(file, bit); });
  }
  MESSAGE(done, " of ", bits.size(), " bits flipped");
}

TEST_CASE("damage: files cut short, longer than they were, zeroed in a sector") {
  const io::SimDisk sound = sound_disk();
  io::SimDisk reference = sound.copy();
  Database db = open_on(reference);
  const std::string expected = everything(db);
  std::mt19937_64 random(seed());
  std::size_t done = 0;
  const auto files = files_of(*sound.copy().attach());
  for (const Budget budget; budget.left(); ++done) {
    for (const auto& [path, size] : files) {
      if (size == 0) continue;
      const std::uint64_t cut = random() % size;
      damage(sound, path, expected, fmt::format("cut at {}", cut), cut,
             [&](io::File& file) { file.truncate(cut); });
      const std::uint64_t sector = random() % size / kSectorBytes * kSectorBytes;
      damage(sound, path, expected, fmt::format("sector {} zeroed", sector), sector,
             [&](io::File& file) {
               file.write_at(sector, Bytes(std::min<std::uint64_t>(kSectorBytes, size - sector)));
             });
    }
  }
  MESSAGE(done, " rounds over ", files.size(), " files");
}

TEST_CASE("damage: a missing segment, and one in place of another, are named") {
  const io::SimDisk sound = sound_disk();
  io::SimDisk reference = sound.copy();
  Database db = open_on(reference);
  const std::string expected = everything(db);
  std::vector<std::string> segments;
  for (const auto& [path, size] : files_of(*sound.copy().attach())) {
    if (path.ends_with(".seg")) segments.push_back(path);
  }
  REQUIRE(segments.size() >= 2);
  {
    io::SimDisk disk = sound.copy();
    disk.attach()->remove(segments[0]);
    check_damaged(disk, segments[0], expected);
  }
  {
    io::SimDisk disk = sound.copy();
    const auto vfs = disk.attach();
    const auto from = vfs->open(segments[0], io::OpenMode::read);
    Bytes bytes(from->stat().size);
    from->read_at(0, bytes);
    const auto to = vfs->open(segments[1], io::OpenMode::read_write);
    to->truncate(0);
    to->write_at(0, bytes);
    check_damaged(disk, segments[1], expected);
  }
}

TEST_SUITE_END();

TEST_CASE("damage: status of a database with a damaged segment says so, and tells the rest") {
  Folder folder;
  const std::string path = folder.path("status.oto");
  {
    Database db = Database::open(path);
    const Table table = db.create_table("t", sensors());
    const std::vector<Row> row{{std::int64_t{1000}, "a", 1.0, kNull}};
    const Batch batch = batch_of(table.schema(), row);
    for (std::uint64_t i = 0; i <= kTailCommitsMax; ++i) table.append(batch);
    db.create_table("u", sensors()).append(batch_of(table.schema(), row));
    REQUIRE(db.status().datasets.at("t").segments == 1);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path + "/segments")) {
    if (entry.is_regular_file()) std::filesystem::resize_file(entry.path(), 100);
  }
  const Status status = Database::open(path).status();
  REQUIRE(status.damage.size() == 1);
  CHECK(status.damage[0].find("\"t\"") != std::string::npos);
  CHECK(status.damage[0].find("segments/") != std::string::npos);
  CHECK(status.datasets.at("t").segments == 1);
  CHECK(status.datasets.at("u").rows == 1);
}

}  // namespace otolith::test
