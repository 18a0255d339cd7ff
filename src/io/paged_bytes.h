// The bytes of a simulated file, in pages that copies share.
//
// Role:    content of a file on the simulated disk and in its page cache.
// Shapes:  pages of 4,096 bytes; a page that was never written is absent and reads as zeros; bytes
//          behind the size within the last page are zero.
// Errors:  std::bad_alloc.
// Threads: thread-compatible, as CopyOnWrite.
// Why:     absent pages are fresh blocks: after a crash they may show what the block held before.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace otolith::io {

inline constexpr std::size_t kSimPageBytes = 4096;
inline constexpr std::size_t kSectorBytes = 512;  // what a disk writes whole or not at all

using SimPage = std::array<std::byte, kSimPageBytes>;

/// What a fresh block, to become this page of a file, holds before it is written; asked once per
/// block.
using FreshBlock = std::function<void(SimPage&, std::size_t index)>;

/// A page that was once written, and its place in its file.
struct WrittenPage {
  std::size_t index = 0;
  std::shared_ptr<const SimPage> bytes;
};

class PagedBytes {
 public:
  std::uint64_t size() const noexcept { return size_; }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Writes, extending as needed; absent pages begin as zeros, or as `fresh` says.
  void write(std::uint64_t offset, BytesView bytes, const FreshBlock* fresh = nullptr);
  /// Sets the size; what is cut off reads as zeros if the file grows again.
  void resize(std::uint64_t size);
  /// Makes absent pages of a range present as `fresh` says, up to the size.
  void fill_absent(std::uint64_t from, std::uint64_t to, const FreshBlock& fresh);
  /// Zeroes what fresh blocks left behind the size, as a kernel does when it reads the last page.
  void clear_behind_size();
  /// Pages that were ever written, for what recycled blocks may show.
  std::vector<WrittenPage> pages() const;

 private:
  SimPage& page_for_writing(std::size_t index, const FreshBlock* fresh);

  std::uint64_t size_ = 0;
  std::vector<std::shared_ptr<SimPage>> pages_;  // may be shorter than the size needs
};

}  // namespace otolith::io
