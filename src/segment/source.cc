#include "segment/source.h"

#include "base/error.h"

namespace otolith::segment {

Source::Source(std::unique_ptr<io::File> file, std::string name, bool map)
    : file_(std::move(file)), name_(std::move(name)), size_(file_->stat().size) {
  if (!map || size_ == 0) return;
  mapping_ = file_->map(size_);
  file_.reset();  // the mapping stays; the descriptor is free for another segment
}

Buffer Source::read(std::uint64_t offset, std::uint64_t bytes, io::Scratch* scratch) const {
  OTO_INVARIANT(offset <= size_ && bytes <= size_ - offset);
  if (mapping_) return {mapping_, mapping_->bytes().subspan(offset, bytes)};
  std::byte* data = nullptr;
  Buffer out;
  if (scratch == nullptr) {
    out = buffer_allocate(bytes, &data);
  } else {
    const std::shared_ptr<std::byte> memory = scratch->memory(bytes);
    data = memory.get();
    out = {memory, {data, bytes}};
  }
  if (file_->read_at(offset, {data, bytes}) != bytes) {
    throw_corrupt(name_, offset, "the file has become shorter than it was when it was opened");
  }
  return out;
}

BytesView Source::view(std::uint64_t offset, std::uint64_t bytes) const {
  OTO_INVARIANT(mapping_ && offset <= size_ && bytes <= size_ - offset);
  return mapping_->bytes().subspan(offset, bytes);
}

}  // namespace otolith::segment
