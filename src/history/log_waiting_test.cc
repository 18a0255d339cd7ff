// What happens while the holder of the lock waits for the disk: its frame stands whole by then, but
// nobody knows yet whether it is durable.
#include "history/hooked_vfs.h"
#include "history/test_log.h"

namespace otolith::history {

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
