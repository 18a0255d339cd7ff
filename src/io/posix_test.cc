// What only the real disk can show: forks, descriptors, full devices, moved directories.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/error.h"
#include "io/environment.h"
#include "io/posix.h"
#include "io/test_folder.h"

namespace otolith::io {

namespace {

// Runs `body` in a forked child; its answer is the exit status. Nothing of doctest may run there.
pid_t in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int answer = 99;
    try {
      answer = body();
    } catch (...) {
    }
    ::_exit(answer);
  }
  REQUIRE(child > 0);
  return child;
}

int exit_of(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

template <typename Call>
ErrorCode code_of(Call call, std::string* message = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.message();
    return error.code();
  }
  return ErrorCode::cancelled;
}

}  // namespace

TEST_CASE("posix: a lock dies with the process that holds it, though its forked child lives on") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  auto lock = vfs->open("lock", OpenMode::create);
  std::array<int, 2> leash{};  // the grandchild ends when this test closes its end
  REQUIRE(::pipe(leash.data()) == 0);
  const pid_t holder = in_child([&] {
    ::close(leash[1]);
    char byte = 0;
    auto mine = posix_vfs(folder.path());
    auto file = mine->open("lock", OpenMode::read_write);
    if (!file->try_lock(0, true)) return 1;
    if (::fork() == 0) {  // the grandchild has copies of all descriptors unless fork.cc closes them
      mine->open("grandchild", OpenMode::create)->sync();
      (void)!::read(leash[0], &byte, 1);
      ::_exit(0);
    }
    (void)!::read(leash[0], &byte, 1);
    return 0;
  });
  REQUIRE(soon([&] { return vfs->exists("grandchild"); }));
  CHECK_FALSE(lock->try_lock(0, true));
  ::kill(holder, SIGKILL);
  CHECK(exit_of(holder) == 1000 + SIGKILL);
  CHECK(soon([&] { return lock->try_lock(0, true); }));
  ::close(leash[0]);
  ::close(leash[1]);
}

TEST_CASE("posix: a forked child holds no lock of its parent and can close nothing of it") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  auto file = vfs->open("lock", OpenMode::create);
  CHECK(file->try_lock(0, true));
  const std::uint64_t generation = fork_generation();
  const pid_t child = in_child([&] {
    if (fork_generation() == generation) return 1;
    std::string message;
    if (code_of([&] { file->try_lock(0, true); }, &message) != ErrorCode::io) return 2;
    if (message.find("forked process") == std::string::npos) return 3;
    auto again = posix_vfs(folder.path())->open("lock", OpenMode::read_write);
    if (again->try_lock(0, true)) return 4;  // the parent holds it
    file.reset();                            // must not close the descriptor `again` was given
    if (again->try_lock(1, true) == false) return 5;
    return 0;
  });
  CHECK(exit_of(child) == 0);
  auto other = vfs->open("lock", OpenMode::read_write);
  CHECK_FALSE(other->try_lock(0, true));
  CHECK(fork_generation() == generation);
}

TEST_CASE("posix: files opened for reading go on in a forked child") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  auto writer = vfs->open("a", OpenMode::create);
  writer->write_at(0, as_bytes_view("text"));
  auto reader = vfs->open("a", OpenMode::read);
  auto map = reader->map(4);
  const pid_t child = in_child([&] {
    Bytes out(4);
    if (reader->read_at(0, out) != 4 || as_text(out) != "text") return 1;
    return as_text(map->bytes()) == "text" ? 0 : 2;
  });
  CHECK(exit_of(child) == 0);
}

TEST_CASE("posix: forks while other threads open and close files leave the list of locks whole") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  vfs->open("lock", OpenMode::create);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) vfs->open("lock", OpenMode::read_write);
    });
  }
  for (int i = 0; i < 50; ++i) {
    const pid_t child = in_child([&] {
      auto file = posix_vfs(folder.path())->open("lock", OpenMode::read_write);
      return file->try_lock(0, true) ? 0 : 1;
    });
    CHECK(exit_of(child) == 0);
  }
}

