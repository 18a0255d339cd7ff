// A whole simulated disk with its page cache, as a value: what is durable, what is only pending.
//
// Role:    the failure model of docs/testing.md; SimDisk puts processes, locks and faults on top of
//          it, and power_loss.h turns it into what a crash leaves.
//
//          per file       durable content | cached content | pending writes and resizes, in order
//          per directory  durable entries | cached entries
//          per disk       pending changes of entries, in order
//
// Shapes:  node 1 is the root directory; sequence numbers order all pending changes of a disk.
// Errors:  an errno, 0 for success: this is a model of a kernel, not of our library.
// Threads: thread-compatible; copies cost one pointer per node.
// Why:     a value, so that recording a run keeps the state after every operation and power loss is
//          a function from state to state.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/copy_on_write.h"
#include "io/paged_bytes.h"
#include "io/random.h"

namespace otolith::io {

using NodeId = std::uint32_t;  // inode number on the simulated disk
inline constexpr NodeId kNoNode = 0;
inline constexpr NodeId kRootNode = 1;

/// A change of a file that is in the page cache and may or may not be on the disk.
struct PendingWrite {
  enum class Kind : std::uint8_t { write, resize };
  Kind kind = Kind::write;
  bool unknown = false;  // part of a failed sync: later syncs prove nothing about it
  std::uint64_t sequence = 0;
  std::uint64_t offset = 0;
  std::shared_ptr<const Bytes> bytes;  // of a write
  std::uint64_t size_after = 0;        // of a resize, and of a write that grows the file; else 0
};

struct FileNode {
  CopyOnWrite<PagedBytes> durable;
  CopyOnWrite<PagedBytes> cached;
  std::vector<PendingWrite> pending;        // ascending by sequence
  std::set<std::uint64_t> unknown_sectors;  // written, then named by a failed sync
  std::uint64_t preallocated = 0;           // bytes reserved
  bool named = true;                        // an entry of the cache names it
  std::uint64_t version = 0;                // goes up when the cached content changes
};

using Entries = std::map<std::string, NodeId, std::less<>>;

struct DirectoryNode {
  CopyOnWrite<Entries> durable;
  CopyOnWrite<Entries> cached;
};

/// One of the two is set; neither for a node that is gone.
struct Node {
  CopyOnWrite<FileNode> file;
  CopyOnWrite<DirectoryNode> directory;
};

/// What one change does to one name; node kNoNode removes it.
struct EntryChange {
  NodeId directory = kNoNode;
  std::string name;
  NodeId node = kNoNode;
};

/// A create, remove or rename that may or may not be on the disk; whole or not at all.
struct PendingEntries {
  bool unknown = false;  // part of a failed sync of its directory
  std::uint64_t sequence = 0;
  std::vector<EntryChange> changes;
  NodeId durable_with = kNoNode;  // the directory whose sync makes it durable
};

class DiskState {
 public:
  /// `tracked` false: nothing is pending, everything is as if durable (`:memory:`).
  explicit DiskState(bool tracked = true);

  NodeId lookup(std::string_view path) const;  // in the cache; kNoNode if missing
  const Node& node(NodeId id) const { return nodes_[id]; }
  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  const std::vector<PendingEntries>& pending_entries() const noexcept { return pending_entries_; }
  bool tracked() const noexcept { return tracked_; }
  /// Goes up when anything changes, or becomes durable or unknown.
  std::uint64_t version() const noexcept { return version_; }

  int create_file(std::string_view path);
  int make_directory(std::string_view path);
  int rename(std::string_view from, std::string_view to);
  int remove_file(std::string_view path);
  int remove_directory(std::string_view path);

  void write(NodeId id, std::uint64_t offset, BytesView bytes);
  void resize(NodeId id, std::uint64_t size);
  void preallocate(NodeId id, std::uint64_t size);

  void sync_file(NodeId id);
  void sync_directory(NodeId id);
  /// A sync that fails: the cache keeps, loses or half keeps what was pending, as `random` says;
  /// what of it is on the disk is unknown from now on.
  void fail_sync_file(NodeId id, SeededRandom& random);
  void fail_sync_directory(NodeId id);

  /// Bytes charged against a space limit: whole pages of files that are open or have a name, and a
  /// sector per file.
  std::uint64_t bytes_used(const std::set<NodeId>& open) const;
  /// What a write that makes this file `size` long would add to bytes_used().
  std::uint64_t bytes_needed(NodeId id, std::uint64_t size) const;
  /// Frees files that no entry, pending change or open file names any more.
  void collect(const std::set<NodeId>& open);
  /// Where nothing is tracked: frees a file that has no name and that nobody has open, and gives
  /// its id out again. Whether it did.
  bool release(NodeId id);

  /// For power_loss.h: the nodes alone, and a node in place of another.
  DiskState without_pending_entries() const;
  void put_node(NodeId id, Node node) { nodes_[id] = std::move(node); }

 private:
  struct Place {
    NodeId directory = kNoNode;  // kNoNode if the directory is missing
    std::string name;
    NodeId node = kNoNode;  // kNoNode if there is no such entry
  };
  DiskState(bool tracked, std::vector<Node> nodes) : tracked_(tracked), nodes_(std::move(nodes)) {}
  Place place_of(std::string_view path) const;
  NodeId add_node(Node node);
  void free_node(NodeId id);
  void change_entries(NodeId durable_with, std::vector<EntryChange> changes);
  bool follows_unknown(std::size_t index) const;
  void make_durable(const PendingEntries& change);
  void add_pending(FileNode& file, PendingWrite write);

  bool tracked_;
  std::uint64_t sequence_ = 0;
  std::uint64_t version_ = 0;
  std::vector<Node> nodes_;   // by id
  std::vector<NodeId> free_;  // ids to give out again; none if tracked: pending changes name them
  std::vector<PendingEntries> pending_entries_;
};

/// Sets one name of a directory, or removes it (node kNoNode).
void set_entry(CopyOnWrite<Entries>& entries, const std::string& name, NodeId node);

}  // namespace otolith::io
