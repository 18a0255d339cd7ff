// Keys of Merkle leaves: a binary tree of keys grown from one salt, from which leaves can be cut
// out.
//
// Role:    every leaf of a commit's content is hashed under its own key (docs/history.md 7).
// Shapes:  path of a leaf: Elias gamma code of the column id, then of the leaf's index in that
//          column plus one. No path is the beginning of another. Both children of a node come from
//          one keyed BLAKE3 with 64 bytes of output; consecutive leaves cost at most two such steps
//          each.
// Errors:  none; an erased leaf has no key.
// Threads: thread-compatible: one per thread, they remember the last path.
// Why:     erasing a leaf replaces the salt by the keys of the siblings along its path: all other
//          keys still follow, that one does not, so values that could be guessed cannot be
//          confirmed.
// Source:  Goldreich, Goldwasser, Micali, "How to construct random functions" (1986); punctured as
//          in Boneh and Waters (2013). Elias (1975) for the code.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"

namespace otolith::model {

/// A way down from the root of the tree, most significant step first.
class KeyPath {
 public:
  static constexpr unsigned kBitsMax = 192;  // two codes of numbers below 2^48

  unsigned length() const noexcept { return length_; }
  bool step(unsigned depth) const noexcept {
    return (words_[depth / 64] >> (63 - depth % 64)) & 1u;
  }
  void add(bool right) noexcept;
  /// The first `length` steps.
  KeyPath cut(unsigned length) const noexcept;
  KeyPath sibling() const noexcept;
  /// How many first steps both share.
  unsigned shared(const KeyPath& other) const noexcept;
  bool operator==(const KeyPath&) const = default;

 private:
  std::array<std::uint64_t, kBitsMax / 64> words_{};
  unsigned length_ = 0;
};

KeyPath leaf_path(ColumnId column, std::uint64_t index) noexcept;

/// A node of the tree that is known, and with it all below it.
struct KeyNode {
  KeyPath path;
  Hash256 key;
  bool operator==(const KeyNode&) const = default;
};

class LeafKeys {
 public:
  explicit LeafKeys(const Id128& salt);
  /// After an erasure: the nodes that are still known.
  explicit LeafKeys(std::vector<KeyNode> nodes);

  /// The key of a leaf; nullopt if it was erased.
  std::optional<Hash256> key(ColumnId column, std::uint64_t index);
  /// Steps down the tree taken so far, for tests of the cost.
  std::uint64_t derivations() const noexcept { return derivations_; }

  /// The nodes from which every key follows but that of one leaf.
  std::vector<KeyNode> sibling_keys(ColumnId column, std::uint64_t index) const;

 private:
  /// The known node that a path passes through.
  std::optional<std::size_t> root_of(const KeyPath& path) const noexcept;

  std::vector<KeyNode> nodes_;
  std::optional<std::size_t> last_root_;
  KeyPath last_path_;
  std::vector<std::array<Hash256, 2>> children_;  // of the node at each depth below last_root_
  std::uint64_t derivations_ = 0;
};

}  // namespace otolith::model
