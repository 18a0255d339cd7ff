// The failure model: what a killed process, a power loss, a failed sync and a full disk leave
// behind.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "io/power_loss.h"
#include "io/sim_disk.h"

namespace otolith::io {

namespace {

void put(File& file, std::uint64_t offset, std::string_view text) {
  file.write_at(offset, as_bytes_view(text));
}

std::string text_of(File& file) {
  Bytes out(static_cast<std::size_t>(file.stat().size));
  out.resize(file.read_at(0, out));
  return std::string(as_text(out));
}

std::string text_of(Vfs& vfs, const std::string& path) {
  if (!vfs.exists(path)) return "(missing)";
  return text_of(*vfs.open(path, OpenMode::read));
}

// Every text that `path` can have after a power loss now.
std::set<std::string> texts_after_loss(const SimDisk& disk, const std::string& path) {
  std::set<std::string> texts;
  const DiskState state = disk.state();
  const auto add = [&](const PowerLoss& loss) {
    SimDisk after(after_power_loss(state, loss), {});
    texts.insert(text_of(*after.attach(), path));
  };
  for (std::uint64_t seed = 0; seed < 1000; ++seed) add({PowerLoss::Kind::random, 0, seed});
  for (const auto kind : {PowerLoss::Kind::nothing, PowerLoss::Kind::everything,
                          PowerLoss::Kind::entries_only, PowerLoss::Kind::entries_and_sizes}) {
    add({kind});
  }
  return texts;
}

using Texts = std::set<std::string>;

ErrorCode code_of(const std::function<void()>& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.message();
    return error.code();
  }
  return ErrorCode::cancelled;  // did not throw
}

// A durable file `a` that says `text`.
std::unique_ptr<File> durable_file(Vfs& vfs, const std::string& path, std::string_view text) {
  auto file = vfs.open(path, OpenMode::create);
  put(*file, 0, text);
  file->sync();
  vfs.sync_dir("");
  return file;
}

}  // namespace

TEST_CASE("sim disk: kill -9 frees the locks, keeps the page cache, and ends every later call") {
  SimDisk disk;
  auto dying = disk.attach();
  auto file = dying->open("a", OpenMode::create);
  put(*file, 0, "unsynced");
  CHECK(file->try_lock(0, true));
  auto living = disk.attach();
  auto same = living->open("a", OpenMode::read_write);
  CHECK_FALSE(same->try_lock(0, true));
  disk.kill(*dying);
  CHECK(same->try_lock(0, true));
  CHECK(text_of(*same) == "unsynced");
  CHECK(code_of([&] { put(*file, 0, "late"); }) == ErrorCode::io);
  CHECK(code_of([&] { file->sync(); }) == ErrorCode::io);
  CHECK(code_of([&] { dying->list(""); }) == ErrorCode::io);
  file.reset();
  CHECK_FALSE(living->open("a", OpenMode::read_write)->try_lock(0, true));  // not freed by the dead
}

TEST_CASE("sim disk: power loss ends all processes and all locks") {
  SimDisk disk;
  auto before = disk.attach();
  auto file = durable_file(*before, "a", "kept");
  CHECK(file->try_lock(0, true));
  put(*file, 0, "lost");
  disk.lose_power([](const DiskState& state) { return after_power_loss(state, {}); });
  CHECK(code_of([&] { before->exists("a"); }) == ErrorCode::io);
  auto after = disk.attach();
  CHECK(text_of(*after, "a") == "kept");
  CHECK(after->open("a", OpenMode::read_write)->try_lock(0, true));
}

TEST_CASE("sim disk: synced data survive, unsynced may or may not") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", "one");
  CHECK(texts_after_loss(disk, "a") == Texts{"one"});
  put(*file, 0, "two");
  CHECK(texts_after_loss(disk, "a") == Texts{"one", "two"});
  file->sync();
  CHECK(texts_after_loss(disk, "a") == Texts{"two"});
}

TEST_CASE("sim disk: unsynced writes of two files survive in any order") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto a = durable_file(*vfs, "a", "0");
  auto b = durable_file(*vfs, "b", "0");
  put(*a, 0, "1");
  put(*b, 0, "1");
  Texts seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk after(after_power_loss(disk.state(), {PowerLoss::Kind::random, 0, seed}), {});
    auto view = after.attach();
    seen.insert(text_of(*view, "a") + text_of(*view, "b"));
  }
  CHECK(seen == Texts{"00", "01", "10", "11"});
}

