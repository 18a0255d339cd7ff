#include "history/jump_chain.h"

#include <algorithm>
#include <span>

#include "base/mutant.h"

namespace otolith::history {

JumpChain::JumpChain() : nodes_(1) {}

void JumpChain::append(std::uint64_t start, Place below) {
  OTO_INVARIANT(start > nodes_.back().start && below.commit < start && below.node < nodes_.size() &&
                nodes_[below.node].start <= below.commit);
  const Node& parent = nodes_[below.node];
  const Node& over = nodes_[parent.jump];
  Node node{.start = start,
            .below = below.commit,
            .jump_at = below.commit,
            .parent = below.node,
            .jump = below.node,
            .depth = parent.depth + 1};
  // Two jumps of equal length before it: this one spans both.
  if (parent.depth > 0 && parent.depth - over.depth == over.depth - nodes_[over.jump].depth) {
    node.jump = over.jump;
    node.jump_at = mutant("lineage-jump-enters-early") ? parent.jump_at : over.jump_at;
  }
  nodes_.push_back(node);
}

void JumpChain::truncate(std::uint64_t commit) {
  while (nodes_.size() > 1 && nodes_.back().start > commit) nodes_.pop_back();
}

JumpChain::Index JumpChain::find(std::uint64_t commit) const noexcept {
  // HEAD and its neighbours: what most questions are about.
  if (commit >= nodes_.back().start) return static_cast<Index>(nodes_.size()) - 1;
  // Nodes are spread evenly enough for a guess in proportion to land near: from there in growing
  // steps, then by halving. Halving all of them would miss the cache at every step.
  const double share = static_cast<double>(commit) / static_cast<double>(nodes_.back().start);
  std::size_t first = static_cast<std::size_t>(share * static_cast<double>(nodes_.size() - 1));
  std::size_t last = first;  // first and last bound the node
  for (std::size_t step = 1; nodes_[first].start > commit; step *= 2)
    first -= std::min(step, first);
  for (std::size_t step = 1; last < nodes_.size() && nodes_[last].start <= commit; step *= 2) {
    last += std::min(step, nodes_.size() - last);
  }
  const auto near = std::span(nodes_).subspan(first, last - first);
  const auto behind = std::ranges::upper_bound(near, commit, {}, &Node::start);
  return static_cast<Index>(first) + static_cast<Index>(behind - near.begin()) - 1;
}

JumpChain::Place JumpChain::descend(Place from, std::uint64_t commit) const noexcept {
  while (from.commit > commit && commit < nodes_[from.node].start) {
    const Node& node = nodes_[from.node];
    from = node.jump_at >= commit ? Place{node.jump, node.jump_at} : Place{node.parent, node.below};
  }
  return from;
}

void JumpChain::save(ByteWriter& out, std::uint64_t until) const {
  const std::size_t last = find(until);
  out.put_varint(last);
  for (std::size_t i = 1; i <= last; ++i) {
    out.put_varint(nodes_[i].start - nodes_[i - 1].start);
    out.put_varint(nodes_[i].start - nodes_[i].below);
    out.put_varint(i - nodes_[i].parent);
  }
}

void JumpChain::load(ByteReader& in) {
  const std::uint64_t nodes = in.get_count(3);
  nodes_.reserve(nodes + 1);
  for (std::uint64_t i = 1; i <= nodes; ++i) {
    const std::uint64_t start = nodes_.back().start + in.get_varint();
    const std::uint64_t back = in.get_varint();
    const std::uint64_t up = in.get_varint();
    if (start <= nodes_.back().start || back == 0 || back > start || up == 0 || up > i ||
        nodes_[i - up].start > start - back) {
      in.fail("nodes of the lineage contradict each other");
    }
    append(start, {static_cast<Index>(i - up), start - back});
  }
}

}  // namespace otolith::history
