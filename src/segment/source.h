// The bytes of an open segment: views of a mapping, or copies read with pread.
//
// Role:    under the reader; the one place that tells the two modes apart.
// Shapes:  ranges that were checked to lie within the file; copies are 64-byte aligned.
// Errors:  corrupt where the file ends before it should.
// Threads: thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "io/large_memory.h"
#include "io/vfs.h"
#include "otolith/batch.h"

namespace otolith::segment {

class Source {
 public:
  Source(std::unique_ptr<io::File> file, std::string name, bool map);

  /// A copy lies in `scratch`, if there is one.
  Buffer read(std::uint64_t offset, std::uint64_t bytes, io::Scratch* scratch = nullptr) const;
  /// The same of a mapped file, without a share in the mapping.
  BytesView view(std::uint64_t offset, std::uint64_t bytes) const;
  std::uint64_t size() const noexcept { return size_; }
  bool mapped() const noexcept { return mapping_ != nullptr; }
  const std::string& name() const noexcept { return name_; }

 private:
  std::unique_ptr<io::File> file_;
  std::string name_;
  std::uint64_t size_ = 0;
  std::shared_ptr<const io::Mapping> mapping_;
};

}  // namespace otolith::segment
