// Row 13 of the goals: one document by its id, in C++, wherever it stands, beside LMDB.
//
//   documents_bench all FOLDER [DOCUMENTS]
//
// Role:    a look-up alone, and a document handed over as a value of the caller's own.
// Shapes:  the same documents in one segment, in 16, in LMDB; ids in any order; sides in turns.
// Errors:  exits with an exception's message.
// Threads: one.
// Why:     what looks at one state is compared with a transaction that stays open, and a live
//          collection, which sees what others commit between two calls, with one that is renewed.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <span>

#include "bench/documents/kept.h"
#include "bench/measure.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr const char* kRow = "13";
constexpr std::uint64_t kDocuments = 1 << 18;
constexpr int kSamples = 400;
constexpr int kGets = 128;  // of one sample
constexpr std::uint64_t kTail = 4096;

const char* pick(std::mt19937_64& random, std::span<const char* const> words) {
  return words[random() % words.size()];
}

std::string id_of(std::uint64_t number) { return fmt::format("user-{:010}", number * 7919); }

/// Some 400 bytes, as an application keeps of a user.
std::string json_of(std::uint64_t number, std::mt19937_64& random) {
  constexpr const char* kNames[] = {"Ana", "Ben", "Chiara", "Dorte", "Emre", "Farah", "Goran"};
  constexpr const char* kCities[] = {"Oslo", "Rome", "Lima", "Kyoto", "Accra", "Quito"};
  constexpr const char* kWords[] = {"late",  "order", "paid",  "again", "never", "north",
                                    "river", "green", "seven", "glass", "stone", "paper"};
  std::string text;
  for (int i = 0; i < 20; ++i) text += fmt::format("{} ", pick(random, kWords));
  const char* const name = pick(random, kNames);
  return fmt::format(
      R"({{"_id":"{}","name":"{}","email":"{}.{}@example.org","age":{},"score":{:.3f},)"
      R"("address":{{"city":"{}","street":"{} street {}","zip":"{:05}"}},"active":{},)"
      R"("tags":["{}","{}","{}"],"visits":[{},{},{}],"note":"{}","key":"{:016x}"}})",
      id_of(number), name, name, number, 18 + random() % 70, double(random() % 100'000) / 1000,
      pick(random, kCities), pick(random, kWords), random() % 200, random() % 100'000,
      random() % 2 == 0, pick(random, kWords), pick(random, kWords), pick(random, kWords),
      random() % 1000, random() % 1000, random() % 1000, text, random());
}

/// Documents in so many commits, each of ids from all over: every segment may hold any id.
Collection fill(Database& db, std::uint64_t documents, std::uint64_t commits) {
  const Collection users = db.collection("users");
  std::mt19937_64 random(1);
  for (std::uint64_t commit = 0; commit < commits; ++commit) {
    std::vector<Document> some;
    for (std::uint64_t number = commit; number < documents; number += commits)
      some.push_back(Document::from_json(json_of(number, random)));
    users.put(some);
  }
  return users;
}

// What is measured: all of some ids, and how many bytes that gave.
struct Side {
  std::string name;
  std::function<std::uint64_t(std::span<const std::string>)> ask;
  std::vector<double> samples{};
  std::uint64_t bytes = 0;
};

Side contains(const std::string& name, const Collection& users) {
  return {name, [users](std::span<const std::string> ids) {
            std::uint64_t found = 0;
            for (const std::string& id : ids) found += users.contains(id) ? 1 : 0;
            return found;
          }};
}

Side gets(const std::string& name, const Collection& users) {
  return {name, [users](std::span<const std::string> ids) {
            std::uint64_t bytes = 0;
            for (const std::string& id : ids) bytes += users.get(id).value().body().size();
            return bytes;
          }};
}

void lmdb_sides(Kept& kept, std::vector<Side>& sides) {
  sides.push_back({"LMDB look-up", [&kept](std::span<const std::string> ids) {
                     std::uint64_t found = 0;
                     for (const std::string& id : ids) found += kept.find(id).empty() ? 0 : 1;
                     return found;
                   }});
  sides.push_back({"LMDB, copied out", [&kept](std::span<const std::string> ids) {
                     std::uint64_t bytes = 0;
                     for (const std::string& id : ids) bytes += std::string(kept.find(id)).size();
                     return bytes;
                   }});
  sides.push_back({"LMDB, renewed, copied out", [&kept](std::span<const std::string> ids) {
                     std::uint64_t bytes = 0;
                     for (const std::string& id : ids) {
                       kept.renew();
                       bytes += std::string(kept.find(id)).size();
                     }
                     return bytes;
                   }});
}

void in_turns(std::vector<Side>& sides, std::uint64_t documents) {
  std::mt19937_64 random(2);
  for (int sample = 0; sample < kSamples; ++sample) {
    for (Side& side : sides) {
      std::vector<std::string> ids;  // others than those of the side before, which are in the cache
      for (int i = 0; i < kGets; ++i) ids.push_back(id_of(random() % documents));
      const double wall = seconds_of([&] { side.bytes += side.ask(ids); });
      side.samples.push_back(wall / kGets);
    }
  }
  for (const Side& side : sides) {
    const double each = double(side.bytes) / kSamples / kGets;
    if (each == 0) throw std::runtime_error(side.name + " found nothing");
    report(kRow, side.name, side.samples, each > 1 ? fmt::format("{:.0f} bytes each", each) : "");
  }
}

std::uint64_t stored_bytes(const std::string& path) {
  std::uint64_t stored = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(path + "/segments"))
    if (file.is_regular_file()) stored += file.file_size();
  return stored;
}

