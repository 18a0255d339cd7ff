// Row 13 of the goals: one document by its id, in C++, wherever it stands.
//
//   documents_bench all FOLDER [DOCUMENTS]
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "bench/measure.h"
#include "otolith/otolith.h"

namespace otolith::bench {

namespace {

constexpr const char* kRow = "13";
constexpr std::uint64_t kDocuments = 1 << 18;
constexpr int kSamples = 400;
constexpr int kGets = 64;  // of one sample

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

void gets(const std::string& side, const Collection& users, std::uint64_t documents) {
  std::mt19937_64 random(2);
  std::vector<double> samples;
  for (std::uint64_t number = 0; number < documents; number += 512)  // each page has been read
    if (!users.get(id_of(number))) throw std::runtime_error("a document is missing");
  std::uint64_t bytes = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::vector<std::string> ids;
    for (int i = 0; i < kGets; ++i) ids.push_back(id_of(random() % documents));
    const double wall = seconds_of([&] {
      for (const std::string& id : ids) bytes += users.get(id)->body().size();
    });
    samples.push_back(wall / kGets);
  }
  report(kRow, side, samples, fmt::format("{} bytes a document", bytes / kSamples / kGets));
}

void documents(const std::filesystem::path& folder, std::uint64_t count) {
  for (const std::uint64_t segments : {1u, 16u}) {
    const std::string path = folder / fmt::format("documents{}.oto", segments);
    std::filesystem::remove_all(path);
    Database db = Database::open(path, {});
    Collection users = db.collection("users");
    const double wall = seconds_of([&] { users = fill(db, count, segments); });
    const std::string where = segments == 1 ? "one segment" : fmt::format("{} segments", segments);
    report_value(kRow, "otolith put, " + where, "s", wall);
    gets("otolith get, " + where, users, count);
    gets("otolith get of a commit, " + where, db.at("HEAD").collection("users"), count);
    std::uint64_t stored = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(path + "/segments"))
      if (file.is_regular_file()) stored += file.file_size();
    report_value(kRow, "otolith bytes a document, " + where, "bytes",
                 double(stored) / double(count));
  }
  const std::string path = folder / "documents.oto";
  std::filesystem::remove_all(path);
  Database db = Database::open(path, {});
  gets("otolith get, tail", fill(db, 4096, 4), 4096);
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
