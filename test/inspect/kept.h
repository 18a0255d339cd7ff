// A database on a real directory for the tests of `inspect`, and the command line.
//
// Role:    inspect_test.cc, files_test.cc.
// Shapes:  one table in one segment.
// Errors:  none of its own.
// Threads: thread-compatible.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "io/posix.h"
#include "otolith/inspect.h"
#include "test/door.h"
#include "test/sensors.h"

namespace otolith::test {

inline constexpr std::int64_t kRows =
    70'000;  // more than a commit keeps in the log, and a row group

// A database with one table in one segment.
struct Kept {
  Folder folder;
  std::string path = folder.path("sensors.oto");
  std::string file;  // of the segment, in the database

  explicit Kept(const char* codec = "hot") {
    Schema schema = sensors();
    schema.codec = codec;
    Database db = Database::open(path);
    const Table table = db.create_table("readings", schema);
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < kRows; ++i) {
      rows.push_back({i, "a", double(i % 1000) / 4, i % 10 == 0 ? Cell() : Cell(i % 7)});
    }
    table.append(batch_of(table.schema(), rows));
    db.close();
    file = inspect(path).segments.at(0).file;
  }

  Bytes read(const std::string& name) {
    const auto vfs = io::posix_vfs(path);
    const auto of = vfs->open(name, io::OpenMode::read);
    Bytes out(of->stat().size);
    of->read_at(0, out);
    return out;
  }
  void write(const std::string& name, const Bytes& bytes) {
    const auto vfs = io::posix_vfs(path);
    vfs->remove(name);
    vfs->open(name, io::OpenMode::create)->write_at(0, bytes);
  }
  void flip(const std::string& name, std::size_t at) {
    Bytes bytes = read(name);
    bytes[at] ^= std::byte{1};
    write(name, bytes);
  }
};

}  // namespace otolith::test
