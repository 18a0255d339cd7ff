// Memory that starts at a page boundary, for copies in place of maps.
//
// Role:    File::map where nothing can be mapped.
// Shapes:  starts at a multiple of kBufferAlignment; sizes in bytes.
// Errors:  std::bad_alloc.
// Threads: thread-compatible.
// Why:     std::vector aligns to 16 bytes only and zeroes what is about to be overwritten.
#pragma once

#include <cstdlib>
#include <memory>
#include <span>

#include "io/vfs.h"

namespace otolith::io {

inline constexpr std::size_t kBufferAlignment = 4096;  // bytes; a page

/// Owned bytes, not initialised. Move-only.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size);

  std::byte* data() noexcept { return start_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> span() noexcept { return {start_.get(), size_}; }
  BytesView view() const noexcept { return {start_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* start) const noexcept { std::free(start); }
  };

  std::unique_ptr<std::byte[], Free> start_;
  std::size_t size_ = 0;
};

/// A Mapping that owns a copy of the first `size` bytes of a file; invalid_argument if it has
/// fewer.
std::unique_ptr<Mapping> copy_mapping(File& file, std::uint64_t size);

}  // namespace otolith::io