TEST_CASE("sim disk: an entry is durable only with its directory") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = vfs->open("a", OpenMode::create);
  put(*file, 0, "text");
  file->sync();
  CHECK(texts_after_loss(disk, "a") == Texts{"(missing)", "text"});
  vfs->sync_dir("");
  CHECK(texts_after_loss(disk, "a") == Texts{"text"});
  vfs->remove("a");
  CHECK(texts_after_loss(disk, "a") == Texts{"(missing)", "text"});
  vfs->sync_dir("");
  CHECK(texts_after_loss(disk, "a") == Texts{"(missing)"});
}

TEST_CASE("sim disk: a file in a directory that is not durable itself is not found") {
  SimDisk disk;
  auto vfs = disk.attach();
  vfs->make_dir("d");
  auto file = vfs->open("d/a", OpenMode::create);
  put(*file, 0, "text");
  file->sync();
  vfs->sync_dir("d");
  CHECK(texts_after_loss(disk, "d/a").contains("(missing)"));
  vfs->sync_dir("");
  CHECK(texts_after_loss(disk, "d/a") == Texts{"text"});
}

TEST_CASE("sim disk: a rename shows the old file or the new one, never neither") {
  SimDisk disk;
  auto vfs = disk.attach();
  durable_file(*vfs, "a", "old");
  durable_file(*vfs, "b", "new");
  vfs->rename("b", "a");
  CHECK(texts_after_loss(disk, "a") == Texts{"old", "new"});
  vfs->sync_dir("");
  CHECK(texts_after_loss(disk, "a") == Texts{"new"});
  CHECK(texts_after_loss(disk, "b") == Texts{"(missing)"});
}

TEST_CASE("sim disk: a file renamed to another directory is in one of them, then in the new one") {
  SimDisk disk;
  auto vfs = disk.attach();
  for (const char* name : {"from", "to"}) vfs->make_dir(name);
  durable_file(*vfs, "from/a", "text");
  vfs->sync_dir("from");
  vfs->rename("from/a", "to/a");
  vfs->sync_dir("from");  // proves nothing about the new entry
  for (const auto kind : {PowerLoss::Kind::nothing, PowerLoss::Kind::everything}) {
    SimDisk after(after_power_loss(disk.state(), {kind}), {});
    auto view = after.attach();
    CHECK(view->exists("from/a") != view->exists("to/a"));
  }
  vfs->sync_dir("to");
  CHECK(texts_after_loss(disk, "to/a") == Texts{"text"});
  CHECK(texts_after_loss(disk, "from/a") == Texts{"(missing)"});
}

TEST_CASE("sim disk: a torn write tears between sectors, not within") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", std::string(2048, 'o'));
  put(*file, 100, std::string(1500, 'n'));
  std::set<std::size_t> shapes;
  for (const std::string& text : texts_after_loss(disk, "a")) {
    CHECK(text.size() == 2048);
    std::size_t shape = 0;
    for (std::size_t sector = 0; sector < 4; ++sector) {
      const std::size_t from = std::max<std::size_t>(sector * 512, 100);
      const std::size_t to = std::min<std::size_t>(sector * 512 + 512, 1600);
      const std::string piece = text.substr(from, to - from);
      CHECK((piece == std::string(piece.size(), 'o') || piece == std::string(piece.size(), 'n')));
      shape = shape * 2 + (piece[0] == 'n');
    }
    CHECK(text.substr(0, 100) == std::string(100, 'o'));
    CHECK(text.substr(1600) == std::string(448, 'o'));
    shapes.insert(shape);
  }
  CHECK(shapes.size() == 16);
}

TEST_CASE("sim disk: a size may be durable before the data, which then are zero or stale") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", "");
  put(*file, 0, std::string(512, 'n'));
  bool zero = false;
  bool garbage = false;
  for (const std::string& text : texts_after_loss(disk, "a")) {
    if (text.size() != 512) continue;
    zero = zero || text == std::string(512, '\0');
    garbage = garbage || text.find_first_not_of(std::string("n\0", 2)) != std::string::npos;
  }
  CHECK(zero);
  CHECK(garbage);
}

