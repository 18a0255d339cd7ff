#include "io/aligned_buffer.h"

#include <new>
#include <utility>

#include "base/error.h"

namespace otolith::io {

namespace {

class CopiedMapping final : public Mapping {
 public:
  explicit CopiedMapping(AlignedBuffer bytes) : bytes_(std::move(bytes)) {}
  BytesView bytes() const noexcept override { return bytes_.view(); }

 private:
  AlignedBuffer bytes_;
};

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(size) {
  if (size == 0) return;
  void* const start = std::aligned_alloc(kBufferAlignment, align_up(size, kBufferAlignment));
  if (start == nullptr) throw std::bad_alloc();
  start_.reset(static_cast<std::byte*>(start));
}

std::unique_ptr<Mapping> copy_mapping(File& file, std::uint64_t size) {
  AlignedBuffer bytes(static_cast<std::size_t>(size));
  const std::size_t got = file.read_at(0, bytes.span());
  if (got < bytes.size()) {
    throw_error(ErrorCode::invalid_argument, "cannot map {} bytes of a file of only {}", size, got);
  }
  return std::make_unique<CopiedMapping>(std::move(bytes));
}

}  // namespace otolith::io
