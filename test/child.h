// A child process that does some work, tells the test numbers, and is killed with the test.
//
// Role:    tests of several processes on one database.
// Shapes:  int64 each, through a pipe.
// Errors:  what the work throws is printed, and its exit code is 9.
// Threads: thread-compatible.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>

namespace otolith::test {

/// A child process running `work`; killed and reaped when this object goes.
class Child {
 public:
  explicit Child(const std::function<void(int pipe)>& work) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      try {
        work(ends[1]);
      } catch (const std::exception& error) {
        fmt::print(stderr, "child: {}\n", error.what());
        ::_exit(9);
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) finish(SIGKILL);
    ::close(from_);
  }

  void signal(int number) const { ::kill(pid_, number); }
  /// Waits for the end; the exit code, or minus the signal.
  int finish(int with_signal = 0) {
    if (with_signal != 0) ::kill(pid_, with_signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  /// The next number the child wrote; nothing once it is gone and all is read.
  std::optional<std::int64_t> next() const {
    std::int64_t value = 0;
    const auto got = ::read(from_, &value, sizeof value);
    return got == sizeof value ? std::optional(value) : std::nullopt;
  }

 private:
  pid_t pid_ = -1;
  int from_ = -1;
};

inline void say(int pipe, std::int64_t value) {
  if (::write(pipe, &value, sizeof value) != sizeof value) ::_exit(8);
}

}  // namespace otolith::test
