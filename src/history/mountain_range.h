// A Merkle mountain range over commit hashes: append-only, with short proofs that a commit is in
// it.
//
// Role:    the header of commit n holds the root over commits 1 … n-1; `prove` shows one commit of
//          many.
// Shapes:  leaf i (from 0) is the hash of commit i+1. At most 64 peaks, one per bit of the size.
// Errors:  load throws corrupt. `verify` answers, it never throws.
// Threads: thread-compatible.
// Why:     appending and the root need the peaks only; interior nodes are derived from the index,
//          which holds every leaf. A chain alone would need every header between two commits as
//          proof.
// Source:  P. Todd, "Merkle Mountain Ranges", OpenTimestamps documentation, 2012.
#pragma once

#include <functional>
#include <vector>

#include "base/hash.h"

namespace otolith::history {

/// The peaks of a range: all that appending needs.
class MountainRange {
 public:
  void append(const Hash256& leaf);
  /// Over all leaves so far; zero for none. It covers their number too.
  Hash256 root() const;
  std::uint64_t size() const noexcept { return size_; }

  void save(ByteWriter& out) const;
  static MountainRange load(ByteReader& in);
  bool operator==(const MountainRange&) const = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash256> peaks_;  // largest mountain first
};

/// That leaf `index` is one of `size` leaves: hashes from the leaf up to its peak, then the bag of
/// the peaks to its right (if any), then the peaks to its left, nearest first.
struct InclusionProof {
  std::uint64_t size = 0;
  std::uint64_t index = 0;
  std::vector<Hash256> path;
};

/// Hashes anew what is beside the leaf: size - 1 node hashes at most. Requires index < size.
InclusionProof range_prove(std::uint64_t size, std::uint64_t index,
                           const std::function<Hash256(std::uint64_t)>& leaf);
/// Whether the proof leads from this leaf to this root.
bool range_verify(const InclusionProof& proof, const Hash256& leaf, const Hash256& root);

}  // namespace otolith::history
