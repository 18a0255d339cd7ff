// The Merkle tree that joins leaf hashes, and the keys that keep kinds of hashes apart.
//
// Role:    leaves -> column -> rows of a dataset; history joins those into the commit header.
// Shapes:  n leaves: left subtree of the largest power of two below n, as in RFC 6962. A node is
//          BLAKE3 keyed for nodes, so that no node passes for a leaf.
// Errors:  none.
// Threads: thread-safe.
// Source:  RFC 6962 section 2.1, with keyed BLAKE3 in place of prefixed SHA-256.
#pragma once

#include <span>
#include <string_view>

#include "base/hash.h"

namespace otolith::model {

/// The key of one kind of hash; `kind` never changes its meaning.
Hash256 domain_key(std::string_view kind);

/// The root over the leaves, in order; of one leaf that leaf; of none the hash of nothing.
Hash256 merkle_root(std::span<const Hash256> leaves);

}  // namespace otolith::model