TEST_CASE("posix: no descriptor survives exec") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  auto a = vfs->open("a", OpenMode::create);
  auto b = vfs->open("a", OpenMode::read);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (!target.starts_with(folder.path())) continue;
    const int number = std::stoi(entry.path().filename().string());
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("posix: out of descriptors, the error names the remedy and the next try succeeds") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path());
  vfs->open("a", OpenMode::create);
  struct ::rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const struct ::rlimit few{64, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<std::unique_ptr<File>> files;
  std::string message;
  const ErrorCode code = code_of(
      [&] {
        for (int i = 0; i < 100; ++i) files.push_back(vfs->open("a", OpenMode::read_write));
      },
      &message);
  files.clear();
  const ErrorCode after = code_of([&] { vfs->open("a", OpenMode::read_write); });
  ::setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(code == ErrorCode::io);
  CHECK(message.find("ulimit -n") != std::string::npos);
  CHECK(after == ErrorCode::cancelled);  // did not throw
}

TEST_CASE("posix: a full device and a file size limit are no_space") {
  std::string message;
  auto full = posix_vfs("/dev")->open("full", OpenMode::read_write);
  CHECK(code_of([&] { full->write_at(0, as_bytes_view("x")); }, &message) == ErrorCode::no_space);
  CHECK(message.find("/dev/full") != std::string::npos);
  const TestFolder folder;
  const pid_t child = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct ::rlimit small{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto file = posix_vfs(folder.path())->open("a", OpenMode::create);
    const Bytes bytes(200);
    return code_of([&] { file->write_at(0, bytes); }) == ErrorCode::no_space ? 0 : 1;
  });
  CHECK(exit_of(child) == 0);
}

// A device without storage refuses every sync, which serves as a disk whose sync fails.
TEST_CASE("posix: after a failed sync every later sync of the file fails, and says so") {
  auto file = posix_vfs("/dev")->open("null", OpenMode::read_write);
  std::string message;
  CHECK(code_of([&] { file->sync(); }, &message) == ErrorCode::io);
  CHECK(message.find("again") == std::string::npos);
  CHECK(code_of([&] { file->sync(); }, &message) == ErrorCode::io);
  CHECK(message.find("again after a failed sync") != std::string::npos);
}

TEST_CASE("posix: a directory that is moved while open keeps working") {
  const TestFolder folder;
  std::filesystem::create_directory(folder.path() + "/before");
  auto vfs = posix_vfs(folder.path() + "/before/");
  CHECK(vfs->describe("x") == folder.path() + "/before/x");
  vfs->open("a", OpenMode::create);
  std::filesystem::rename(folder.path() + "/before", folder.path() + "/after");
  CHECK(vfs->list("") == std::vector<std::string>{"a"});
  vfs->open("b", OpenMode::create);
  CHECK(std::filesystem::exists(folder.path() + "/after/b"));
}

TEST_CASE("posix: the root is made when asked for, else must be there") {
  const TestFolder folder;
  const std::string root = folder.path() + "/new.oto";
  CHECK(code_of([&] { posix_vfs(root); }) == ErrorCode::not_found);
  CHECK(posix_vfs(root, {.create = true})->list("").empty());
  CHECK(posix_vfs(root, {.create = true})->list("").empty());
  CHECK(code_of([&] { posix_vfs(root + "/no/no", {.create = true}); }) == ErrorCode::not_found);
  CHECK(code_of([&] { posix_vfs(""); }) == ErrorCode::invalid_argument);
  std::ofstream(folder.path() + "/file") << "x";
  CHECK(code_of([&] { posix_vfs(folder.path() + "/file"); }) == ErrorCode::invalid_argument);
}

