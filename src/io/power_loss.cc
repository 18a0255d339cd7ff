#include "io/power_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace otolith::io {

namespace {

enum class Fate : std::uint8_t { dropped, size_only, cut, some_sectors, whole };

// One pending change: of the entries (node == kNoNode) or of a file; index into its own list.
struct Change {
  std::uint64_t sequence = 0;
  NodeId node = kNoNode;
  std::size_t index = 0;
  Fate fate = Fate::dropped;
};

std::vector<Change> changes_in_order(const DiskState& state) {
  std::vector<Change> changes;
  const auto& entries = state.pending_entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    changes.push_back({entries[i].sequence, kNoNode, i});
  }
  for (NodeId id = kRootNode; id < state.nodes().size(); ++id) {
    const Node& node = state.node(id);
    if (!node.file) continue;
    const auto& pending = node.file->pending;
    for (std::size_t i = 0; i < pending.size(); ++i) {
      changes.push_back({pending[i].sequence, id, i});
    }
  }
  std::ranges::sort(changes, {}, &Change::sequence);
  return changes;
}

// A state drawn at random leans one way: with even odds for each of many writes, states in which
// nearly all or nearly none got through would never be met.
void draw_fates(std::vector<Change>& changes, SeededRandom& random) {
  const std::uint64_t whole_in_16 = std::array<std::uint64_t, 4>{1, 6, 11, 15}[random.below(4)];
  for (Change& change : changes) {
    if (random.below(16) < whole_in_16) {
      change.fate = Fate::whole;
    } else if (change.node != kNoNode) {
      change.fate = static_cast<Fate>(random.below(4));
    }
  }
}

void decide_fates(std::vector<Change>& changes, const PowerLoss& loss, SeededRandom& random) {
  if (loss.kind == PowerLoss::Kind::random) return draw_fates(changes, random);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool entries = changes[i].node == kNoNode;
    switch (loss.kind) {
      case PowerLoss::Kind::everything:
        changes[i].fate = Fate::whole;
        break;
      case PowerLoss::Kind::entries_only:
        changes[i].fate = entries ? Fate::whole : Fate::dropped;
        break;
      case PowerLoss::Kind::entries_and_sizes:
        changes[i].fate = entries ? Fate::whole : Fate::size_only;
        break;
      case PowerLoss::Kind::all_but_one:
        changes[i].fate = i == loss.left_out ? Fate::dropped : Fate::whole;
        break;
      case PowerLoss::Kind::nothing:
      case PowerLoss::Kind::random:
        break;
    }
  }
}

// What a block shows that was allocated but not written: per state always zeros, or drawn per
// block.
class FreshBlocks {
 public:
  FreshBlocks(const StalePages& stale, std::size_t count, SeededRandom& random)
      : stale_(stale),
        count_(std::min(count, stale.size())),
        random_(random),
        only_zeros_(random.one_in(2)) {}

  void fill(SimPage& page, std::size_t index) {
    if (only_zeros_ || random_.one_in(3)) return;
    if (count_ != 0 && !random_.one_in(8)) {
      page = *pick(index).bytes;
      return;
    }
    for (std::size_t at = 0; at < page.size(); at += sizeof(std::uint64_t)) {
      store_le(page.data() + at, random_.next());
    }
  }

 private:
  // Half of the time the same place of an earlier file, where stale records line up with ours.
  const WrittenPage& pick(std::size_t index) {
    constexpr std::size_t looks_max = 64;
    const std::size_t first = random_.below(count_);
    if (random_.one_in(2)) {
      for (std::size_t i = 0; i < std::min(count_, looks_max); ++i) {
        const WrittenPage& page = stale_[(first + i) % count_];
        if (page.index == index) return page;
      }
    }
    return stale_[first];
  }

  const StalePages& stale_;
  const std::size_t count_;
  SeededRandom& random_;
  const bool only_zeros_;
};

// Applies pending writes of one file, each as far as its fate lets it.
class FileAfterLoss {
 public:
  FileAfterLoss(const FileNode& before, const FreshBlock& fresh, SeededRandom& random)
      : before_(before), content_(*before.durable), fresh_(fresh), random_(random) {}

  void apply(const PendingWrite& write, Fate fate) {
    if (fate == Fate::dropped) return;
    if (write.kind == PendingWrite::Kind::resize) {
      content_.resize(write.size_after);
      return;
    }
    const BytesView bytes = *write.bytes;
    switch (fate) {
      case Fate::whole:
        content_.write(write.offset, bytes, &fresh_);
        break;
      case Fate::size_only:
        grow(write);
        break;
      case Fate::cut:
        apply_cut(write);
        break;
      case Fate::some_sectors:
        apply_some_sectors(write);
        break;
      case Fate::dropped:
        break;
    }
  }

  FileNode finish() {
    content_.clear_behind_size();
    FileNode after;
    after.durable = after.cached = CopyOnWrite<PagedBytes>(std::move(content_));
    after.preallocated = before_.preallocated;
    after.version = before_.version + 1;
    return after;
  }

