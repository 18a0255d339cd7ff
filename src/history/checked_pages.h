// A file of pages that each carry a checksum, read as one run of bytes.
//
// Role:    the bytes under each run of the commit index.
// Shapes:  pages of kPageBytes; in each kPageDataBytes of data, then XXH3 of them, seeded by the
//          file's name and the page's number. Offsets count data bytes only.
// Errors:  corrupt (file, offset) when a page fails its checksum or is missing.
// Threads: thread-compatible.
// Why:     read with pread and a small cache, not mapped: a file cut short under a mapping would
//          end the process, and this one can always be made again from the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/vfs.h"

namespace otolith::history {

inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kPageDataBytes = kPageBytes - sizeof(std::uint64_t);

/// The data as it goes to the file `name`.
Bytes pages_of(BytesView data, const std::string& name);

class CheckedPages {
 public:
  CheckedPages(std::unique_ptr<io::File> file, std::string name);
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Bytes of data that the file can hold.
  std::uint64_t size() const noexcept { return size_; }

 private:
  BytesView page(std::uint64_t number) const;

  struct Cached {
    std::uint64_t number = ~0ull;
    Bytes data;
  };
  const std::unique_ptr<io::File> file_;
  const std::string name_;
  const std::uint64_t seed_;
  std::uint64_t size_ = 0;
  mutable std::vector<Cached> cache_;
};

}  // namespace otolith::history