// Each page has been read, and ids have been looked for so often that they have an index.
void warm(const Collection& users, std::uint64_t documents) {
  for (std::uint64_t number = 0; number < documents; number += 64)
    if (!users.get(id_of(number))) throw std::runtime_error("a document is missing");
}

std::unique_ptr<Kept> kept_in_lmdb(const std::filesystem::path& folder, const Collection& users) {
  std::filesystem::remove_all(folder / "lmdb");
  std::unique_ptr<Kept> out = lmdb(folder / "lmdb");
  if (out == nullptr) return out;
  DocumentStream stream = users.find();
  for (auto some = stream.next(); !some.empty(); some = stream.next())
    for (const DocumentEntry& entry : some) out->put(entry.document.id(), entry.document.body());
  out->written();
  return out;
}

void documents(const std::filesystem::path& folder, std::uint64_t count) {
  std::vector<Side> sides;
  std::unique_ptr<Kept> kept;
  for (const std::uint64_t segments : {1u, 16u}) {
    const std::string path = folder / fmt::format("documents{}.oto", segments);
    std::filesystem::remove_all(path);
    Database db = Database::open(path, {});
    Collection users = db.collection("users");
    const double wall = seconds_of([&] { users = fill(db, count, segments); });
    const std::string where = segments == 1 ? "one segment" : fmt::format("{} segments", segments);
    report_value(kRow, "otolith put, " + where, "s", wall);
    report_value(kRow, "otolith bytes a document, " + where, "bytes",
                 double(stored_bytes(path)) / double(count));
    if (kept == nullptr) kept = kept_in_lmdb(folder, users);
    const Collection one_state = db.at("HEAD").collection("users");
    warm(users, count);
    sides.push_back(contains("otolith look-up, " + where, one_state));
    sides.push_back(contains("otolith look-up, live, " + where, users));
    sides.push_back(gets("otolith get of a commit, " + where, one_state));
    sides.push_back(gets("otolith get, " + where, users));
  }
  if (kept == nullptr) report_absent(kRow, "LMDB look-up", "built without liblmdb-dev");
  if (kept != nullptr) lmdb_sides(*kept, sides);
  in_turns(sides, count);
  const std::string path = folder / "documents.oto";
  std::filesystem::remove_all(path);
  Database db = Database::open(path, {});
  std::vector<Side> tail{gets("otolith get, tail", fill(db, kTail, 4))};
  warm(db.collection("users"), kTail);
  in_turns(tail, kTail);
}

}  // namespace

}  // namespace otolith::bench

int main(int argc, char** argv) {
  const std::string folder = argc > 2 ? argv[2] : "build/bench";
  try {
    const std::uint64_t count =
        argc > 3 ? std::strtoull(argv[3], nullptr, 10) : otolith::bench::kDocuments;
    otolith::bench::documents(folder, count);
  } catch (const std::exception& error) {
    fmt::print(stderr, "documents_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
