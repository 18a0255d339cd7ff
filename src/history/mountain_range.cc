#include "history/mountain_range.h"

#include <bit>

#include "history/field.h"

namespace otolith::history {

namespace {

// Keys keep leaves, nodes, bags and roots apart, so that none passes for another.
Hash256 key_of(std::string_view name) { return blake3(as_bytes_view(name)); }

Hash256 join(const Hash256& key, const Hash256& left, const Hash256& right) {
  std::array<std::byte, 2 * sizeof(Hash256)> both;
  std::ranges::copy(left.bytes, both.begin());
  std::ranges::copy(right.bytes, both.begin() + sizeof(Hash256));
  return blake3_keyed(key, both);
}

Hash256 node(const Hash256& left, const Hash256& right) {
  static const Hash256 key = key_of("otolith mountain range node 1");
  return join(key, left, right);
}

Hash256 bag(const Hash256& left, const Hash256& right) {
  static const Hash256 key = key_of("otolith mountain range bag 1");
  return join(key, left, right);
}

Hash256 root_of(std::uint64_t size, const Hash256& bagged) {
  static const Hash256 key = key_of("otolith mountain range root 1");
  Hash256 count;
  store_le(count.bytes.data(), size);
  return join(key, count, bagged);
}

// A mountain: leaves first … first + count - 1, count a power of two.
struct Mountain {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool holds(std::uint64_t index) const noexcept { return index >= first && index - first < count; }
};

std::vector<Mountain> mountains_of(std::uint64_t size) {
  std::vector<Mountain> mountains;
  std::uint64_t first = 0;
  while (size != 0) {
    const std::uint64_t count = std::bit_floor(size);
    mountains.push_back({first, count});
    first += count;
    size -= count;
  }
  return mountains;
}

using LeafAt = std::function<Hash256(std::uint64_t)>;

Hash256 peak_of(const Mountain& mountain, const LeafAt& leaf) {
  std::vector<std::pair<unsigned, Hash256>> open;  // height and hash, as in a binary counter
  for (std::uint64_t i = 0; i < mountain.count; ++i) {
    std::pair<unsigned, Hash256> top{0, leaf(mountain.first + i)};
    while (!open.empty() && open.back().first == top.first) {
      top = {top.first + 1, node(open.back().second, top.second)};
      open.pop_back();
    }
    open.push_back(top);
  }
  return open.front().second;
}

Hash256 bag_all(const std::vector<Hash256>& peaks) {
  Hash256 bagged = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) bagged = bag(peaks[i], bagged);
  return bagged;
}

}  // namespace

void MountainRange::append(const Hash256& leaf) {
  Hash256 top = leaf;
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    top = node(peaks_.back(), top);
    peaks_.pop_back();
  }
  peaks_.push_back(top);
  ++size_;
}

Hash256 MountainRange::root() const {
  return size_ == 0 ? Hash256{} : root_of(size_, bag_all(peaks_));
}

void MountainRange::save(ByteWriter& out) const {
  out.put(size_);
  for (const Hash256& peak : peaks_) hash_write(out, peak);
}

MountainRange MountainRange::load(ByteReader& in) {
  MountainRange range;
  range.size_ = in.get<std::uint64_t>();
  range.peaks_.resize(static_cast<std::size_t>(std::popcount(range.size_)));
  for (Hash256& peak : range.peaks_) peak = hash_read(in);
  return range;
}

InclusionProof range_prove(std::uint64_t size, std::uint64_t index, const LeafAt& leaf) {
  OTO_INVARIANT(index < size);
  InclusionProof proof{size, index, {}};
  const std::vector<Mountain> mountains = mountains_of(size);
  const auto home =
      std::ranges::find_if(mountains, [&](const Mountain& m) { return m.holds(index); });
  for (std::uint64_t width = 1; width < home->count; width *= 2) {
    const std::uint64_t sibling = ((index - home->first) / width) ^ 1;
    proof.path.push_back(peak_of({home->first + sibling * width, width}, leaf));
  }
  std::vector<Hash256> right;
  for (auto it = home + 1; it != mountains.end(); ++it) right.push_back(peak_of(*it, leaf));
  if (!right.empty()) proof.path.push_back(bag_all(right));
  for (auto it = home; it != mountains.begin();) proof.path.push_back(peak_of(*--it, leaf));
  return proof;
}

bool range_verify(const InclusionProof& proof, const Hash256& leaf, const Hash256& root) {
  if (proof.index >= proof.size) return false;
  const std::vector<Mountain> mountains = mountains_of(proof.size);
  const auto home =
      std::ranges::find_if(mountains, [&](const Mountain& m) { return m.holds(proof.index); });
  const auto climbs = static_cast<std::size_t>(std::countr_zero(home->count));
  const std::size_t right = home + 1 != mountains.end() ? 1 : 0;
  const auto left = static_cast<std::size_t>(home - mountains.begin());
  if (proof.path.size() != climbs + right + left) return false;
  Hash256 top = leaf;
  std::size_t at = 0;
  for (; at < climbs; ++at) {
    const bool is_right = (((proof.index - home->first) >> at) & 1) != 0;
    top = is_right ? node(proof.path[at], top) : node(top, proof.path[at]);
  }
  if (right != 0) top = bag(top, proof.path[at++]);
  for (; at < proof.path.size(); ++at) top = bag(proof.path[at], top);
  return root_of(proof.size, top) == root;
}

}  // namespace otolith::history