 private:
  // The size is on the disk, the blocks are allocated, the data are not written.
  void grow(const PendingWrite& write) {
    if (write.size_after > content_.size()) content_.resize(write.size_after);
    content_.fill_absent(write.offset, write.offset + write.bytes->size(), fresh_);
  }

  void apply_cut(const PendingWrite& write) {
    if (random_.one_in(2)) grow(write);
    const std::uint64_t first = write.offset / kSectorBytes;
    const std::uint64_t end = write.offset + write.bytes->size();
    const std::uint64_t sectors = (end - 1) / kSectorBytes - first + 1;
    const std::uint64_t cut_at = (first + random_.below(sectors)) * kSectorBytes;
    if (cut_at <= write.offset) return;
    const auto kept = static_cast<std::size_t>(cut_at - write.offset);
    content_.write(write.offset, BytesView(*write.bytes).first(kept), &fresh_);
  }

  void apply_some_sectors(const PendingWrite& write) {
    if (random_.one_in(2)) grow(write);
    const std::uint64_t end = write.offset + write.bytes->size();
    std::uint64_t at = write.offset;
    while (at < end) {
      const std::uint64_t sector_end = std::min((at / kSectorBytes + 1) * kSectorBytes, end);
      if (random_.one_in(2)) {
        content_.write(at,
                       BytesView(*write.bytes)
                           .subspan(static_cast<std::size_t>(at - write.offset),
                                    static_cast<std::size_t>(sector_end - at)),
                       &fresh_);
      }
      at = sector_end;
    }
  }

  const FileNode& before_;
  PagedBytes content_;
  const FreshBlock& fresh_;
  SeededRandom& random_;
};

void put_file(DiskState& state, NodeId id, FileNode file) {
  Node node;
  node.file = CopyOnWrite<FileNode>(std::move(file));
  state.put_node(id, std::move(node));
}

// Directories that no pending change names are as durable as they look.
void settle_directories(DiskState& after, const DiskState& before,
                        const std::vector<Change>& changes) {
  std::vector<NodeId> touched;
  for (const PendingEntries& pending : before.pending_entries()) {
    for (const EntryChange& entry : pending.changes) touched.push_back(entry.directory);
  }
  std::ranges::sort(touched);
  touched.erase(std::ranges::unique(touched).begin(), touched.end());
  for (const NodeId id : touched) {
    CopyOnWrite<Entries> entries = before.node(id).directory->durable;
    for (const Change& change : changes) {
      if (change.node != kNoNode || change.fate != Fate::whole) continue;
      for (const EntryChange& each : before.pending_entries()[change.index].changes) {
        if (each.directory == id) set_entry(entries, each.name, each.node);
      }
    }
    Node node;
    node.directory = CopyOnWrite<DirectoryNode>(DirectoryNode{entries, entries});
    after.put_node(id, std::move(node));
  }
}

}  // namespace

std::size_t pending_count(const DiskState& state) {
  std::size_t count = state.pending_entries().size();
  for (const Node& node : state.nodes()) {
    if (node.file) count += node.file->pending.size();
  }
  return count;
}

DiskState after_power_loss(const DiskState& before, const PowerLoss& loss, const StalePages& stale,
                           std::size_t stale_count) {
  SeededRandom random(loss.seed);
  std::vector<Change> changes = changes_in_order(before);
  decide_fates(changes, loss, random);
  FreshBlocks blocks(stale, stale_count, random);
  const FreshBlock fresh = [&blocks](SimPage& page, std::size_t index) {
    blocks.fill(page, index);
  };

  DiskState after = before.without_pending_entries();
  settle_directories(after, before, changes);
  std::ranges::sort(changes, {}, [](const Change& c) { return std::pair(c.node, c.sequence); });
  auto at = std::ranges::upper_bound(changes, kNoNode, {}, &Change::node);
  while (at != changes.end()) {
    const NodeId id = at->node;
    const FileNode& file = *before.node(id).file;
    FileAfterLoss result(file, fresh, random);
    for (; at != changes.end() && at->node == id; ++at) {
      result.apply(file.pending[at->index], at->fate);
    }
    put_file(after, id, result.finish());
  }
  return after;
}

std::string describe(const PowerLoss& loss, const DiskState& before) {
  const std::size_t count = pending_count(before);
  switch (loss.kind) {
    case PowerLoss::Kind::nothing:
      return fmt::format("none of {} pending changes", count);
    case PowerLoss::Kind::everything:
      return fmt::format("all of {} pending changes", count);
    case PowerLoss::Kind::entries_only:
      return "entries of directories, no data";
    case PowerLoss::Kind::entries_and_sizes:
      return "entries of directories and sizes, no data";
    case PowerLoss::Kind::all_but_one:
      return fmt::format("all but change {} of {}", loss.left_out, count);
    case PowerLoss::Kind::random:
      return fmt::format("a random part of {} pending changes (seed {})", count, loss.seed);
  }
  return {};
}

}  // namespace otolith::io
