// What BulkWriter writes is what was appended, on both disks, whatever the sizes, also when writes
// fail.
#include "io/bulk_writer.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "base/error.h"
#include "io/posix.h"
#include "io/random.h"
#include "io/sim_disk.h"
#include "io/test_folder.h"

namespace otolith::io {

namespace {

constexpr WriteQueueOptions kSmallChunks{.chunk_bytes = 8192, .chunks = 3, .threads = 2};

void on_both_disks(const std::function<void(Vfs&)>& promise) {
  const TestFolder folder;
  auto posix = posix_vfs(folder.path());
  auto simulated = SimDisk().attach();
  promise(*posix);
  promise(*simulated);
}

Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  SeededRandom random(seed);
  Bytes bytes(size);
  for (std::byte& each : bytes) each = static_cast<std::byte>(random.next());
  return bytes;
}

Bytes content_of(File& file) {
  Bytes content(static_cast<std::size_t>(file.stat().size) + 1);
  content.resize(file.read_at(0, content));
  return content;
}

// Appends `bytes` in pieces of random sizes, some in place.
void append_in_pieces(BulkWriter& writer, BytesView bytes, std::uint64_t seed) {
  SeededRandom random(seed);
  while (!bytes.empty()) {
    std::size_t step = std::min<std::size_t>(bytes.size(), random.below(5000));
    if (random.one_in(2)) {
      writer.append(bytes.first(step));
    } else {
      const std::span<std::byte> room = writer.room();
      step = std::min(step, room.size());
      std::copy_n(bytes.begin(), step, room.begin());
      writer.advance(step);
    }
    bytes = bytes.subspan(step);
  }
}

}  // namespace

TEST_CASE("bulk writer: the file holds what was appended, whatever its size") {
  on_both_disks([](Vfs& vfs) {
    for (const std::size_t size : {0u, 1u, 4096u, 8191u, 8192u, 8193u, 40'960u, 100'001u}) {
      for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{size}}) {
        CAPTURE(size);
        auto file = vfs.open("a", OpenMode::create);
        const Bytes bytes = random_bytes(size, size);
        BulkWriter writer(*file, expected, kSmallChunks);
        append_in_pieces(writer, bytes, size + 1);
        CHECK(writer.position() == size);
        writer.finish();
        file->sync();
        CHECK(content_of(*file) == bytes);
        vfs.remove("a");
      }
    }
  });
}

TEST_CASE("bulk writer: an expected size that was wrong changes nothing") {
  on_both_disks([](Vfs& vfs) {
    for (const std::uint64_t expected : {10'000u, 1'000'000u}) {
      auto file = vfs.open("a", OpenMode::create);
      const Bytes bytes = random_bytes(50'000, 1);
      BulkWriter writer(*file, expected, kSmallChunks);
      writer.append(bytes);
      writer.finish();
      CHECK(content_of(*file) == bytes);
      vfs.remove("a");
    }
  });
}

TEST_CASE("bulk writer: several threads fill chunks of one file") {
  on_both_disks([](Vfs& vfs) {
    auto file = vfs.open("a", OpenMode::create);
    const Bytes bytes = random_bytes(40 * kSmallChunks.chunk_bytes, 2);
    {
      WriteQueue queue(*file, kSmallChunks);
      {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 2; ++t) {
          threads.emplace_back([&, t] {
            for (std::size_t i = t; i < 40; i += 2) {
              const std::size_t at = i * kSmallChunks.chunk_bytes;
              AlignedBuffer chunk = queue.take();
              std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), chunk.size(),
                          chunk.data());
              queue.submit(at, std::move(chunk), kSmallChunks.chunk_bytes);
            }
          });
        }
      }
      queue.drain();
    }
    CHECK(content_of(*file) == bytes);
  });
}

TEST_CASE("bulk writer: a failed write is told by a later call and frees everybody") {
  const auto code_of_writing_to = [](File& file) {
    try {
      BulkWriter writer(file, 0, kSmallChunks);
      for (int i = 0; i < 100; ++i) writer.append(Bytes(kSmallChunks.chunk_bytes));
      writer.finish();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::cancelled;
  };
  auto full = posix_vfs("/dev")->open("full", OpenMode::read_write);
  CHECK(code_of_writing_to(*full) != ErrorCode::cancelled);
  SimDisk disk;
  auto file = disk.attach()->open("a", OpenMode::create);
  disk.inject({.operation = Operation::write, .at = 3, .error = ENOSPC});
  CHECK(code_of_writing_to(*file) == ErrorCode::no_space);
}

TEST_CASE("bulk writer: writers that fail in the background give their error to who waits") {
  // A file that fails from its second write on, and claims to be a real one so that threads are
  // used.
  class Failing final : public File {
   public:
    std::size_t read_at(std::uint64_t, std::span<std::byte>) override { return 0; }
    void write_at(std::uint64_t offset, BytesView) override {
      if (offset != 0) throw_error(ErrorCode::io, "the device of this test has failed");
    }
    void sync() override {}
    void write_back(std::uint64_t, std::uint64_t) override {}
    void preallocate(std::uint64_t) override {}
    void truncate(std::uint64_t) override {}
    FileStat stat() const override { return {}; }
    std::unique_ptr<Mapping> map(std::uint64_t) override { return nullptr; }
    bool try_lock(std::uint64_t, bool) override { return false; }
    void unlock(std::uint64_t) override {}
    bool syncs_in_parallel() const noexcept override { return true; }
  };
  Failing file;
  for (const int chunks : {2, 3, 50}) {
    bool failed = false;
    try {
      BulkWriter writer(file, 0, kSmallChunks);
      for (int i = 0; i < chunks; ++i) writer.append(Bytes(kSmallChunks.chunk_bytes));
      writer.finish();
    } catch (const Error& error) {
      failed = error.code() == ErrorCode::io;
    }
    CHECK(failed);
  }
  try {
    BulkWriter abandoned(file, 0, kSmallChunks);  // destroyed with chunks under way
    for (int i = 0; i < 3; ++i) abandoned.append(Bytes(kSmallChunks.chunk_bytes));
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::io);
  }
}

TEST_CASE("bulk writer: a file system in memory takes it too") {
  const std::string name = "otolith-bulk-writer-test-" + std::to_string(::getpid());
  auto vfs = posix_vfs("/dev/shm");
  auto file = vfs->open(name, OpenMode::create);
  vfs->remove(name);
  const Bytes bytes = random_bytes(100'000, 3);
  BulkWriter writer(*file, 0, kSmallChunks);
  writer.append(bytes);
  writer.finish();
  CHECK(content_of(*file) == bytes);
}

}  // namespace otolith::io
