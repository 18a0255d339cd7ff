#include "segment/source.h"

#include "base/error.h"

namespace otolith::segment {

Source::Source(std::unique_ptr<io::File> file, std::string name, bool map)
    : file_(std::move(file)), name_(std::move(name)), size_(file_->stat().size) {
  if (!map || size_ == 0) return;
  mapping_ = file_->map(size_);
  file_.reset();  // the mapping stays; the descriptor is free for another segment
}

Buffer Source::read(std::uint64_t offset, std::uint64_t bytes, Room* room) const {
  OTO_INVARIANT(offset <= size_ && bytes <= size_ - offset);
  if (mapping_) return {mapping_, mapping_->bytes().subspan(offset, bytes)};
  std::byte* data = nullptr;
  Buffer out = room != nullptr ? room->take(bytes, &data) : buffer_allocate(bytes, &data);
  if (file_->read_at(offset, {data, bytes}) != bytes) {
    throw_corrupt(name_, offset, "the file has become shorter than it was when it was opened");
  }
  return out;
}

}  // namespace otolith::segment
