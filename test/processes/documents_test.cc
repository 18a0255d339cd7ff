// Processes that write the same documents: no write is lost, none is refused for another's being
// faster, and no id is shown twice.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "db/hall.h"
#include "io/test_folder.h"
#include "test/child.h"

namespace otolith::test {

namespace {

constexpr int kWriters = 3;
constexpr int kWrites = 40;  // of each
constexpr int kIds = 4;

// So few commits stand in the tail that seals come in between.
Database open(const std::string& path) {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 20;
  return db::Door::open(path, {.threads = 1}, sizes);
}

std::string id_of(int number) { return "d" + std::to_string(number); }

std::string field_of(int writer, int write) {
  return "w" + std::to_string(writer) + "_" + std::to_string(write);
}

// Makes the documents where they are not there, then gives each of them fields of its own.
void write(const std::string& path, int writer, int pipe) {
  Database db = open(path);
  const Collection notes = db.collection("notes");
  for (int i = 0; i < kIds; ++i) {
    try {
      notes.insert(Document::from_json("{\"_id\": \"" + id_of(i) + "\"}"));
      say(pipe, i);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::conflict) throw;
    }
  }
  for (int i = 0; i < kWrites; ++i) {
    notes.patch(id_of(i % kIds), Document::from_json("{\"" + field_of(writer, i) +
                                                     "\": " + std::to_string(i) + "}"));
  }
  db.close();
}

}  // namespace

TEST_CASE("processes: patches of the same documents are all there, and each is inserted once") {
  const io::TestFolder folder;
  const std::string path = folder.path() + "/notes.oto";
  open(path).close();
  std::vector<std::unique_ptr<Child>> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(
        std::make_unique<Child>([&, writer](int pipe) { write(path, writer, pipe); }));
  }
  std::vector<int> inserted(kIds);
  for (const auto& child : children) {
    while (const auto id = child->next()) ++inserted.at(static_cast<std::size_t>(*id));
    CHECK(child->finish() == 0);
  }
  CHECK(inserted == std::vector<int>(kIds, 1));
  Database db = open(path);
  const Collection notes = db.collection("notes");
  CHECK(notes.size() == kIds);
  for (int writer = 0; writer < kWriters; ++writer) {
    for (int i = 0; i < kWrites; ++i) {
      const std::string text = notes.get(id_of(i % kIds))->json();
      CHECK(text.find("\"" + field_of(writer, i) + "\":") != std::string::npos);
    }
  }
  CHECK(db.verify().ok());
}

}  // namespace otolith::test