TEST_CASE("posix: without mmap a map is a copy") {
  const TestFolder folder;
  auto vfs = posix_vfs(folder.path(), {.mmap = false});
  CHECK_FALSE(vfs->maps_follow_writes());
  auto file = vfs->open("a", OpenMode::create);
  file->write_at(0, as_bytes_view("before"));
  auto map = file->map(6);
  file->truncate(0);  // under a real mapping reading on would raise SIGBUS
  CHECK(as_text(map->bytes()) == "before");
}

TEST_CASE("environment: clocks go on, ids tell processes apart, a forked child has its own") {
  auto system = system_environment();
  const std::uint64_t before = system->monotonic_ns();
  system->sleep_ns(2'000'000);
  CHECK(system->monotonic_ns() >= before + 2'000'000);
  CHECK(system->now().ns > 1'600'000'000'000'000'000);
  CHECK(system->boot_id().size() >= 30);
  CHECK(system->process_id() == static_cast<std::uint64_t>(::getpid()));
  CHECK(system->process_start() > 0);
  CHECK(system->process_start() == system_environment()->process_start());
  std::array<std::byte, 64> a{};
  std::array<std::byte, 64> b{};
  system->random(a);
  system->random(b);
  CHECK(a != b);
  const std::uint64_t parent = system->process_id();
  const pid_t child = in_child(
      [&] { return system->process_id() != parent && system->process_start() > 0 ? 0 : 1; });
  CHECK(exit_of(child) == 0);
}

TEST_CASE("environment: a forked child draws other random bytes than its parent") {
  const auto system = system_environment();
  std::array<std::byte, 16> bytes{};
  system->random(bytes);  // what is left of this call's is there on both sides of the fork
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = in_child([&] {
    system->random(bytes);
    return ::write(pipe[1], bytes.data(), bytes.size()) == std::ssize(bytes) ? 0 : 1;
  });
  CHECK(exit_of(child) == 0);
  std::array<std::byte, 16> of_child{};
  CHECK(::read(pipe[0], of_child.data(), of_child.size()) == std::ssize(of_child));
  system->random(bytes);
  CHECK(bytes != of_child);
  for (const int end : pipe) ::close(end);
}

TEST_CASE(
    "environment: the simulated one repeats from its seed and tells processes and boots apart") {
  auto a = simulated_environment(7);
  auto b = simulated_environment(7);
  CHECK(a->now() == b->now());
  std::array<std::byte, 16> left{};
  std::array<std::byte, 16> right{};
  a->random(left);
  b->random(right);
  CHECK(left == right);
  auto other = simulated_environment(7, {.boot = 2, .process = 3});
  other->random(right);
  CHECK(left != right);
  CHECK(a->boot_id() != other->boot_id());
  CHECK(a->process_id() != other->process_id());
  const std::uint64_t before = a->monotonic_ns();
  a->sleep_ns(1'000'000'000);
  CHECK(a->monotonic_ns() > before + 1'000'000'000);
}

TEST_CASE("posix: a write beyond the process's limit of file sizes fails, and ends no process") {
  const TestFolder folder;
  const auto vfs = posix_vfs(folder.path());
  const auto file = vfs->open("big", OpenMode::create);
  struct ::rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  struct ::rlimit small = before;
  small.rlim_cur = 8192;
  const auto handler = ::signal(SIGXFSZ, SIG_DFL);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto code_of = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::limit;
  };
  file->write_at(0, Bytes(4096));  // what is within the limit vouches for nothing behind it
  const ErrorCode written = code_of([&] { file->write_at(8192, Bytes(10)); });
  const ErrorCode reserved = code_of([&] { file->preallocate(1 << 20); });
  const ErrorCode cut = code_of([&] { file->truncate(1 << 20); });
  file->write_at(0, Bytes(8192));  // what fits is written
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(written == ErrorCode::no_space);
  CHECK(reserved == ErrorCode::no_space);
  CHECK(cut == ErrorCode::no_space);
  CHECK(file->stat().size == 8192);
}

}  // namespace otolith::io
