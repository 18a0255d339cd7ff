#include "model/leaf_key.h"

#include <algorithm>
#include <bit>

#include "model/merkle.h"

namespace otolith::model {

namespace {

const Hash256& root_domain() {
  static const Hash256 key = domain_key("root of leaf keys");
  return key;
}

std::array<Hash256, 2> children_of(const Hash256& key) noexcept {
  return blake3_keyed_pair(key, as_bytes_view("otolith 1 children"));
}

// Elias gamma: as many zeros as the number has binary digits behind its first one, then the number.
void add_gamma(KeyPath& path, std::uint64_t number) noexcept {
  const auto digits = static_cast<unsigned>(std::bit_width(number));
  for (unsigned i = 1; i < digits; ++i) path.add(false);
  for (unsigned i = digits; i-- > 0;) path.add(((number >> i) & 1u) != 0);
}

}  // namespace

void KeyPath::add(bool right) noexcept {
  if (right) words_[length_ / 64] |= 1ull << (63 - length_ % 64);
  ++length_;
}

KeyPath KeyPath::cut(unsigned length) const noexcept {
  KeyPath out;
  for (unsigned depth = 0; depth < length; ++depth) out.add(step(depth));
  return out;
}

KeyPath KeyPath::sibling() const noexcept {
  KeyPath out = cut(length_ - 1);
  out.add(!step(length_ - 1));
  return out;
}

unsigned KeyPath::shared(const KeyPath& other) const noexcept {
  const unsigned most = std::min(length_, other.length_);
  unsigned depth = 0;
  for (const std::uint64_t word : words_) {
    const std::uint64_t differ = word ^ other.words_[depth / 64];
    if (differ != 0) return std::min(most, depth + static_cast<unsigned>(std::countl_zero(differ)));
    depth += 64;
    if (depth >= most) break;
  }
  return most;
}

KeyPath leaf_path(ColumnId column, std::uint64_t index) noexcept {
  KeyPath path;
  add_gamma(path, value_of(column));
  add_gamma(path, index + 1);
  return path;
}

LeafKeys::LeafKeys(const Id128& salt)
    : nodes_{{.path = {}, .key = blake3_keyed(root_domain(), salt.bytes)}} {}

LeafKeys::LeafKeys(std::vector<KeyNode> nodes) : nodes_(std::move(nodes)) {}

std::optional<std::size_t> LeafKeys::root_of(const KeyPath& path) const noexcept {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (path.shared(nodes_[i].path) == nodes_[i].path.length()) return i;
  }
  return std::nullopt;
}

std::optional<Hash256> LeafKeys::key(ColumnId column, std::uint64_t index) {
  const KeyPath path = leaf_path(column, index);
  const std::optional<std::size_t> root = root_of(path);
  if (!root) return std::nullopt;
  const Hash256& root_key = nodes_[*root].key;
  const unsigned top = nodes_[*root].path.length();
  // Children known from the last leaf hold for every node that both paths pass through.
  const unsigned keep = root == last_root_ ? path.shared(last_path_) + 1 - top : 0;
  children_.resize(std::min<std::size_t>(children_.size(), keep));
  for (unsigned depth = top + static_cast<unsigned>(children_.size()); depth < path.length();
       ++depth) {
    const Hash256& parent = depth == top ? root_key : children_.back()[path.step(depth - 1)];
    children_.push_back(children_of(parent));
    ++derivations_;
  }
  last_root_ = root;
  last_path_ = path;
  return path.length() == top ? root_key : children_.back()[path.step(path.length() - 1)];
}

std::vector<KeyNode> LeafKeys::sibling_keys(ColumnId column, std::uint64_t index) const {
  const KeyPath path = leaf_path(column, index);
  const std::optional<std::size_t> root = root_of(path);
  if (!root) return nodes_;
  std::vector<KeyNode> out = nodes_;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(*root));
  Hash256 at = nodes_[*root].key;
  for (unsigned depth = nodes_[*root].path.length(); depth < path.length(); ++depth) {
    const auto both = children_of(at);
    out.push_back({.path = path.cut(depth + 1).sibling(), .key = both[!path.step(depth)]});
    at = both[path.step(depth)];
  }
  return out;
}

}  // namespace otolith::model
