// The promises of vfs.h, held by the real and by the simulated disk alike.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/error.h"
#include "io/posix.h"
#include "io/sim_disk.h"
#include "io/test_folder.h"

namespace otolith::io {

namespace {

// Several processes' views of one fresh directory.
struct Disk {
  const char* name;
  std::function<std::unique_ptr<Vfs>()> attach;
  std::function<std::unique_ptr<Vfs>()> attach_read_only;
};

void on_both_disks(const std::function<void(Disk&)>& promise) {
  const TestFolder folder;
  Disk posix{"posix", [&] { return posix_vfs(folder.path()); },
             [&] { return posix_vfs(folder.path(), {.read_only = true}); }};
  SimDisk sim;
  Disk simulated{"simulated", [&] { return sim.attach(); },
                 [&] { return sim.attach({.read_only = true}); }};
  for (Disk* disk : {&posix, &simulated}) {
    CAPTURE(disk->name);
    promise(*disk);
  }
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK_MESSAGE(error.message().size() > 20, error.message());
    return error.code();
  }
  FAIL("the call did not throw");
  return ErrorCode::limit;
}

std::string text_of(File& file, std::uint64_t offset = 0, std::size_t bytes = 1000) {
  Bytes out(bytes);
  out.resize(file.read_at(offset, out));
  return std::string(as_text(out));
}

void put(File& file, std::uint64_t offset, std::string_view text) {
  file.write_at(offset, as_bytes_view(text));
}

}  // namespace

TEST_CASE("vfs: what is written is read back, also by another process") {
  on_both_disks([](Disk& disk) {
    auto one = disk.attach();
    auto two = disk.attach();
    auto file = one->open("a", OpenMode::create);
    put(*file, 0, "hello");
    put(*file, 10, "world");
    CHECK(text_of(*file) == std::string("hello\0\0\0\0\0world", 15));
    auto same = two->open("a", OpenMode::read);
    CHECK(text_of(*same, 10) == "world");
    CHECK(same->stat().size == 15);
    CHECK(same->stat().inode == file->stat().inode);
    CHECK(text_of(*same, 15).empty());
    CHECK(text_of(*same, 100).empty());
  });
}

TEST_CASE("vfs: a large write at an odd offset is read back whole") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto file = vfs->open("large", OpenMode::create);
    Bytes bytes(3'000'001);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 >> 3);
    file->write_at(4097, bytes);
    Bytes back(bytes.size() + 10);
    CHECK(file->read_at(4097, back) == bytes.size());
    back.resize(bytes.size());
    CHECK(back == bytes);
    CHECK(file->map(file->stat().size)->bytes()[4097 + 999] == bytes[999]);
  });
}

TEST_CASE("vfs: create refuses a file that exists, open one that is missing") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    CHECK(code_of([&] { vfs->open("a", OpenMode::read); }) == ErrorCode::not_found);
    CHECK(code_of([&] { vfs->open("a", OpenMode::read_write); }) == ErrorCode::not_found);
    CHECK(code_of([&] { vfs->open("no/a", OpenMode::create); }) == ErrorCode::not_found);
    vfs->open("a", OpenMode::create);
    CHECK(code_of([&] { vfs->open("a", OpenMode::create); }) == ErrorCode::conflict);
  });
}

TEST_CASE("vfs: an error names the file and where it is") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    try {
      vfs->open("missing.log", OpenMode::read);
      FAIL("opened a missing file");
    } catch (const Error& error) {
      CHECK(error.where().file == "missing.log");
      CHECK(error.message().find(vfs->describe("missing.log")) != std::string::npos);
    }
  });
}

TEST_CASE("vfs: paths that leave the root are refused everywhere") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    const std::string nul("a\0b", 3);
    for (const std::string& path :
         {std::string("/etc/passwd"), std::string("../x"), std::string("a/../b"),
          std::string("a//b"), std::string("a/"), std::string("."), std::string("./a"), nul,
          std::string(256, 'n')}) {
      CAPTURE(path);
      CHECK(code_of([&] { vfs->open(path, OpenMode::create); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->stat(path); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->rename("x", path); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->remove(path); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->make_dir(path); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->list(path); }) == ErrorCode::invalid_argument);
      CHECK(code_of([&] { vfs->sync_dir(path); }) == ErrorCode::invalid_argument);
    }
  });
}

