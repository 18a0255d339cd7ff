// The tree inside Lineage, without its lock: paths, the deltas on them, and both together.
//
// Role:    lineage.cc locks and calls; the path arithmetic stands here alone.
// Shapes:  every rollback and revert begins a node of `chain`; the path of the database from commit
//          c passes nodes downward. A dataset with own nodes follows that path until it meets one
//          of them, and goes on where that one says.
// Errors:  corrupt when stored parts contradict each other.
// Threads: thread-compatible.
// Why:     the latest event of b on the path of c decides: b itself, or a revert that holds b.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "history/delta_index.h"
#include "history/jump_chain.h"
#include "history/lineage.h"

namespace otolith::history {

struct Lineage::Tree {
  using Commit = std::uint64_t;
  using Node = JumpChain::Index;

  /// A delta, in the order of commits; the newest is last.
  struct Delta {
    Commit commit = 0;
    std::optional<DatasetId> dataset;
    LineageDelta runs;
  };
  /// Where the lineage of one dataset leaves the database's.
  struct Own {
    DatasetId id;
    JumpChain chain;
    DeltaIndex deltas;
  };
  /// One piece of a path: the commits first..last of a node, down to its bottom.
  struct Step {
    Commit bottom = 0;
    Commit first = 0;  // above bottom if the commit at the bottom has no events
    Commit last = 0;
    const LineageDelta* delta = nullptr;  // of the revert at the bottom
  };
  /// Walks a path downward, step by step.
  class Walk {
   public:
    Walk(const Tree& tree, const Own* own, Commit from);
    Step step() const;
    void down();

   private:
    bool at_own() const noexcept;
    const Tree& tree_;
    const Own* own_;
    JumpChain::Place place_;
    Node own_node_ = 0;
  };

  Commit last = 0;
  JumpChain chain;
  std::vector<bool> events{false};  // per node of the chain: whether its first commit has events
  DeltaIndex deltas;
  std::map<DatasetId, Own> own;
  std::vector<Delta> pool;  // ascending by (commit, dataset), the database's first

  const Own* own_of(std::optional<DatasetId> d) const;
  /// The greatest commit <= x on the path of c, in its node.
  JumpChain::Place floor(Commit c, Commit x) const;
  JumpChain::Place floor(const Own* d, Commit c, Commit x) const;
  /// The own node that the path of c meets first.
  Node nearest_own(const Own& d, Commit c) const;
  const LineageDelta* delta_at(Commit commit, std::optional<DatasetId> d) const;

  bool contains(const Own* d, Commit c, Commit b) const;
  bool contains_all(const Own* d, Commit c, CommitRun run) const;
  LineageDifference difference(const Own* d, Commit a, Commit b) const;
  /// Removed and added, restricted to what changes V(last).
  LineageDelta delta_of_revert(const Own* d, Commit m) const;

  void begin_node(Commit n, Commit below, bool has_events);
  void begin_own(DatasetId d, Commit n, Commit below);
  void add_delta(Commit n, std::optional<DatasetId> d, const LineageDelta& runs);
  void truncate(Commit n);

  /// Whether what was loaded is a tree that appends could have made; else fails the reader.
  void check(const ByteReader& in) const;
  void check(const ByteReader& in, Commit delta, std::optional<DatasetId> d) const;
};

}  // namespace otolith::history