TEST_CASE("sim disk: recycled blocks show what was written there before") {
  SimDisk disk;
  auto vfs = disk.attach();
  durable_file(*vfs, "old", std::string(4096, 'x'));
  const StalePages stale = disk.state().node(disk.state().lookup("old")).file->cached->pages();
  auto file = durable_file(*vfs, "a", "");
  put(*file, 0, std::string(600, 'n'));
  bool shown = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk after(
        after_power_loss(disk.state(), {PowerLoss::Kind::random, 0, seed}, stale, stale.size()),
        {});
    const std::string text = text_of(*after.attach(), "a");
    shown = shown || text.find('x') != std::string::npos;
    CHECK(text.size() <= 600);
  }
  CHECK(shown);
}

TEST_CASE("sim disk: preallocated blocks that nobody wrote stay zero") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", "");
  file->preallocate(8192);
  file->sync();
  CHECK(texts_after_loss(disk, "a") == Texts{std::string(8192, '\0')});
  put(*file, 0, "x");
  for (const std::string& text : texts_after_loss(disk, "a")) {
    CHECK(text.substr(4096) == std::string(4096, '\0'));
  }
}

TEST_CASE("sim disk: after a failed sync a sync that succeeds proves nothing, now or later") {
  Texts caches;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimDisk disk({.seed = seed});
    auto vfs = disk.attach();
    auto file = durable_file(*vfs, "a", std::string(1024, 'o'));
    put(*file, 0, std::string(1024, 'n'));
    disk.inject({.operation = Operation::sync});
    CHECK(code_of([&] { file->sync(); }) == ErrorCode::io);
    const std::string cached = text_of(*file);
    caches.insert(std::string{cached[0], cached[512]});
    file->sync();
    CHECK(texts_after_loss(disk, "a").size() == 4);
    put(*file, 0, std::string(512, 'w'));  // written again, still not to be trusted
    file->sync();
    CHECK(texts_after_loss(disk, "a").size() > 4);
  }
  CHECK(caches == Texts{"oo", "on", "no", "nn"});  // what reading back would have shown
}

TEST_CASE("sim disk: a failed sync spoils its range only") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", std::string(1024, 'o'));
  put(*file, 0, std::string(10, 'n'));
  disk.inject({.operation = Operation::sync});
  CHECK(code_of([&] { file->sync(); }) == ErrorCode::io);
  put(*file, 512, std::string(512, 'w'));
  file->sync();
  for (const std::string& text : texts_after_loss(disk, "a")) {
    CHECK(text.substr(512) == std::string(512, 'w'));
  }
}

TEST_CASE("sim disk: a failed sync of a directory leaves its entries unknown") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = vfs->open("a", OpenMode::create);
  disk.inject({.operation = Operation::sync_dir});
  CHECK(code_of([&] { vfs->sync_dir(""); }) == ErrorCode::io);
  vfs->sync_dir("");
  CHECK(texts_after_loss(disk, "a") == Texts{"(missing)", ""});
  durable_file(*vfs, "b", "text");
  CHECK(texts_after_loss(disk, "b") == Texts{"text"});
}

