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

}  // namespace otolith::io
