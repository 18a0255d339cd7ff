#include "io/disk_state.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/path.h"

namespace otolith::io {

namespace {

bool touches_unknown(const FileNode& file, const PendingWrite& write) {
  if (write.kind != PendingWrite::Kind::write) return false;
  const auto first = file.unknown_sectors.lower_bound(write.offset / kSectorBytes);
  return first != file.unknown_sectors.end() &&
         *first * kSectorBytes < write.offset + write.bytes->size();
}

void apply(PagedBytes& content, const PendingWrite& write) {
  if (write.kind == PendingWrite::Kind::resize) {
    content.resize(write.size_after);
  } else {
    content.write(write.offset, *write.bytes);
  }
}

void mark_unknown_sectors(FileNode& file, const PendingWrite& write) {
  if (write.kind != PendingWrite::Kind::write) return;
  const std::uint64_t end = write.offset + write.bytes->size();
  for (std::uint64_t s = write.offset / kSectorBytes; s * kSectorBytes < end; ++s) {
    file.unknown_sectors.insert(s);
  }
}

// Reads one sector of the durable content back into the cache, as after an eviction.
void evict_sector(FileNode& file, std::uint64_t sector) {
  std::array<std::byte, kSectorBytes> on_disk{};
  (void)file.durable->read(sector * kSectorBytes, on_disk);
  const std::uint64_t begin = sector * kSectorBytes;
  const std::uint64_t size = file.cached->size();
  if (begin >= size) return;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kSectorBytes, size - begin));
  file.cached.edit().write(begin, BytesView(on_disk).first(count));
}

std::uint64_t charge(const FileNode& file, std::uint64_t size) {
  return align_up(std::max(size, file.preallocated), kSimPageBytes);
}

}  // namespace

void set_entry(CopyOnWrite<Entries>& entries, const std::string& name, NodeId node) {
  if (node == kNoNode) {
    entries.edit().erase(name);
  } else {
    entries.edit()[name] = node;
  }
}

DiskState::DiskState(bool tracked) : tracked_(tracked) {
  nodes_.resize(kRootNode + 1);
  const CopyOnWrite<Entries> none{Entries{}};
  nodes_[kRootNode].directory = CopyOnWrite<DirectoryNode>(DirectoryNode{none, none});
}

DiskState DiskState::without_pending_entries() const {
  DiskState copy(tracked_, nodes_);
  copy.sequence_ = sequence_;
  return copy;
}

NodeId DiskState::lookup(std::string_view path) const {
  NodeId at = kRootNode;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const Node& here = nodes_[at];
    if (!here.directory) return kNoNode;
    const auto found = here.directory->cached->find(path.substr(0, slash));
    if (found == here.directory->cached->end()) return kNoNode;
    at = found->second;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return at;
}

DiskState::Place DiskState::place_of(std::string_view path) const {
  Place place;
  place.name = std::string(entry_name(path));
  const NodeId directory = lookup(parent_path(path));
  if (directory == kNoNode || !nodes_[directory].directory) return place;
  place.directory = directory;
  const Entries& entries = *nodes_[directory].directory->cached;
  const auto found = entries.find(place.name);
  if (found != entries.end()) place.node = found->second;
  return place;
}

