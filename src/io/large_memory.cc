#include "io/large_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <new>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/mutex.h"

namespace otolith::io {

namespace {

// A use after free shall be found where it can be.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

struct Block {
  std::byte* start = nullptr;
  std::size_t size = 0;
};

// Blocks that were given back, the oldest first, whose pages the kernel may take when it has few.
// The lock is not waited for: a child of a fork may find it taken by a thread it does not have.
class KeptBlocks {
 public:
  /// One of at least `size` bytes and not much more; none where there is none.
  Block take(std::size_t size) noexcept {
    if (!mutex_.try_lock()) return {};
    const MutexLock lock(mutex_, std::adopt_lock);
    for (std::size_t i = 0; i < count_; ++i) {
      const Block block = blocks_[i];
      if (block.size < size || block.size - size > size / 4) continue;
      remove(i);
      return block;
    }
    return {};
  }

  void give(Block block) noexcept {
    const bool kept = kKeeps && block.size <= kKeptMemoryBytesMax &&
                      ::madvise(block.start, block.size, MADV_FREE) == 0 && mutex_.try_lock();
    if (!kept) return std::free(block.start);
    const MutexLock lock(mutex_, std::adopt_lock);
    while (count_ == blocks_.size() || bytes_ + block.size > kKeptMemoryBytesMax) {
      std::free(blocks_.front().start);
      remove(0);
    }
    blocks_[count_++] = block;
    bytes_ += block.size;
  }

 private:
  void remove(std::size_t i) noexcept OTO_REQUIRES(mutex_) {
    bytes_ -= blocks_[i].size;
    std::move(blocks_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              blocks_.begin() + static_cast<std::ptrdiff_t>(count_),
              blocks_.begin() + static_cast<std::ptrdiff_t>(i));
    --count_;
  }

  Mutex mutex_;
  std::array<Block, 64> blocks_ OTO_GUARDED_BY(mutex_){};
  std::size_t count_ OTO_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ OTO_GUARDED_BY(mutex_) = 0;
};

KeptBlocks& kept_blocks() {
  static auto* const blocks = new KeptBlocks;  // outlives whoever frees memory last
  return *blocks;
}

}  // namespace

std::shared_ptr<std::byte> large_memory(std::size_t size) {
  const bool large = size >= kLargePageBytes / 2;  // clearing such a page costs 0.1 ms
  const std::size_t unit = large ? kLargePageBytes : 64;
  Block block{nullptr, align_up(std::max<std::size_t>(size, 1), unit)};
  if (large) {
    if (const Block kept = kept_blocks().take(block.size); kept.start != nullptr)
      return {kept.start, [kept](std::byte*) { kept_blocks().give(kept); }};
  }
  block.start = static_cast<std::byte*>(std::aligned_alloc(unit, block.size));
  if (block.start == nullptr) throw std::bad_alloc();
  if (!large) return {block.start, [](std::byte* taken) { std::free(taken); }};
  (void)::madvise(block.start, block.size, MADV_HUGEPAGE);  // a wish: small pages do as well
  return {block.start, [block](std::byte*) { kept_blocks().give(block); }};
}

std::shared_ptr<std::byte> Scratch::memory(std::size_t size) {
  if (size > size_ || kept_.use_count() != 1) {
    kept_.reset();
    kept_ = large_memory(size);
    size_ = size;
  }
  return kept_;
}

std::shared_ptr<std::byte> LargePieces::take(std::size_t size) {
  constexpr std::size_t stretch_bytes_max = 32 << 20;
  size = align_up(size, 64);
  if (size_ - used_ < size) {
    size_ = std::max(size, std::min(2 * size_, stretch_bytes_max));
    used_ = 0;
    stretch_ = large_memory(size_);
  }
  std::byte* const piece = stretch_.get() + used_;
  used_ += size;
  return {stretch_, piece};
}

}  // namespace otolith::io
