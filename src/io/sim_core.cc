#include "io/sim_core.h"

#include <algorithm>
#include <cerrno>

namespace otolith::io {

namespace {

constexpr std::size_t kNodesBetweenCollections = 256;
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1}
                                          << 50;  // what an endless disk reports free

}  // namespace

SimDisk::Core::Core(DiskState state, SimDiskOptions options)
    : options_(std::move(options)), state_(std::move(state)), random_(options_.seed) {
  nodes_after_collection_ = state_.nodes().size();
}

ProcessId SimDisk::Core::start_process() {
  processes_.insert(++last_id_);
  return last_id_;
}

void SimDisk::Core::end_process(ProcessId process) {
  processes_.erase(process);
  for (auto at = open_files_.begin(); at != open_files_.end();) {
    const OpenFileId file = at->first;
    const bool mine = at->second.process == process;
    ++at;
    if (mine) close_file(file);
  }
}

void SimDisk::Core::lose_power(DiskState after) {
  processes_.clear();
  open_files_.clear();
  locks_.clear();
  contiguous_.clear();
  state_ = std::move(after);
}

OpenFileId SimDisk::Core::open_file(ProcessId process, NodeId node) {
  open_files_[++last_id_] = {process, node};
  return last_id_;
}

void SimDisk::Core::close_file(OpenFileId file) {
  const auto at = open_files_.find(file);
  if (at == open_files_.end()) return;
  const NodeId node = at->second.node;
  open_files_.erase(at);
  release_locks(file);
  release(node);
}

void SimDisk::Core::release(NodeId node) {
  const Node& there = state_.node(node);
  if (state_.tracked() || !there.file || there.file->named) return;
  const auto holds = [node](const auto& entry) { return entry.second.node == node; };
  if (std::ranges::any_of(open_files_, holds)) return;
  if (state_.release(node)) contiguous_.erase(node);  // its id comes back with another content
}

void SimDisk::Core::release_locks(OpenFileId file) {
  for (auto& [place, holders] : locks_) {
    if (holders.exclusive == file) holders.exclusive = 0;
    holders.shared.erase(file);
  }
  std::erase_if(locks_, [](const auto& entry) {
    return entry.second.exclusive == 0 && entry.second.shared.empty();
  });
}

bool SimDisk::Core::try_lock(OpenFileId file, std::uint64_t byte, bool exclusive) {
  Holders& holders = locks_[{open_files_.at(file).node, byte}];
  if (holders.exclusive != 0 && holders.exclusive != file) return false;
  const bool shared_with_others =
      std::ranges::any_of(holders.shared, [file](OpenFileId other) { return other != file; });
  if (exclusive && shared_with_others) return false;
  holders.shared.erase(file);
  holders.exclusive = exclusive ? file : 0;
  if (!exclusive) holders.shared.insert(file);
  return true;
}

void SimDisk::Core::unlock(OpenFileId file, std::uint64_t byte) {
  const auto found = locks_.find({open_files_.at(file).node, byte});
  if (found == locks_.end()) return;
  if (found->second.exclusive == file) found->second.exclusive = 0;
  found->second.shared.erase(file);
}

int SimDisk::Core::write(NodeId node, std::uint64_t offset, BytesView bytes, const Fault* fault) {
  std::size_t allowed = bytes.size();
  int error = 0;
  if (fault != nullptr) {
    error = fault->error;
    allowed = fault->short_write ? static_cast<std::size_t>(random_.below(bytes.size() + 1)) : 0;
  } else if (options_.space_bytes != 0 &&
             state_.bytes_needed(node, offset + bytes.size()) > space_left()) {
    error = ENOSPC;
    // Whole pages go in as long as there are any: a full disk writes short before it fails.
    std::uint64_t end = align_up(state_.node(node).file->cached->size(), kSimPageBytes);
    end += space_left() / kSimPageBytes * kSimPageBytes;
    allowed = end <= offset ? 0 : static_cast<std::size_t>(std::min(end - offset, bytes.size()));
  }
  state_.write(node, offset, bytes.first(allowed));
  return error;
}

int SimDisk::Core::preallocate(NodeId node, std::uint64_t size) {
  if (options_.space_bytes != 0 && state_.bytes_needed(node, size) > space_left()) return ENOSPC;
  state_.preallocate(node, size);
  return 0;
}

std::uint64_t SimDisk::Core::space_left() const {
  if (options_.space_bytes == 0) return kUnlimitedBytes;
  const std::uint64_t used = bytes_used();
  return options_.space_bytes - std::min(options_.space_bytes, used);
}

std::shared_ptr<const AlignedBuffer> SimDisk::Core::contiguous(NodeId node) {
  const FileNode& file = *state_.node(node).file;
  Contiguous& known = contiguous_[node];
  std::shared_ptr<const AlignedBuffer> bytes = known.bytes.lock();
  if (bytes && known.version == file.version) return bytes;
  AlignedBuffer copy(static_cast<std::size_t>(file.cached->size()));
  (void)file.cached->read(0, copy.span());
  bytes = std::make_shared<const AlignedBuffer>(std::move(copy));
  known = {file.version, bytes};
  return bytes;
}

std::set<NodeId> SimDisk::Core::open_nodes() const {
  std::set<NodeId> nodes;
  for (const auto& [id, file] : open_files_) nodes.insert(file.node);
  return nodes;
}

void SimDisk::Core::collect_garbage() {
  const std::size_t nodes = state_.nodes().size();
  if (nodes < nodes_after_collection_ + kNodesBetweenCollections) return;
  state_.collect(open_nodes());
  std::erase_if(contiguous_, [](const auto& entry) { return entry.second.bytes.expired(); });
  nodes_after_collection_ = nodes;
}

}  // namespace otolith::io
