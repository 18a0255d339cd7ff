#include "history/lineage.h"

#include <algorithm>
#include <span>

#include "base/mutant.h"
#include "base/mutex.h"
#include "history/lineage_tree.h"

namespace otolith::history {

namespace {

void put_delta(ByteWriter& out, const LineageDelta& delta) {
  put_runs(out, delta.removed);
  put_runs(out, delta.added);
}

LineageDelta get_delta(ByteReader& in) {
  LineageDelta delta;
  delta.removed = get_runs(in);
  delta.added = get_runs(in);
  return delta;
}

void put_dataset(ByteWriter& out, DatasetId d) {
  out.put_varint(value_of(d.created));
  out.put_varint(d.index);
}

DatasetId get_dataset(ByteReader& in) {
  const CommitNumber created{in.get_varint()};
  const std::uint64_t index = in.get_varint();
  if (index > ~0u) in.fail("index of a dataset does not fit");
  return {created, static_cast<std::uint32_t>(index)};
}

void put_dataset_if(ByteWriter& out, std::optional<DatasetId> d) {
  out.put(static_cast<std::uint8_t>(d.has_value()));
  if (d) put_dataset(out, *d);
}

std::optional<DatasetId> get_dataset_if(ByteReader& in) {
  const auto has = in.get<std::uint8_t>();
  if (has > 1) in.fail("flag of a dataset is neither 0 nor 1");
  return has == 1 ? std::optional(get_dataset(in)) : std::nullopt;
}

bool behind(const LineageDelta& delta, std::uint64_t commit) {
  return (delta.removed.empty() || value_of(delta.removed.back().last) < commit) &&
         (delta.added.empty() || value_of(delta.added.back().last) < commit);
}

}  // namespace

void put_reversal(ByteWriter& out, const Reversal& reversal) {
  out.put_varint(value_of(reversal.commit));
  put_dataset_if(out, reversal.dataset);
  put_delta(out, reversal.delta);
  out.put_varint(reversal.own.size());
  for (const auto& [dataset, delta] : reversal.own) {
    put_dataset(out, dataset);
    put_delta(out, delta);
  }
}

Reversal get_reversal(ByteReader& in) {
  Reversal reversal;
  reversal.commit = CommitNumber{in.get_varint()};
  reversal.dataset = get_dataset_if(in);
  reversal.delta = get_delta(in);
  reversal.own.resize(in.get_count(4));
  for (auto& [dataset, delta] : reversal.own) {
    dataset = get_dataset(in);
    delta = get_delta(in);
  }
  return reversal;
}

// ---- Lineage ----

// The tree and its lock: many ask while one appends.
struct Lineage::Guarded {
  mutable SharedMutex mutex;
  Tree tree OTO_GUARDED_BY(mutex);

