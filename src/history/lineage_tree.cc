#include "history/lineage_tree.h"

#include <algorithm>
#include <tuple>

#include "base/mutant.h"

namespace otolith::history {

namespace {

// Deltas of at most this many commits are checked one by one against the newest lineage.
constexpr std::uint64_t kFewCommits = 64;

CommitRun run_of(std::uint64_t first, std::uint64_t last) {
  return {CommitNumber{first}, CommitNumber{last}};
}

// What one path adds to a lineage that it shares with another, and takes out of it.
struct Folded {
  CommitSet in;
  CommitSet out;
};

// Moves a run that leaves `from`, or enters `to` where it was not in `from`.
void move_run(CommitSet& from, CommitSet& to, CommitRun run) {
  CommitNumber next{value_of(run.first)};
  for (const CommitRun& piece : from.remove(run)) {
    if (next < piece.first) to.add(run_of(value_of(next), value_of(piece.first) - 1));
    next = CommitNumber{value_of(piece.last) + 1};
  }
  if (next <= run.last) to.add({next, run.last});
}

// Plays the steps of a path from the bottom up.
Folded fold(const std::vector<Lineage::Tree::Step>& steps) {
  Folded folded;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->delta != nullptr) {
      for (const CommitRun& run : step->delta->removed) move_run(folded.in, folded.out, run);
      for (const CommitRun& run : step->delta->added) move_run(folded.out, folded.in, run);
    }
    if (step->first <= step->last) folded.in.add(run_of(step->first, step->last));
  }
  return folded;
}

void add_without(CommitSet& result, const CommitSet& from, const CommitSet& without) {
  CommitSet rest = from;
  for (const CommitRun& run : without.runs()) rest.remove(run);
  for (const CommitRun& run : rest.runs()) result.add(run);
}

CommitRuns without(const CommitRuns& runs, const CommitRuns& taken) {
  CommitSet rest(runs);
  for (const CommitRun& run : taken) rest.remove(run);
  return rest.runs();
}

}  // namespace

// ---- paths ----

const Lineage::Tree::Own* Lineage::Tree::own_of(std::optional<DatasetId> d) const {
  if (!d || own.empty() || mutant("lineage-own-nodes-ignored")) return nullptr;
  const auto at = own.find(*d);
  return at == own.end() ? nullptr : &at->second;
}

JumpChain::Place Lineage::Tree::floor(Commit c, Commit x) const {
  const JumpChain::Place place = chain.descend({chain.find(c), c}, x);
  return {place.node, std::min(place.commit, x)};
}

JumpChain::Place Lineage::Tree::floor(const Own* d, Commit c, Commit x) const {
  if (d == nullptr) return floor(c, x);
  return floor(d->chain.descend({nearest_own(*d, c), c}, x).commit, x);
}

Lineage::Tree::Node Lineage::Tree::nearest_own(const Own& d, Commit c) const {
  Node node = d.chain.find(c);
  for (Commit on_path; (on_path = floor(c, d.chain.start(node)).commit) != d.chain.start(node);) {
    node = d.chain.find(on_path);
  }
  return node;
}

Lineage::Tree::Walk::Walk(const Tree& tree, const Own* own, Commit from)
    : tree_(tree), own_(own), place_{tree.chain.find(from), from} {
  if (own_ != nullptr) own_node_ = tree_.nearest_own(*own_, from);
}

bool Lineage::Tree::Walk::at_own() const noexcept {
  return own_ != nullptr && own_->chain.start(own_node_) == tree_.chain.start(place_.node);
}

Lineage::Tree::Step Lineage::Tree::Walk::step() const {
  const Commit bottom = tree_.chain.start(place_.node);
  const auto dataset = at_own() ? std::optional(own_->id) : std::nullopt;
  return {.bottom = bottom,
          .first = tree_.events[place_.node] ? bottom : bottom + 1,
          .last = place_.commit,
          .delta = tree_.delta_at(bottom, dataset)};
}

void Lineage::Tree::Walk::down() {
  if (!at_own()) {
    place_ = tree_.chain.below(place_.node);
    return;
  }
  const auto [node, commit] = own_->chain.below(own_node_);
  place_ = {tree_.chain.find(commit), commit};
  own_node_ = node;
}

// ---- questions ----

const LineageDelta* Lineage::Tree::delta_at(Commit commit, std::optional<DatasetId> d) const {
  const auto at = std::ranges::lower_bound(pool, std::tie(commit, d), {}, [](const Delta& delta) {
    return std::tie(delta.commit, delta.dataset);
  });
  return at != pool.end() && at->commit == commit && at->dataset == d ? &at->runs : nullptr;
}

// Where nothing was ever reverted, a run within one node of the path is all there.
bool Lineage::Tree::contains_all(const Own* d, Commit c, CommitRun run) const {
  const Commit first = value_of(run.first);
  const Commit end = value_of(run.last);
  if (d != nullptr || !pool.empty() || first == 0 || end > c) return false;
  const JumpChain::Place place = floor(c, end);
  const Commit start = chain.start(place.node);
  const bool within = start < first || (start == first && events[place.node]);
  return place.commit == end && (within || mutant("lineage-run-by-its-end"));
}

bool Lineage::Tree::contains(const Own* d, Commit c, Commit b) const {
  if (b == 0 || b > c) return false;
  const auto on_path = [&](Commit revert) { return floor(d, c, revert).commit; };
  auto decides = deltas.latest(b, c, [&](Commit revert) {
    const bool overridden = d != nullptr && d->chain.start(d->chain.find(revert)) == revert;
    return overridden ? revert - 1 : on_path(revert);
  });
  if (d != nullptr) {
    const auto own_decides = d->deltas.latest(b, c, on_path);
    if (own_decides && (!decides || own_decides->revert > decides->revert)) decides = own_decides;
  }
  if (decides) return decides->added;
  const JumpChain::Place place = floor(d, c, b);
  return place.commit == b && (chain.start(place.node) != b || events[place.node]);
}