TEST_CASE("vfs: directories are made once, listed in order, removed when empty") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    CHECK(vfs->make_dir("d"));
    CHECK_FALSE(vfs->make_dir("d"));
    CHECK(code_of([&] { vfs->make_dir("no/d"); }) == ErrorCode::not_found);
    for (const char* name : {"d/c", "d/a", "d/b"}) vfs->open(name, OpenMode::create);
    CHECK(vfs->list("d") == std::vector<std::string>{"a", "b", "c"});
    CHECK(vfs->list("") == std::vector<std::string>{"d"});
    CHECK(code_of([&] { vfs->list("e"); }) == ErrorCode::not_found);
    CHECK(code_of([&] { vfs->remove_dir("d"); }) == ErrorCode::conflict);
    for (const char* name : {"d/c", "d/a", "d/b"}) vfs->remove(name);
    vfs->remove("d/a");  // removing what is not there is no error
    vfs->remove_dir("d");
    CHECK_FALSE(vfs->exists("d"));
    CHECK(code_of([&] { vfs->sync_dir("d"); }) == ErrorCode::not_found);
    vfs->sync_dir("");
  });
}

TEST_CASE("vfs: rename replaces its target and keeps the file's identity") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    vfs->make_dir("d");
    auto file = vfs->open("a", OpenMode::create);
    put(*file, 0, "new");
    auto old = vfs->open("d/b", OpenMode::create);
    put(*old, 0, "old");
    vfs->rename("a", "d/b");
    CHECK_FALSE(vfs->exists("a"));
    CHECK(vfs->stat("d/b")->inode == file->stat().inode);
    CHECK(vfs->stat("d/b")->device == file->stat().device);
    CHECK(text_of(*old) == "old");  // still open, though nobody can find it
    CHECK(code_of([&] { vfs->rename("a", "b"); }) == ErrorCode::not_found);
    vfs->remove("d/b");
    CHECK(text_of(*file) == "new");
  });
}

TEST_CASE("vfs: a name that is taken is not given again") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    vfs->make_dir("d");
    put(*vfs->open("a", OpenMode::create), 0, "new");
    put(*vfs->open("d/b", OpenMode::create), 0, "old");
    CHECK(code_of([&] { vfs->rename_new("a", "d/b"); }) == ErrorCode::conflict);
    CHECK(code_of([&] { vfs->rename_new("c", "d/c"); }) == ErrorCode::not_found);
    CHECK(text_of(*vfs->open("d/b", OpenMode::read)) == "old");
    CHECK(text_of(*vfs->open("a", OpenMode::read)) == "new");
    vfs->rename_new("a", "d/c");
    CHECK_FALSE(vfs->exists("a"));
    CHECK(text_of(*vfs->open("d/c", OpenMode::read)) == "new");
  });
}

TEST_CASE("vfs: truncate cuts, and what grows again is zero") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto file = vfs->open("a", OpenMode::create);
    put(*file, 0, "abcdef");
    file->truncate(2);
    CHECK(text_of(*file) == "ab");
    file->truncate(4);
    CHECK(text_of(*file) == std::string("ab\0\0", 4));
    file->sync();
  });
}

TEST_CASE("vfs: preallocate grows the file with zeros and keeps what is there") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto file = vfs->open("a", OpenMode::create);
    put(*file, 0, "abc");
    file->preallocate(10'000);
    CHECK(file->stat().size == 10'000);
    CHECK(text_of(*file, 0, 5) == std::string("abc\0\0", 5));
    file->preallocate(5'000);
    CHECK(file->stat().size == 10'000);
  });
}

TEST_CASE("vfs: a map shows the file, and no more than the file") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto file = vfs->open("a", OpenMode::create);
    put(*file, 0, "before");
    auto map = file->map(6);
    CHECK(as_text(map->bytes()) == "before");
    put(*file, 0, "BE");
    CHECK(as_text(map->bytes()) == (vfs->maps_follow_writes() ? "BEfore" : "before"));
    CHECK(as_text(file->map(6)->bytes()) == "BEfore");
    CHECK(as_text(file->map(2)->bytes()) == "BE");
    CHECK(file->map(0)->bytes().empty());
    CHECK(code_of([&] { file->map(7); }) == ErrorCode::invalid_argument);
    file.reset();
    vfs->remove("a");
    CHECK(map->bytes()[5] == std::byte{'e'});  // a map outlives its file and its name
  });
}

