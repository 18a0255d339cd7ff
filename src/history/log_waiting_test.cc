// What happens while the holder of the lock waits for the disk: its frame stands whole by then, but
// nobody knows yet whether it is durable.
#include <functional>
#include <utility>

#include "history/test_log.h"

namespace otolith::history {

namespace {

// Files the next sync of which calls something first; all else goes through.
class HookedFile final : public io::File {
 public:
  HookedFile(std::unique_ptr<io::File> file, std::function<void()>& before_sync)
      : file_(std::move(file)), before_sync_(before_sync) {}

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return file_->read_at(offset, out);
  }
  void write_at(std::uint64_t offset, BytesView bytes) override { file_->write_at(offset, bytes); }
  void sync() override {
    if (const auto call = std::exchange(before_sync_, nullptr)) call();
    file_->sync();
  }
  void write_back(std::uint64_t offset, std::uint64_t bytes) override {
    file_->write_back(offset, bytes);
  }
  void preallocate(std::uint64_t size) override { file_->preallocate(size); }
  void truncate(std::uint64_t size) override { file_->truncate(size); }
  io::FileStat stat() const override { return file_->stat(); }
  std::unique_ptr<io::Mapping> map(std::uint64_t size) override { return file_->map(size); }
  bool try_lock(std::uint64_t byte, bool exclusive) override {
    return file_->try_lock(byte, exclusive);
  }
  void unlock(std::uint64_t byte) override { file_->unlock(byte); }

 private:
  const std::unique_ptr<io::File> file_;
  std::function<void()>& before_sync_;
};

class HookedVfs final : public io::Vfs {
 public:
  explicit HookedVfs(std::unique_ptr<io::Vfs> vfs) : vfs_(std::move(vfs)) {}

  std::function<void()> before_sync;

  std::unique_ptr<io::File> open(const std::string& path, io::OpenMode mode) override {
    return std::make_unique<HookedFile>(vfs_->open(path, mode), before_sync);
  }
  bool exists(const std::string& path) override { return vfs_->exists(path); }
  std::optional<io::FileStat> stat(const std::string& path) override { return vfs_->stat(path); }
  std::vector<std::string> list(const std::string& directory) override {
    return vfs_->list(directory);
  }
  bool make_dir(const std::string& directory) override { return vfs_->make_dir(directory); }
  void sync_dir(const std::string& directory) override { vfs_->sync_dir(directory); }
  void rename(const std::string& from, const std::string& to) override { vfs_->rename(from, to); }
  void rename_new(const std::string& from, const std::string& to) override {
    vfs_->rename_new(from, to);
  }
  void remove(const std::string& path) override { vfs_->remove(path); }
  void remove_dir(const std::string& path) override { vfs_->remove_dir(path); }
  std::uint64_t space_left() override { return vfs_->space_left(); }
  bool read_only() const noexcept override { return vfs_->read_only(); }
  std::string describe(const std::string& path) const override { return vfs_->describe(path); }

 private:
  const std::unique_ptr<io::Vfs> vfs_;
};

}  // namespace

TEST_CASE("log: without a lock page no reader of the handle is handed what it has in flight") {
  TestDisk disk;
  const auto vfs = std::make_shared<HookedVfs>(disk.disk.attach());
  TestProcess a(vfs, small_log(), {.boot = 1, .process = 9});
  a.append("one");
  std::string seen;
  vfs->before_sync = [&] {
    const auto page = disk.disk.attach()->open(kLockPath, io::OpenMode::read_write);
    page->write_at(lock_word_at(LockWord::holder_pid), Bytes(1, std::byte{0xff}));
    seen = a.refreshed();
  };
  a.append("two");
  CHECK(seen == "one");
  CHECK(a.refreshed() == "one two");
}

TEST_CASE("log: a lock file removed while its holder waits for the disk costs nobody a record") {
  TestDisk disk;
  TestProcess b = disk.process();
  const auto vfs = std::make_shared<HookedVfs>(disk.disk.attach());
  TestProcess a(vfs, small_log(), {.boot = 1, .process = 9});
  a.append("one");
  vfs->before_sync = [&] {
    disk.disk.attach()->remove("lock");
    b.append("three");  // finds no page, adopts what it can read, and goes on behind it
  };
  CHECK(a.append("two") == RecordNumber{2});
  CHECK(b.texts() == "one two three");
  a.append("four");
  CHECK(a.refreshed() == "one two three four");
  CHECK(b.refreshed() == a.texts());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TestDisk later(disk.disk.copy());
    later.disk.lose_power([seed](const io::DiskState& state) {
      return io::after_power_loss(state, {io::PowerLoss::Kind::random, 0, seed});
    });
    CHECK(later.process(small_log(), 2).refreshed() == a.texts());
  }
}

}  // namespace otolith::history
