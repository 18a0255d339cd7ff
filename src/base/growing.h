// An array that only grows: one appends while any number of others read what is there already.
//
// Role:    segments, tail and events of a dataset in the catalog: a new commit appends, snapshots
//          go on.
// Shapes:  blocks of 8, 16, 32, … elements that never move; indexes below size() are constant.
// Errors:  none of its own; appending may throw std::bad_alloc and then changes nothing.
// Threads: thread-compatible: one writer at a time; readers need no lock and may hold references
//          while it grows.
// Why:     a snapshot is such an array and a number: a commit costs its own element, where a copied
//          vector costs all 10^4 segments and a persistent tree a chunk and its reference counts.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace otolith {

template <typename T>
class Growing {
 public:
  Growing() = default;
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;
  ~Growing() {
    for (std::size_t i = 0; i < size(); ++i) std::destroy_at(&slot(i));
    for (std::size_t block = 0; block < kBlocks; ++block) {
      if (blocks_[block] != nullptr) Allocator().deallocate(blocks_[block], block_size(block));
    }
  }

  void push_back(T value) {
    const std::size_t at = size_.load(std::memory_order_relaxed);
    const std::size_t block = block_of(at);
    if (blocks_[block] == nullptr) blocks_[block] = Allocator().allocate(block_size(block));
    std::construct_at(&slot(at), std::move(value));
    size_.store(at + 1, std::memory_order_release);
  }

  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  bool empty() const noexcept { return size() == 0; }
  /// Requires i < size().
  const T& operator[](std::size_t i) const noexcept { return slot(i); }
  const T& back() const noexcept { return slot(size() - 1); }

 private:
  using Allocator = std::allocator<T>;
  static constexpr std::size_t kFirst = 8;
  static constexpr std::size_t kBlocks = 40;

  static constexpr std::size_t block_of(std::size_t i) noexcept {
    return static_cast<std::size_t>(std::bit_width(i / kFirst + 1)) - 1;
  }
  static constexpr std::size_t block_size(std::size_t block) noexcept { return kFirst << block; }
  T& slot(std::size_t i) const noexcept {
    const std::size_t block = block_of(i);
    return blocks_[block][i - (block_size(block) - kFirst)];
  }

  std::array<T*, kBlocks> blocks_{};  // a block is set before size_ covers its first element
  std::atomic<std::size_t> size_{0};
};

}  // namespace otolith