NodeId DiskState::add_node(Node node) {
  if (free_.empty()) {
    nodes_.push_back(std::move(node));
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  const NodeId id = free_.back();
  free_.pop_back();
  nodes_[id] = std::move(node);
  return id;
}

void DiskState::free_node(NodeId id) {
  nodes_[id] = Node{};
  free_.push_back(id);
}

bool DiskState::release(NodeId id) {
  if (tracked_ || !nodes_[id].file || nodes_[id].file->named) return false;
  free_node(id);
  return true;
}

void DiskState::change_entries(NodeId durable_with, std::vector<EntryChange> changes) {
  version_++;
  for (const EntryChange& change : changes) {
    set_entry(nodes_[change.directory].directory.edit().cached, change.name, change.node);
  }
  if (!tracked_) return;
  pending_entries_.push_back({false, ++sequence_, std::move(changes), durable_with});
}

int DiskState::create_file(std::string_view path) {
  const Place place = place_of(path);
  if (path.empty() || place.node != kNoNode) return EEXIST;
  if (place.directory == kNoNode) return ENOENT;
  const CopyOnWrite<PagedBytes> empty{PagedBytes{}};
  FileNode file;
  file.durable = file.cached = empty;
  Node node;
  node.file = CopyOnWrite<FileNode>(std::move(file));
  change_entries(place.directory, {{place.directory, place.name, add_node(std::move(node))}});
  return 0;
}

int DiskState::make_directory(std::string_view path) {
  const Place place = place_of(path);
  if (path.empty() || place.node != kNoNode) return EEXIST;
  if (place.directory == kNoNode) return ENOENT;
  const CopyOnWrite<Entries> none{Entries{}};
  Node node;
  node.directory = CopyOnWrite<DirectoryNode>(DirectoryNode{none, none});
  change_entries(place.directory, {{place.directory, place.name, add_node(std::move(node))}});
  return 0;
}

// One journalled change, durable with the directory it moves to: file systems never lose a file
// between two directories, but may show it in its old place until the new one is synced.
int DiskState::rename(std::string_view from, std::string_view to) {
  const Place source = place_of(from);
  const Place target = place_of(to);
  if (source.node == kNoNode || target.directory == kNoNode) return ENOENT;
  if (source.node == target.node) return 0;
  if (target.node != kNoNode) {
    const Node& replaced = nodes_[target.node];
    if (replaced.directory && !nodes_[source.node].directory) return EISDIR;
    if (!replaced.directory && nodes_[source.node].directory) return ENOTDIR;
    if (replaced.directory && !replaced.directory->cached->empty()) return ENOTEMPTY;
  }
  if (nodes_[source.node].directory && to.starts_with(std::string(from) + "/")) return EINVAL;
  const bool replaces_file = target.node != kNoNode && nodes_[target.node].file;
  if (replaces_file) nodes_[target.node].file.edit().named = false;
  change_entries(target.directory, {{source.directory, source.name, kNoNode},
                                    {target.directory, target.name, source.node}});
  if (target.node != kNoNode && !replaces_file && !tracked_) free_node(target.node);
  return 0;
}

int DiskState::remove_file(std::string_view path) {
  const Place place = place_of(path);
  if (path.empty()) return EISDIR;
  if (place.node == kNoNode) return ENOENT;
  if (nodes_[place.node].directory) return EISDIR;
  nodes_[place.node].file.edit().named = false;
  change_entries(place.directory, {{place.directory, place.name, kNoNode}});
  return 0;
}

int DiskState::remove_directory(std::string_view path) {
  const Place place = place_of(path);
  if (path.empty()) return EBUSY;
  if (place.node == kNoNode) return ENOENT;
  if (!nodes_[place.node].directory) return ENOTDIR;
  if (!nodes_[place.node].directory->cached->empty()) return ENOTEMPTY;
  change_entries(place.directory, {{place.directory, place.name, kNoNode}});
  if (!tracked_) free_node(place.node);
  return 0;
}

void DiskState::add_pending(FileNode& file, PendingWrite write) {
  file.version++;
  version_++;
  if (!tracked_) return;
  write.sequence = ++sequence_;
  file.pending.push_back(std::move(write));
}

void DiskState::write(NodeId id, std::uint64_t offset, BytesView bytes) {
  if (bytes.empty()) return;
  FileNode& file = nodes_[id].file.edit();
  const std::uint64_t end = offset + bytes.size();
  PendingWrite write;
  write.offset = offset;
  if (tracked_) write.bytes = std::make_shared<const Bytes>(bytes.begin(), bytes.end());
  if (end > file.cached->size()) write.size_after = end;
  file.cached.edit().write(offset, bytes);
  add_pending(file, std::move(write));
}

void DiskState::resize(NodeId id, std::uint64_t size) {
  FileNode& file = nodes_[id].file.edit();
  if (size < file.preallocated) file.preallocated = size;
  PendingWrite write;
  write.kind = PendingWrite::Kind::resize;
  write.size_after = size;
  file.cached.edit().resize(size);
  add_pending(file, std::move(write));
}

void DiskState::preallocate(NodeId id, std::uint64_t size) {
  if (size > nodes_[id].file->cached->size()) resize(id, size);
  FileNode& file = nodes_[id].file.edit();
  file.preallocated = std::max(file.preallocated, size);
}

void DiskState::sync_file(NodeId id) {
  if (!tracked_ || nodes_[id].file->pending.empty()) return;
  version_++;
  FileNode& file = nodes_[id].file.edit();
  if (file.unknown_sectors.empty() && std::ranges::none_of(file.pending, &PendingWrite::unknown)) {
    file.durable = file.cached;
    file.pending.clear();
    return;
  }
  std::vector<PendingWrite> kept;
  for (PendingWrite& write : file.pending) {
    if (write.unknown || touches_unknown(file, write)) {
      write.unknown = true;
      kept.push_back(std::move(write));
    } else {
      apply(file.durable.edit(), write);
    }
  }
  file.pending = std::move(kept);
}

void DiskState::fail_sync_file(NodeId id, SeededRandom& random) {
  if (!tracked_ || nodes_[id].file->pending.empty()) return;
  version_++;
  enum class Cache : std::uint8_t { keeps, loses, half_keeps };
  const auto cache = static_cast<Cache>(random.below(3));
  FileNode& file = nodes_[id].file.edit();
  for (PendingWrite& write : file.pending) {
    write.unknown = true;
    mark_unknown_sectors(file, write);
  }
  file.version++;
  for (const std::uint64_t sector : file.unknown_sectors) {
    if (cache == Cache::loses || (cache == Cache::half_keeps && random.one_in(2))) {
      evict_sector(file, sector);
    }
  }
}

void DiskState::make_durable(const PendingEntries& change) {
  for (const EntryChange& each : change.changes) {
    set_entry(nodes_[each.directory].directory.edit().durable, each.name, each.node);
    // An older change still waiting for another directory must not overrule this one later.
    for (PendingEntries& older : pending_entries_) {
      if (older.sequence >= change.sequence) break;
      std::erase_if(older.changes, [&](const EntryChange& entry) {
        return entry.directory == each.directory && entry.name == each.name;
      });
    }
  }
}

// A name stays unknown after a failed sync, whatever is done to it later.
bool DiskState::follows_unknown(std::size_t index) const {
  for (std::size_t i = 0; i < index; ++i) {
    if (!pending_entries_[i].unknown) continue;
    for (const EntryChange& older : pending_entries_[i].changes) {
      for (const EntryChange& newer : pending_entries_[index].changes) {
        if (older.directory == newer.directory && older.name == newer.name) return true;
      }
    }
  }
  return false;
}

void DiskState::sync_directory(NodeId id) {
  const auto settled = [id](const PendingEntries& change) {
    return change.durable_with == id && !change.unknown;
  };
  for (std::size_t i = 0; i < pending_entries_.size(); ++i) {
    PendingEntries& change = pending_entries_[i];
    if (!settled(change)) continue;
    version_++;
    change.unknown = follows_unknown(i);
    if (!change.unknown) make_durable(PendingEntries(change));
  }
  std::erase_if(pending_entries_, settled);
}

void DiskState::fail_sync_directory(NodeId id) {
  for (PendingEntries& change : pending_entries_) {
    if (change.durable_with != id) continue;
    change.unknown = true;
    version_++;
  }
}

std::uint64_t DiskState::bytes_used(const std::set<NodeId>& open) const {
  std::uint64_t used = 0;
  for (NodeId id = kRootNode; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (!node.file || !(node.file->named || open.contains(id))) continue;
    used += kSectorBytes + charge(*node.file, node.file->cached->size());
  }
  return used;
}

std::uint64_t DiskState::bytes_needed(NodeId id, std::uint64_t size) const {
  const FileNode& file = *nodes_[id].file;
  const std::uint64_t now = charge(file, file.cached->size());
  return std::max(charge(file, size), now) - now;
}

void DiskState::collect(const std::set<NodeId>& open) {
  std::vector<bool> named(nodes_.size(), false);
  named[kRootNode] = true;
  for (const NodeId id : open) named[id] = true;
  for (const PendingEntries& pending : pending_entries_) {
    for (const EntryChange& change : pending.changes) named[change.node] = true;
  }
  for (const Node& node : nodes_) {
    if (!node.directory) continue;
    for (const auto& [name, id] : *node.directory->cached) named[id] = true;
    for (const auto& [name, id] : *node.directory->durable) named[id] = true;
  }
  for (std::size_t id = 1; id < nodes_.size(); ++id) {
    if (!named[id]) nodes_[id] = Node{};
  }
}

}  // namespace otolith::io
