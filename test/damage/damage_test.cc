// Every bit of a small database flipped, every file cut, lengthened, zeroed in a sector, every
// segment missing or another's: never wrong data, the damaged file named, the rest still read.
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
  sizes.inline_bytes_max = 400;
  return sizes;
}

Database open_on(io::SimDisk& disk) {
  return db::Door::open(disk.attach(), io::simulated_environment(7), {}, small_sizes());
}

constexpr std::int64_t kDayNs = 86'400'000'000'000;

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

/// Rows of one table and day, with segments of their own.
struct Part {
  std::string table;
  std::int64_t day = 0;
  auto operator<=>(const Part&) const = default;

  std::string rows(const Database& db) const {
    return text_of(db.table(table).read(
        {.start = Timestamp{day * kDayNs}, .stop = Timestamp{(day + 1) * kDayNs}}));
  }
};

/// A database, and which of its rows each segment holds.
struct Sound {
  io::SimDisk disk;
  std::map<std::string, Part> homes;  // by the segment's file
  std::map<Part, std::string> rows;   // of each part
  std::string expected;               // everything()

  Sound();

 private:
  void note(const Database& db, const Part& part) {
    for (const auto& [path, size] : files_of(*disk.attach())) {
      if (path.ends_with(".seg")) homes.emplace(path, part);
    }
    rows[part] = part.rows(db);
  }
};

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

