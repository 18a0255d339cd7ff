#include "io/large_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/bytes.h"

namespace otolith::io {

std::shared_ptr<std::byte> large_memory(std::size_t size) {
  const bool large = size >= kLargePageBytes / 2;  // clearing such a page costs 0.1 ms
  const std::size_t unit = large ? kLargePageBytes : 64;
  const std::size_t whole = align_up(std::max<std::size_t>(size, 1), unit);
  auto* const start = static_cast<std::byte*>(std::aligned_alloc(unit, whole));
  if (start == nullptr) throw std::bad_alloc();
  if (large) (void)::madvise(start, whole, MADV_HUGEPAGE);  // a wish: small pages do as well
  return {start, [](std::byte* taken) { std::free(taken); }};
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