LineageDifference Lineage::Tree::difference(const Own* d, Commit a, Commit b) const {
  Walk walk_a(*this, d, a);
  Walk walk_b(*this, d, b);
  std::vector<Step> steps_a;
  std::vector<Step> steps_b;
  while (true) {
    const Step at_a = walk_a.step();
    const Step at_b = walk_b.step();
    const Commit shared = std::min(at_a.last, at_b.last);
    if (std::max(at_a.bottom, at_b.bottom) <= shared) {
      steps_a.push_back({.bottom = shared + 1, .first = shared + 1, .last = at_a.last});
      steps_b.push_back({.bottom = shared + 1, .first = shared + 1, .last = at_b.last});
      break;
    }
    (at_a.bottom > at_b.bottom ? steps_a : steps_b)
        .push_back(at_a.bottom > at_b.bottom ? at_a : at_b);
    (at_a.bottom > at_b.bottom ? walk_a : walk_b).down();
  }
  const Folded path_a = fold(steps_a);
  const Folded path_b = fold(steps_b);
  CommitSet only_a;
  CommitSet only_b;
  add_without(only_a, path_a.in, path_b.in);
  add_without(only_a, path_b.out, path_a.out);
  add_without(only_b, path_b.in, path_a.in);
  add_without(only_b, path_a.out, path_b.out);
  return {only_a.runs(), only_b.runs()};
}

LineageDelta Lineage::Tree::delta_of_revert(const Own* d, Commit m) const {
  const auto [only_m, only_before] = difference(d, m, m - 1);
  if (mutant("lineage-revert-is-without-m")) return {{run_of(m, m)}, {}};
  if (count(only_m) + count(only_before) > kFewCommits) {
    const auto [since, lost] = difference(d, last, m);
    return {without(only_m, lost), without(only_before, since)};
  }
  LineageDelta delta;
  const auto keep = [&](const CommitRuns& runs, bool contained) {
    CommitSet kept;
    for (const CommitRun& run : runs) {
      for (CommitNumber b = run.first; b <= run.last; b = next(b)) {
        if (contains(d, last, value_of(b)) == contained) kept.add({b, b});
      }
    }
    return kept.runs();
  };
  return {keep(only_m, true), keep(only_before, false)};
}

// ---- growth ----

void Lineage::Tree::begin_node(Commit n, Commit below, bool has_events) {
  chain.append(n, {chain.find(below), below});
  events.push_back(has_events);
}

void Lineage::Tree::begin_own(DatasetId d, Commit n, Commit below) {
  Own& mine = own[d];
  mine.id = d;
  mine.chain.append(n, {nearest_own(mine, below), below});
}

void Lineage::Tree::add_delta(Commit n, std::optional<DatasetId> d, const LineageDelta& runs) {
  if (runs.empty()) return;
  pool.push_back({n, d, runs});
  DeltaIndex& index = d ? own.at(*d).deltas : deltas;
  for (const CommitRun& run : runs.removed) index.add(run, {n, false});
  for (const CommitRun& run : runs.added) index.add(run, {n, true});
}

void Lineage::Tree::truncate(Commit n) {
  while (!pool.empty() && pool.back().commit > n && !mutant("lineage-truncate-keeps-delta")) {
    const Delta& delta = pool.back();
    DeltaIndex& index = delta.dataset ? own.at(*delta.dataset).deltas : deltas;
    for (const CommitRun& run : delta.runs.removed) index.pop(run);
    for (const CommitRun& run : delta.runs.added) index.pop(run);
    pool.pop_back();
  }
  chain.truncate(n);
  events.resize(chain.size());
  for (auto& [id, mine] : own) mine.chain.truncate(n);
  std::erase_if(own, [](const auto& entry) { return entry.second.chain.size() == 1; });
  last = n;
}

// ---- loaded trees ----

void Lineage::Tree::check(const ByteReader& in) const {
  const auto newest = [](const JumpChain& c) { return c.start(static_cast<Node>(c.size() - 1)); };
  if (newest(chain) > last) in.fail("a node of the lineage lies behind its last commit");
  for (Node i = 1; i < chain.size(); ++i) {
    const auto [parent, below] = chain.below(i);
    if (chain.find(below) != parent) in.fail("a node of the lineage hangs on another's commit");
  }
  for (const auto& [id, mine] : own) {
    for (Node i = 1; i < mine.chain.size(); ++i) {
      const Commit start = mine.chain.start(i);
      const auto [parent, below] = mine.chain.below(i);
      if (start > last || chain.start(chain.find(start)) != start ||
          nearest_own(mine, below) != parent) {
        in.fail("a dataset's node is none of the lineage");
      }
    }
  }
}

void Lineage::Tree::check(const ByteReader& in, Commit delta, std::optional<DatasetId> d) const {
  const bool ascending =
      pool.empty() || std::tie(pool.back().commit, pool.back().dataset) < std::tie(delta, d);
  const Own* mine = d && own.contains(*d) ? &own.at(*d) : nullptr;
  const JumpChain* nodes = d ? (mine ? &mine->chain : nullptr) : &chain;
  if (!ascending || nodes == nullptr || delta == 0 || nodes->start(nodes->find(delta)) != delta) {
    in.fail("a delta of the lineage belongs to no node");
  }
}

}  // namespace otolith::history
