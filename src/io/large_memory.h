// Memory for megabytes that are about to be written once, from end to end.
//
// Role:    whole columns of a read are decoded into it.
// Shapes:  at a multiple of kLargePageBytes, below half of one at 64; bytes, not initialised.
// Errors:  std::bad_alloc.
// Threads: thread-safe; several may write different parts of one allocation.
// Why:     a first touch of memory costs a fault a page: 4 KiB pages make that dearer than the
//          decoding itself, and pages of 2 MiB are to be had for the asking.
#pragma once

#include <cstddef>
#include <memory>

namespace otolith::io {

inline constexpr std::size_t kLargePageBytes = 2 << 20;  // a huge page of x86-64 and of arm64

/// `size` bytes in huge pages where the machine gives them; freed with the last owner.
std::shared_ptr<std::byte> large_memory(std::size_t size);

}  // namespace otolith::io
