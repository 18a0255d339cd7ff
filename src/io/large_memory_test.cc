#include "io/large_memory.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace otolith::io {

TEST_CASE("large memory: what is given back is taken again by who wants about as much") {
  constexpr std::size_t size = 24 << 20;
  std::byte* before = nullptr;
  {
    const auto memory = large_memory(size);
    before = memory.get();
    std::memset(before, 1, size);
  }
  const auto small = large_memory(size / 8);
  CHECK(small.get() != before);
  const auto again = large_memory(size - 1000);
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  CHECK(again.get() == before);
#endif
}

TEST_CASE("large memory: no two owners have the same, on any threads") {
  const auto work = [](std::byte mark) {
    for (int round = 0; round < 50; ++round) {
      std::vector<std::shared_ptr<std::byte>> held;
      for (std::size_t i = 1; i <= 4; ++i) {
        held.push_back(large_memory(i << 20));
        std::memset(held.back().get(), std::to_integer<int>(mark), i << 20);
      }
      for (std::size_t i = 1; i <= 4; ++i) {
        CHECK(held[i - 1].get()[0] == mark);
        CHECK(held[i - 1].get()[(i << 20) - 1] == mark);
      }
    }
  };
  const std::jthread other(work, std::byte{1});
  work(std::byte{2});
  std::set<std::byte*> starts;
  std::vector<std::shared_ptr<std::byte>> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(large_memory(1 << 20));
    starts.insert(held.back().get());
  }
  CHECK(starts.size() == held.size());
}

TEST_CASE("large memory: scratch is the same memory until somebody still has it") {
  Scratch scratch;
  std::byte* const first = scratch.memory(3 << 20).get();
  CHECK(scratch.memory(2 << 20).get() == first);
  const auto held = scratch.memory(1 << 20);
  CHECK(held.get() == first);
  CHECK(scratch.memory(1 << 20).get() != first);
}

TEST_CASE("large memory: pieces lie apart, aligned, as large as asked for") {
  LargePieces pieces;
  std::vector<std::pair<std::shared_ptr<std::byte>, std::size_t>> taken;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t size = i * i * 37 % 900'000;
    taken.emplace_back(pieces.take(size), size);
    CHECK(reinterpret_cast<std::uintptr_t>(taken.back().first.get()) % 64 == 0);
    if (size != 0) std::memset(taken.back().first.get(), static_cast<int>(i), size);
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& [piece, size] = taken[i];
    if (size == 0) continue;
    CHECK(piece.get()[0] == static_cast<std::byte>(i));
    CHECK(piece.get()[size - 1] == static_cast<std::byte>(i));
  }
}

}  // namespace otolith::io
