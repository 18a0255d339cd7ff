// Nodes of a tree in which any ancestor is found in O(log n) steps: skip pointers.
//
// Role:    the shape under lineage: chains of ordinary commits, joined where a rollback goes back;
//          and, per dataset, the commits at which its lineage leaves the database's.
// Shapes:  node 0 is the root at commit 0. Node i begins at a commit, and below it the path goes on
//          at an earlier commit, in its parent node. Nodes are appended in the order of their
//          commits.
// Errors:  corrupt when stored nodes contradict each other.
// Threads: thread-compatible.
// Why:     one skip pointer per node and appends in O(1), where a table of 2^i-th ancestors takes
//          O(log n) of both.
// Source:  E. W. Myers, "An applicative random-access stack", 1983: skew-binary jumps.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace otolith::history {

class JumpChain {
 public:
  using Index = std::uint32_t;

  /// A commit on a path, and the node in which the path passes it.
  struct Place {
    Index node = 0;
    std::uint64_t commit = 0;
  };

  JumpChain();
  /// A node that begins at `start`; below it the path goes on at `below`, which must be in a node.
  void append(std::uint64_t start, Place below);
  /// Drops all nodes that begin after the commit; the root stays.
  void truncate(std::uint64_t commit);

  std::size_t size() const noexcept { return nodes_.size(); }
  std::uint64_t start(Index node) const noexcept { return nodes_[node].start; }
  /// Where the path goes on below this node's start.
  Place below(Index node) const noexcept { return {nodes_[node].parent, nodes_[node].below}; }
  /// The last node that begins at or before the commit.
  Index find(std::uint64_t commit) const noexcept;
  /// Follows the path down to the node that begins at or before `commit`, or to the first commit on
  /// it that is not above `commit`, whichever comes first.
  Place descend(Place from, std::uint64_t commit) const noexcept;

  /// Nodes that begin at or before the commit, as varints of about five bytes each; jumps are found
  /// anew.
  void save(ByteWriter& out, std::uint64_t until) const;
  void load(ByteReader& in);  // into an empty chain

 private:
  struct Node {
    std::uint64_t start = 0;
    std::uint64_t below = 0;    // commit at which the path goes on in the parent
    std::uint64_t jump_at = 0;  // commit at which the path enters the node it jumps to
    Index parent = 0;
    Index jump = 0;
    std::uint32_t depth = 0;
  };
  std::vector<Node> nodes_;
};

}  // namespace otolith::history