  const Tree& read() const OTO_REQUIRES_SHARED(mutex) { return tree; }
  void check(CommitNumber commit) const OTO_REQUIRES_SHARED(mutex) {
    if (value_of(commit) <= tree.last) return;
    throw_error(ErrorCode::invalid_argument, "commit {} does not exist; the last one is {}",
                value_of(commit), tree.last);
  }
  void check_next(CommitNumber n) const OTO_REQUIRES_SHARED(mutex) {
    OTO_INVARIANT(value_of(n) == tree.last + 1);
  }
};

Lineage::Lineage() : guarded_(std::make_unique<Guarded>()) {}
Lineage::~Lineage() = default;

void Lineage::append(CommitNumber n) {
  const WriteLock lock(guarded_->mutex);
  guarded_->check_next(n);
  guarded_->tree.last = value_of(n);
}

void Lineage::append_rollback(CommitNumber n, CommitNumber k, std::optional<DatasetId> dataset,
                              bool events) {
  const WriteLock lock(guarded_->mutex);
  guarded_->check_next(n);
  guarded_->check(k);
  Tree& tree = guarded_->tree;
  const bool whole = !dataset || mutant("lineage-rollback-of-one-is-of-all");
  tree.begin_node(value_of(n), whole ? value_of(k) : tree.last, events);
  if (dataset) tree.begin_own(*dataset, value_of(n), value_of(k));
  tree.last = value_of(n);
}

void Lineage::append_revert(CommitNumber n, const Reversal& reversal) {
  const WriteLock lock(guarded_->mutex);
  guarded_->check_next(n);
  guarded_->check(reversal.commit);
  Tree& tree = guarded_->tree;
  // The last commit is undone by going back behind it: no delta, however often it is pressed.
  const std::uint64_t m = value_of(reversal.commit);
  const std::uint64_t below = m == tree.last ? m - 1 : tree.last;
  tree.begin_node(value_of(n), reversal.dataset ? tree.last : below, false);
  if (reversal.dataset) tree.begin_own(*reversal.dataset, value_of(n), below);
  tree.add_delta(value_of(n), reversal.dataset, reversal.delta);
  for (const auto& [dataset, delta] : reversal.own) {
    tree.begin_own(dataset, value_of(n), below);
    tree.add_delta(value_of(n), dataset, delta);
  }
  tree.last = value_of(n);
}

Reversal Lineage::reversal_of(CommitNumber m, std::optional<DatasetId> dataset) const {
  const ReadLock lock(guarded_->mutex);
  guarded_->check(m);
  OTO_INVARIANT(m > CommitNumber{0});
  const Tree& tree = guarded_->read();
  Reversal reversal{.commit = m, .dataset = dataset, .delta = {}, .own = {}};
  if (value_of(m) == tree.last) return reversal;
  reversal.delta = tree.delta_of_revert(tree.own_of(dataset), value_of(m));
  if (dataset) return reversal;
  for (const auto& [id, own] : tree.own) {
    LineageDelta delta = tree.delta_of_revert(&own, value_of(m));
    if (delta != reversal.delta && !mutant("lineage-revert-skips-own"))
      reversal.own.emplace_back(id, std::move(delta));
  }
  return reversal;
}

CommitNumber Lineage::last() const {
  const ReadLock lock(guarded_->mutex);
  return CommitNumber{guarded_->tree.last};
}

void Lineage::truncate(CommitNumber n) {
  const WriteLock lock(guarded_->mutex);
  guarded_->check(n);
  guarded_->tree.truncate(value_of(n));
}

bool Lineage::contains(DatasetId d, CommitNumber c, CommitNumber b) const {
  const ReadLock lock(guarded_->mutex);
  guarded_->check(c);
  const Tree& tree = guarded_->read();
  return tree.contains(tree.own_of(d), value_of(c), value_of(b));
}

bool Lineage::contains_all(DatasetId d, CommitNumber c, CommitRun run) const {
  const ReadLock lock(guarded_->mutex);
  guarded_->check(c);
  const Tree& tree = guarded_->read();
  return tree.contains_all(tree.own_of(d), value_of(c), run);
}

LineageDifference Lineage::difference(std::optional<DatasetId> d, CommitNumber a,
                                      CommitNumber b) const {
  const ReadLock lock(guarded_->mutex);
  guarded_->check(a);
  guarded_->check(b);
  const Tree& tree = guarded_->read();
  return tree.difference(tree.own_of(d), value_of(a), value_of(b));
}

std::vector<DatasetId> Lineage::datasets_with_own_nodes() const {
  const ReadLock lock(guarded_->mutex);
  std::vector<DatasetId> datasets;
  for (const auto& [id, own] : guarded_->tree.own) datasets.push_back(id);
  return datasets;
}

// ---- checkpoints ----

void Lineage::save(ByteWriter& out, CommitNumber until) const {
  const ReadLock lock(guarded_->mutex);
  const Tree& tree = guarded_->read();
  const Tree::Commit last =
      mutant("checkpoint-holds-later-lineage") ? tree.last : std::min(tree.last, value_of(until));
  out.put_varint(last);
  tree.chain.save(out, last);
  CommitSet with_events;
  for (JumpChain::Index i = 1; i <= tree.chain.find(last); ++i) {
    if (tree.events[i]) with_events.add({CommitNumber{i}, CommitNumber{i}});
  }
  put_runs(out, with_events.runs());  // of node numbers
  const auto there = [last](const auto& own) { return own.second.chain.find(last) != 0; };
  out.put_varint(static_cast<std::uint64_t>(std::ranges::count_if(tree.own, there)));
  for (const auto& own : tree.own) {
    if (!there(own)) continue;
    put_dataset(out, own.first);
    own.second.chain.save(out, last);
  }
  const auto behind = std::ranges::upper_bound(tree.pool, last, {}, &Tree::Delta::commit);
  const std::span deltas(tree.pool.begin(), behind);
  out.put_varint(deltas.size());
  for (const Tree::Delta& delta : deltas) {
    out.put_varint(delta.commit);
    put_dataset_if(out, delta.dataset);
    put_delta(out, delta.runs);
  }
}

std::unique_ptr<Lineage> Lineage::copy(CommitNumber until) const {
  ByteWriter out;
  save(out, until);
  ByteReader in(out.view());
  return load(in);
}

std::unique_ptr<Lineage> Lineage::load(ByteReader& in) {
  auto lineage = std::make_unique<Lineage>();
  const WriteLock lock(lineage->guarded_->mutex);
  Tree& tree = lineage->guarded_->tree;
  tree.last = in.get_varint();
  if (tree.last == UINT64_MAX) in.fail("no commit could follow the last one");
  tree.chain.load(in);
  tree.events.assign(tree.chain.size(), false);
  for (const CommitRun& run : get_runs(in)) {
    if (value_of(run.last) >= tree.chain.size()) in.fail("a node with events does not exist");
    for (CommitNumber i = run.first; i <= run.last; i = next(i)) tree.events[value_of(i)] = true;
  }
  for (std::uint64_t left = in.get_count(3); left > 0; --left) {
    const DatasetId id = get_dataset(in);
    Tree::Own& own = tree.own[id];
    if (own.chain.size() > 1) in.fail("a dataset stands in the lineage twice");
    own.id = id;
    own.chain.load(in);
  }
  tree.check(in);
  const std::uint64_t deltas = in.get_count(6);
  tree.pool.reserve(deltas);
  tree.deltas.reserve(deltas);
  for (std::uint64_t left = deltas; left > 0; --left) {
    const std::uint64_t commit = in.get_varint();
    const auto dataset = get_dataset_if(in);
    const LineageDelta delta = get_delta(in);
    tree.check(in, commit, dataset);
    if (!behind(delta, commit)) in.fail("a delta holds commits after its own");
    tree.add_delta(commit, dataset, delta);
  }
  return lineage;
}

}  // namespace otolith::history
