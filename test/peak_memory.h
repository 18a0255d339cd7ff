// The most memory this process ever held at once.
//
// Role:    tests that hostile sizes are refused before room is made for them.
// Shapes:  bytes; 0 where the system does not say, and under a sanitizer, which keeps what was
//          freed.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace otolith::test {

inline std::uint64_t peak_bytes() {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 0;
#endif
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

}  // namespace otolith::test
