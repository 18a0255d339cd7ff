#include "io/paged_bytes.h"

#include <algorithm>

namespace otolith::io {

std::size_t PagedBytes::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= size_) return 0;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  std::size_t done = 0;
  while (done < count) {
    const std::uint64_t at = offset + done;
    const auto index = static_cast<std::size_t>(at / kSimPageBytes);
    const auto within = static_cast<std::size_t>(at % kSimPageBytes);
    const std::size_t step = std::min(count - done, kSimPageBytes - within);
    if (index < pages_.size() && pages_[index]) {
      std::memcpy(out.data() + done, pages_[index]->data() + within, step);
    } else {
      std::memset(out.data() + done, 0, step);
    }
    done += step;
  }
  return count;
}

SimPage& PagedBytes::page_for_writing(std::size_t index, const FreshBlock* fresh) {
  if (index >= pages_.size()) pages_.resize(index + 1);
  std::shared_ptr<SimPage>& page = pages_[index];
  if (!page) {
    page = std::make_shared<SimPage>();
    if (fresh != nullptr) (*fresh)(*page, index);
  } else if (page.use_count() != 1) {
    page = std::make_shared<SimPage>(*page);
  }
  return *page;
}

void PagedBytes::write(std::uint64_t offset, BytesView bytes, const FreshBlock* fresh) {
  if (bytes.empty()) return;
  size_ = std::max(size_, offset + bytes.size());
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::uint64_t at = offset + done;
    const auto within = static_cast<std::size_t>(at % kSimPageBytes);
    const std::size_t step = std::min(bytes.size() - done, kSimPageBytes - within);
    SimPage& page = page_for_writing(static_cast<std::size_t>(at / kSimPageBytes), fresh);
    std::memcpy(page.data() + within, bytes.data() + done, step);
    done += step;
  }
}

void PagedBytes::resize(std::uint64_t size) {
  if (size < size_) {
    const auto pages_kept = static_cast<std::size_t>(align_up(size, kSimPageBytes) / kSimPageBytes);
    if (pages_kept < pages_.size()) pages_.resize(pages_kept);
    size_ = size;
    clear_behind_size();
  }
  size_ = size;
}

void PagedBytes::clear_behind_size() {
  const auto index = static_cast<std::size_t>(size_ / kSimPageBytes);
  const auto within = static_cast<std::size_t>(size_ % kSimPageBytes);
  if (within == 0 || index >= pages_.size() || !pages_[index]) return;
  SimPage& last = page_for_writing(index, nullptr);
  std::memset(last.data() + within, 0, kSimPageBytes - within);
}

void PagedBytes::fill_absent(std::uint64_t from, std::uint64_t to, const FreshBlock& fresh) {
  to = std::min(to, size_);
  for (std::uint64_t at = from - from % kSimPageBytes; at < to; at += kSimPageBytes) {
    const auto index = static_cast<std::size_t>(at / kSimPageBytes);
    if (index < pages_.size() && pages_[index]) continue;
    (void)page_for_writing(index, &fresh);
  }
}

std::vector<WrittenPage> PagedBytes::pages() const {
  std::vector<WrittenPage> found;
  for (std::size_t index = 0; index < pages_.size(); ++index) {
    if (pages_[index]) found.push_back({index, pages_[index]});
  }
  return found;
}

}  // namespace otolith::io