TEST_CASE("sim disk: a full disk writes short, fails, and works again once space is given back") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto a = durable_file(*vfs, "a", std::string(8192, 'a'));
  auto b = vfs->open("b", OpenMode::create);
  disk.set_space_limit(disk.bytes_used() + 4096);
  CHECK(vfs->space_left() == 4096);
  std::string message;
  CHECK(code_of([&] { put(*b, 0, std::string(8192, 'b')); }, &message) == ErrorCode::no_space);
  CHECK(message.find("free space") != std::string::npos);
  CHECK(b->stat().size == 4096);
  CHECK(code_of([&] { b->preallocate(100'000); }) == ErrorCode::no_space);
  put(*a, 0, "overwriting takes no space");
  vfs->remove("a");
  CHECK(vfs->space_left() == 0);  // still open
  a.reset();
  CHECK(vfs->space_left() >= 8192);
  put(*b, 0, std::string(8192, 'b'));
}

TEST_CASE("sim disk: preallocated space is there when others have taken the rest") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto log = vfs->open("log", OpenMode::create);
  log->preallocate(16'384);
  disk.set_space_limit(disk.bytes_used());
  put(*log, 8192, std::string(8192, 'x'));
  CHECK(code_of([&] { put(*log, 16'384, "x"); }) == ErrorCode::no_space);
}

TEST_CASE("sim disk: a fault meets the call it is aimed at, once or for good") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = vfs->open("a", OpenMode::create);
  disk.inject({.operation = Operation::write, .at = 2, .error = EIO});
  put(*file, 0, "1");
  CHECK(code_of([&] { put(*file, 1, "2"); }) == ErrorCode::io);
  put(*file, 1, "3");
  CHECK(text_of(*file) == "13");
  disk.inject({.at = 1, .error = EROFS, .sticky = true});
  std::string message;
  CHECK(code_of([&] { put(*file, 0, "x"); }, &message) == ErrorCode::io);
  CHECK(message.find("read_only=True") != std::string::npos);
  CHECK(code_of([&] { vfs->make_dir("d"); }) == ErrorCode::io);
  CHECK(text_of(*file) == "13");  // EROFS stops no reading
  disk.clear_faults();
  put(*file, 0, "x");
  disk.inject({.error = EMFILE});
  CHECK(code_of([&] { vfs->open("a", OpenMode::read); }, &message) == ErrorCode::io);
  CHECK(message.find("ulimit -n") != std::string::npos);
  for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
    disk.inject({.operation = Operation::write, .error = error});
    CHECK(code_of([&] { put(*file, 0, "x"); }) == ErrorCode::no_space);
  }
  CHECK(disk.faults_fired() == 7);
}

TEST_CASE("sim disk: a short write leaves a part, as the seed says") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimDisk disk({.seed = seed});
    auto file = disk.attach()->open("a", OpenMode::create);
    disk.inject({.operation = Operation::write, .error = ENOSPC, .short_write = true});
    CHECK(code_of([&] { put(*file, 0, std::string(1000, 'x')); }) == ErrorCode::no_space);
    sizes.insert(static_cast<std::size_t>(file->stat().size));
  }
  CHECK(sizes.size() > 10);
}

TEST_CASE("sim disk: a copy is another disk") {
  SimDisk disk;
  auto vfs = disk.attach();
  auto file = durable_file(*vfs, "a", "one");
  CHECK(file->try_lock(0, true));
  SimDisk copy = disk.copy();
  put(*file, 0, "two");
  auto other = copy.attach();
  CHECK(text_of(*other, "a") == "one");
  CHECK(other->open("a", OpenMode::read_write)->try_lock(0, true));
  CHECK(code_of([&] { disk.kill(*other); }) == ErrorCode::invalid_argument);
}

TEST_CASE("sim disk: in memory, a removed file gives all its memory back with its last handle") {
  SimDisk disk({.tracked = false});
  auto vfs = disk.attach();
  vfs->make_dir("d");
  auto held = vfs->open("d/held", OpenMode::create);
  put(*held, 0, "held");
  vfs->remove("d/held");
  for (int i = 0; i < 1000; ++i) {
    put(*vfs->open("a", OpenMode::create), 0, std::string(10'000, 'x'));
    put(*vfs->open("b", OpenMode::create), 0, "b");
    vfs->rename("b", "a");
    vfs->make_dir("e");
    vfs->make_dir("f");
    vfs->rename("e", "f");
    vfs->remove_dir("f");
    vfs->remove("a");
  }
  CHECK(disk.state().nodes().size() < 10);
  CHECK(text_of(*held) == "held");
}

TEST_CASE("sim disk: in memory, what is mapped of a removed file is not shown by the next one") {
  auto vfs = memory_vfs();
  std::unique_ptr<Mapping> mapped;
  for (const std::string text : {"first", "other"}) {
    auto file = vfs->open("a", OpenMode::create);
    put(*file, 0, text);
    auto mapping = file->map(text.size());
    CHECK(as_text(mapping->bytes()) == text);
    if (mapped) CHECK(as_text(mapped->bytes()) == "first");
    mapped = std::move(mapping);
    file.reset();
    vfs->remove("a");
  }
}

TEST_CASE("sim disk: in memory, a killed process holds no removed file") {
  SimDisk disk({.tracked = false});
  const auto process = disk.attach();
  std::vector<std::unique_ptr<File>> files;
  for (const std::string path : {"a", "b"}) {
    files.push_back(process->open(path, OpenMode::create));
    put(*files.back(), 0, std::string(10'000, 'x'));
    process->remove(path);
  }
  CHECK(disk.bytes_used() > 20'000);
  disk.kill(*process);
  CHECK(disk.bytes_used() == 0);
  CHECK(std::ranges::none_of(disk.state().nodes(), [](const Node& node) { return !!node.file; }));
}

TEST_CASE("sim disk: in memory, files are there without a sync") {
  auto memory = memory_vfs();
  auto file = durable_file(*memory, "a", "text");
  CHECK(text_of(*memory, "a") == "text");
  CHECK(memory->describe("a") == ":memory:a");
}

}  // namespace otolith::io
