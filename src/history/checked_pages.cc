#include "history/checked_pages.h"

#include <algorithm>

#include "base/hash.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::size_t kCachedPages = 64;  // per file: 256 KiB

std::uint64_t seed_of(const std::string& name) { return xxh3(as_bytes_view(name)); }

}  // namespace

Bytes pages_of(BytesView data, const std::string& name) {
  const std::uint64_t seed = seed_of(name);
  const std::size_t pages = (data.size() + kPageDataBytes - 1) / kPageDataBytes;
  Bytes out(pages * kPageBytes);
  for (std::size_t i = 0; i < pages; ++i) {
    std::byte* page = out.data() + i * kPageBytes;
    const BytesView part = data.subspan(i * kPageDataBytes,
                                        std::min(kPageDataBytes, data.size() - i * kPageDataBytes));
    std::ranges::copy(part, page);
    store_le(page + kPageDataBytes, xxh3({page, kPageDataBytes}, seed + i));
  }
  return out;
}

CheckedPages::CheckedPages(std::unique_ptr<io::File> file, std::string name)
    : file_(std::move(file)), name_(std::move(name)), seed_(seed_of(name_)), cache_(kCachedPages) {
  size_ = file_->stat().size / kPageBytes * kPageDataBytes;
}

BytesView CheckedPages::page(std::uint64_t number) const {
  Cached& cached = cache_[number % kCachedPages];
  if (cached.number == number) return cached.data;
  cached.number = ~0ull;
  cached.data.resize(kPageBytes);
  const bool whole = file_->read_at(number * kPageBytes, cached.data) == kPageBytes;
  const BytesView data = BytesView(cached.data).first(kPageDataBytes);
  const auto check = load_le<std::uint64_t>(cached.data.data() + kPageDataBytes);
  const bool sound = whole && check == xxh3(data, seed_ + number);
  if (!sound && !mutant("index-page-unchecked")) {
    throw_corrupt(name_, number * kPageBytes, "a page of the index fails its checksum");
  }
  cached.number = number;
  return cached.data;
}

void CheckedPages::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::size_t from = offset % kPageDataBytes;
    const std::size_t bytes = std::min(out.size(), kPageDataBytes - from);
    const BytesView data = page(offset / kPageDataBytes).subspan(from, bytes);
    std::ranges::copy(data, out.begin());
    out = out.subspan(bytes);
    offset += bytes;
  }
}

}  // namespace otolith::history
