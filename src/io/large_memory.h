// Memory for megabytes that are about to be written from end to end.
//
// Role:    whole columns of a read are decoded into it, and what they are gathered from before.
// Shapes:  at a multiple of kLargePageBytes, below half of one at 64; bytes, not initialised.
// Errors:  std::bad_alloc.
// Threads: thread-safe; several may write different parts of one allocation. A Scratch or
//          LargePieces is one thread's at a time.
// Why:     a first touch of memory costs a fault a page: 4 KiB pages make that dearer than the
//          decoding itself, and pages of 2 MiB are to be had for the asking. What is freed is kept,
//          up to kKeptMemoryBytesMax, as long as the kernel does not want it (ADR 0044).
#pragma once

#include <cstddef>
#include <memory>

namespace otolith::io {

inline constexpr std::size_t kLargePageBytes = 2 << 20;  // a huge page of x86-64 and of arm64

/// `size` bytes in huge pages where the machine gives them; given back with the last owner.
std::shared_ptr<std::byte> large_memory(std::size_t size);

/// Large memory that one piece of work after the other uses, so that it is cleared once.
class Scratch {
 public:
  /// At least `size` bytes; other ones than before if anybody still has those.
  std::shared_ptr<std::byte> memory(std::size_t size);

 private:
  std::shared_ptr<std::byte> kept_;
  std::size_t size_ = 0;
};

/// Memory for things of some 100 KiB that all live as long: pieces of large memory.
class LargePieces {
 public:
  /// `size` bytes at a multiple of 64; its stretch is freed with the last of its pieces.
  std::shared_ptr<std::byte> take(std::size_t size);

 private:
  std::shared_ptr<std::byte> stretch_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace otolith::io