/// Inlined commits, sealed ones, a tag, and commits large enough for segments of their own, on
/// another day and in another table.
Sound::Sound() {
  Database db = open_on(disk);
  const Table table = db.create_table("t", sensors());
  for (std::int64_t i = 0; i < 15; ++i) {
    table.append(batch_of(table.schema(), {{i * 1000, "a", 0.5 * static_cast<double>(i), kNull}}),
                 {.author = "ana", .message = fmt::format("row {}", i)});
  }
  db.tag("fifteen");
  table.append(batch_of(table.schema(), {{std::int64_t{77}, "late", kNull, std::int64_t{3}}}));
  note(db, {"t", 0});
  std::vector<Row> many;
  for (std::int64_t i = 0; i < 30; ++i) many.push_back({kDayNs + i, "b", kNull, i});
  table.append(batch_of(table.schema(), many));
  note(db, {"t", 1});
  const Table other = db.create_table("u", sensors());
  other.append(batch_of(other.schema(), many));
  note(db, {"u", 1});
  expected = everything(db);
  db.close();
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

bool names(const Error& error, const std::string& path) {
  return error.where().file == path && std::string(error.what()).find(path) != std::string::npos;
}

/// A damaged segment is named by verify and by who reads its rows; true if any of them met it. All
/// other rows are read as ever.
bool check_rest(const Database& db, const std::string& path, const Sound& sound) {
  bool met = false;
  for (const auto& [part, rows] : sound.rows) {
    INFO(part.table, ", day ", part.day);
    try {
      const bool right = part.rows(db) == rows;
      CHECK_MESSAGE(right, "wrong data were served");
    } catch (const Error& error) {
      CHECK_MESSAGE(part == sound.homes.at(path),
                    "undamaged rows were refused: ", std::string(error.what()));
      CHECK_MESSAGE(names(error, path), "the file is not named: ", std::string(error.what()));
      met = true;
    }
  }
  for (const Problem& problem : db.verify().problems) {
    CHECK_MESSAGE(problem.where.file == path, problem.what);
    met = true;
  }
  return met;
}

/// A damaged disk may refuse with a typed error, or show exactly what was committed and say where
/// the damage is; anything else is a failure.
void check_damaged(io::SimDisk disk, const std::string& path, const Sound& sound,
                   bool may_pass = false) {
  try {
    Database db = open_on(disk);
    if (sound.homes.contains(path)) check_rest(db, path, sound);
    const VerifyReport report = db.verify();
    const bool reported =
        !report.ok() || !db.status().torn_tails.empty() || derived(path) || may_pass;
    const bool right = everything(db) == sound.expected;
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
void damage(const Sound& sound, const std::string& path, const std::string& what, std::uint64_t at,
            const Change& change) {
  const std::string where = path + ": " + what;
  INFO(where);
  io::SimDisk disk = sound.disk.copy();
  const auto vfs = disk.attach();
  const auto file = vfs->open(path, io::OpenMode::read_write);
  change(*file);
  check_damaged(disk, path, sound, at >= used_bytes(sound.disk, path));
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
  const Sound sound;
  REQUIRE(std::count(sound.expected.begin(), sound.expected.end(), '\n') > 100);
  io::SimDisk reference = sound.disk.copy();
  REQUIRE(open_on(reference).verify().problems.empty());
  const auto files = files_of(*sound.disk.copy().attach());
  std::vector<std::pair<std::string, std::uint64_t>> bits;
  for (const auto& [path, size] : files) {
    for (std::uint64_t bit = 0; bit < size * 8; ++bit) bits.emplace_back(path, bit);
  }
  std::mt19937_64 random(seed());
  std::shuffle(bits.begin(), bits.end(), random);
  std::size_t done = 0;
  for (const Budget budget; done < bits.size() && budget.left(); ++done) {
    const auto& [path, bit] = bits[done];
    damage(sound, path, fmt::format("bit {}", bit), bit / 8,
           [&](io::File& file) { flip(file, bit); });
  }
  MESSAGE(done, " of ", bits.size(), " bits flipped");
  CHECK(done > 0);
}

TEST_CASE("damage: files cut short, longer than they were, zeroed in a sector") {
  const Sound sound;
  std::mt19937_64 random(seed());
  std::size_t done = 0;
  const auto files = files_of(*sound.disk.copy().attach());
  for (const Budget budget; budget.left(); ++done) {
    for (const auto& [path, size] : files) {
      if (size == 0) continue;
      const std::uint64_t cut = random() % size;
      damage(sound, path, fmt::format("cut at {}", cut), cut,
             [&](io::File& file) { file.truncate(cut); });
      const std::uint64_t sector = random() % size / kSectorBytes * kSectorBytes;
      damage(sound, path, fmt::format("sector {} zeroed", sector), sector, [&](io::File& file) {
        file.write_at(sector, Bytes(std::min<std::uint64_t>(kSectorBytes, size - sector)));
      });
      Bytes more(1 + random() % 5000);
      if (done % 2 == 0) std::ranges::generate(more, [&] { return std::byte(random()); });
      damage(sound, path, fmt::format("{} bytes longer", more.size()), size,
             [&](io::File& file) { file.write_at(size, more); });
    }
  }
  MESSAGE(done, " rounds over ", files.size(), " files");
  CHECK(done > 0);
}

TEST_SUITE_END();

TEST_CASE("damage: a missing segment, a longer one, and one in place of another are named") {
  const Sound sound;
  REQUIRE(sound.homes.size() >= 4);
  REQUIRE(sound.rows.size() == 3);
  for (const auto& [path, home] : sound.homes) {
    INFO(path);
    io::SimDisk missing = sound.disk.copy();
    missing.attach()->remove(path);
    CHECK(check_rest(open_on(missing), path, sound));
    check_damaged(missing, path, sound);

    io::SimDisk longer = sound.disk.copy();
    const auto file = longer.attach()->open(path, io::OpenMode::read_write);
    file->write_at(file->stat().size, Bytes(1));
    CHECK(check_rest(open_on(longer), path, sound));

    for (const auto& [other, other_home] : sound.homes) {
      if (other == path) continue;
      io::SimDisk swapped = sound.disk.copy();
      const auto vfs = swapped.attach();
      const auto from = vfs->open(other, io::OpenMode::read);
      Bytes bytes(from->stat().size);
      from->read_at(0, bytes);
      const auto to = vfs->open(path, io::OpenMode::read_write);
      to->truncate(0);
      to->write_at(0, bytes);
      CHECK(check_rest(open_on(swapped), path, sound));
      check_damaged(swapped, path, sound);
    }
  }
}

TEST_CASE("damage: status of a database with a damaged segment says so, and tells the rest") {
  Folder folder;
  const std::string path = folder.path("status.oto");
  {
    Database db = Database::open(path);
    const Table table = db.create_table("t", sensors());
    const std::vector<Row> row{{std::int64_t{1000}, "a", 1.0, kNull}};
    table.append(batch_of(table.schema(), row));
    db.compact();
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