TEST_CASE("vfs: locks exclude other files, byte by byte, and go with the file") {
  on_both_disks([](Disk& disk) {
    auto one = disk.attach();
    auto two = disk.attach();
    auto a = one->open("lock", OpenMode::create);
    auto b = two->open("lock", OpenMode::read_write);
    CHECK(a->try_lock(0, true));
    CHECK(a->try_lock(0, true));  // again by the holder: still held once
    CHECK_FALSE(b->try_lock(0, true));
    CHECK_FALSE(b->try_lock(0, false));
    CHECK(b->try_lock(1, true));
    CHECK_FALSE(a->try_lock(1, true));
    a->unlock(0);
    CHECK(b->try_lock(0, false));
    CHECK(a->try_lock(0, false));
    CHECK_FALSE(a->try_lock(0, true));
    b.reset();
    CHECK(a->try_lock(0, true));
    auto c = one->open("lock", OpenMode::read_write);  // same process, other description
    CHECK_FALSE(c->try_lock(0, true));
  });
}

TEST_CASE("vfs: closing another file of the same path frees no lock") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto holder = vfs->open("lock", OpenMode::create);
    CHECK(holder->try_lock(7, true));
    vfs->open("lock", OpenMode::read_write).reset();
    auto other = disk.attach()->open("lock", OpenMode::read_write);
    CHECK_FALSE(other->try_lock(7, true));
  });
}

TEST_CASE("vfs: a file opened for reading is neither written nor locked") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    vfs->open("a", OpenMode::create);
    auto file = vfs->open("a", OpenMode::read);
    CHECK(code_of([&] { put(*file, 0, "x"); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { file->truncate(0); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { file->preallocate(1); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { file->try_lock(0, false); }) == ErrorCode::invalid_argument);
  });
}

TEST_CASE("vfs: opened read-only it writes nothing and says how to") {
  on_both_disks([](Disk& disk) {
    auto writer = disk.attach();
    put(*writer->open("a", OpenMode::create), 0, "text");
    CHECK_FALSE(writer->read_only());
    auto vfs = disk.attach_read_only();
    CHECK(vfs->read_only());
    CHECK(text_of(*vfs->open("a", OpenMode::read)) == "text");
    CHECK(code_of([&] { vfs->open("a", OpenMode::read_write); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->open("b", OpenMode::create); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->make_dir("d"); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->rename("a", "b"); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->rename_new("a", "b"); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->remove("a"); }) == ErrorCode::unauthorized);
    CHECK(code_of([&] { vfs->sync_dir(""); }) == ErrorCode::unauthorized);
  });
}

TEST_CASE("vfs: many files are synced at once") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    std::vector<std::unique_ptr<File>> files;
    std::vector<File*> borrowed;
    for (int i = 0; i < 20; ++i) {
      files.push_back(vfs->open("f" + std::to_string(i), OpenMode::create));
      put(*files.back(), 0, "data");
      files.back()->write_back(0, 4);
      borrowed.push_back(files.back().get());
    }
    sync_all(borrowed);
    sync_all({});
  });
}

TEST_CASE("vfs: threads write disjoint ranges of one file") {
  on_both_disks([](Disk& disk) {
    auto vfs = disk.attach();
    auto file = vfs->open("a", OpenMode::create);
    constexpr std::size_t range = 100'000;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back(
            [&, i] { file->write_at(i * range, Bytes(range, static_cast<std::byte>('a' + i))); });
      }
    }
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(text_of(*file, i * range, range) == std::string(range, static_cast<char>('a' + i)));
    }
  });
}

TEST_CASE("vfs: space left is known") {
  on_both_disks([](Disk& disk) { CHECK(disk.attach()->space_left() > 1'000'000); });
}

}  // namespace otolith::io
