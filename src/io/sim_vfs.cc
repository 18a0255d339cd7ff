#include "io/sim_vfs.h"

#include <cerrno>

#include "base/error.h"
#include "io/path.h"

namespace otolith::io {

namespace {

constexpr std::uint64_t kSimDevice = 0x51d;

enum class Changes : bool { nothing, disk };

// One call of one process: counts it, fails it if a fault is due, runs it, reports what it changed.
// `body(core, fault)` returns an errno; it is asked even when a fault is due, for half-done calls.
template <typename Body>
void call(SimDisk::Shared& shared, ProcessId process, const CallNote& note, Changes changes,
          Body body) {
  int error = 0;
  {
    const MutexLock lock(shared.mutex);
    SimDisk::Core& core = shared.core;
    if (!core.alive(process)) {
      throw_error(ErrorCode::io, "cannot {} {}{}: this simulated process was killed",
                  verb_of(note.operation), shared.shown, note.path);
    }
    const std::optional<Fault> fault = core.faults().meet(note.operation);
    error = body(core, fault ? &*fault : nullptr);
    if (changes == Changes::disk) core.changed(note);
  }
  if (error != 0) {
    throw_os_error(error, {verb_of(note.operation), shared.shown + note.path, note.path});
  }
}

// For calls that a fault stops before they do anything.
template <typename Body>
auto unless_faulty(Body body) {
  return [body](SimDisk::Core& core, const Fault* fault) {
    return fault != nullptr ? fault->error : body(core);
  };
}

class SharedCopyMapping final : public Mapping {
 public:
  SharedCopyMapping(std::shared_ptr<const AlignedBuffer> bytes, std::size_t size)
      : bytes_(std::move(bytes)), size_(size) {}
  BytesView bytes() const noexcept override { return bytes_->view().first(size_); }

 private:
  const std::shared_ptr<const AlignedBuffer> bytes_;
  const std::size_t size_;
};

struct SimFileSetup {
  ProcessId process = 0;
  NodeId node = kNoNode;
  OpenFileId file = 0;
  std::string path;
  bool writable = false;
};

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimDisk::Shared> shared, SimFileSetup setup)
      : shared_(std::move(shared)), setup_(std::move(setup)) {}
  ~SimFile() override {
    const MutexLock lock(shared_->mutex);
    shared_->core.close_file(setup_.file);
  }

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t got = 0;
    run(Operation::read, offset, out.size(), Changes::nothing,
        unless_faulty([&](SimDisk::Core& core) {
          got = content(core).read(offset, out);
          return 0;
        }));
    return got;
  }

  void write_at(std::uint64_t offset, BytesView bytes) override {
    require_writable(Operation::write);
    run(Operation::write, offset, bytes.size(), Changes::disk,
        [&](SimDisk::Core& core, const Fault* fault) {
          return core.write(setup_.node, offset, bytes, fault);
        });
  }

  void sync() override {
    run(Operation::sync, 0, 0, Changes::disk, [&](SimDisk::Core& core, const Fault* fault) {
      if (fault == nullptr) {
        core.state().sync_file(setup_.node);
        return 0;
      }
      core.state().fail_sync_file(setup_.node, core.random());
      return fault->error;
    });
  }

  void write_back(std::uint64_t offset, std::uint64_t bytes) override {
    run(Operation::write_back, offset, bytes, Changes::nothing,
        [](SimDisk::Core&, const Fault*) { return 0; });
  }

  void preallocate(std::uint64_t size) override {
    require_writable(Operation::preallocate);
    run(Operation::preallocate, 0, size, Changes::disk,
        unless_faulty([&](SimDisk::Core& core) { return core.preallocate(setup_.node, size); }));
  }

  void truncate(std::uint64_t size) override {
    require_writable(Operation::truncate);
    run(Operation::truncate, 0, size, Changes::disk, unless_faulty([&](SimDisk::Core& core) {
          core.state().resize(setup_.node, size);
          return 0;
        }));
  }

  FileStat stat() const override {
    FileStat found;
    run(Operation::stat, 0, 0, Changes::nothing, unless_faulty([&](SimDisk::Core& core) {
          found = {content(core).size(), kSimDevice, setup_.node};
          return 0;
        }));
    return found;
  }

  std::unique_ptr<Mapping> map(std::uint64_t size) override {
    std::shared_ptr<const AlignedBuffer> bytes;
    run(Operation::map, 0, size, Changes::nothing, unless_faulty([&](SimDisk::Core& core) {
          bytes = core.contiguous(setup_.node);
          return 0;
        }));
    if (size > bytes->size()) {
      throw_error(ErrorCode::invalid_argument, "cannot map {} bytes of {}{}: it has only {}", size,
                  shared_->shown, setup_.path, bytes->size());
    }
    return std::make_unique<SharedCopyMapping>(std::move(bytes), static_cast<std::size_t>(size));
  }

  bool try_lock(std::uint64_t byte, bool exclusive) override {
    require_writable(Operation::lock);
    bool got = false;
    run(Operation::lock, byte, 1, Changes::nothing, unless_faulty([&](SimDisk::Core& core) {
          got = core.try_lock(setup_.file, byte, exclusive);
          return 0;
        }));
    return got;
  }

  void unlock(std::uint64_t byte) override {
    run(Operation::unlock, byte, 1, Changes::nothing, [&](SimDisk::Core& core, const Fault*) {
      core.unlock(setup_.file, byte);
      return 0;
    });
  }

 private:
  template <typename Body>
  void run(Operation operation, std::uint64_t offset, std::uint64_t bytes, Changes changes,
           Body body) const {
    call(*shared_, setup_.process, {operation, setup_.path, offset, bytes, {}}, changes, body);
  }

  const PagedBytes& content(SimDisk::Core& core) const {
    return *core.state().node(setup_.node).file->cached;
  }

  void require_writable(Operation operation) const {
    if (setup_.writable) return;
    throw_error(ErrorCode::invalid_argument, "to {} {}{} open it with OpenMode::read_write",
                verb_of(operation), shared_->shown, setup_.path);
  }

  const std::shared_ptr<SimDisk::Shared> shared_;
  const SimFileSetup setup_;
};

}  // namespace

SimVfs::SimVfs(std::shared_ptr<SimDisk::Shared> shared, AttachOptions options)
    : shared_(std::move(shared)), options_(options), process_([this] {
        const MutexLock lock(shared_->mutex);
        return shared_->core.start_process();
      }()) {}

// The process lives on in its open files, as descriptors outlive the object that opened them.
SimVfs::~SimVfs() = default;

void SimVfs::require_writable(std::string_view verb, const std::string& path) const {
  if (!options_.read_only) return;
  throw_error(ErrorCode::unauthorized,
              "cannot {} {}: it was opened with read_only=True; open it for writing", verb,
              describe(path));
}

std::unique_ptr<File> SimVfs::open(const std::string& path, OpenMode mode) {
  check_path(path);
  const bool creates = mode == OpenMode::create;
  const Operation operation = creates ? Operation::create : Operation::open;
  const bool writable = mode != OpenMode::read;
  if (writable) require_writable(verb_of(operation), path);
  SimFileSetup setup{process_, kNoNode, 0, path, writable};
  call(*shared_, process_, {operation, path, 0, 0, {}}, creates ? Changes::disk : Changes::nothing,
       unless_faulty([&](SimDisk::Core& core) {
         DiskState& state = core.state();
         if (creates) {
           if (const int error = state.create_file(path); error != 0) return error;
         }
         setup.node = state.lookup(path);
         if (setup.node == kNoNode) return ENOENT;
         if (!state.node(setup.node).file) return EISDIR;
         setup.file = core.open_file(process_, setup.node);
         return 0;
       }));
  return std::make_unique<SimFile>(shared_, std::move(setup));
}

std::optional<FileStat> SimVfs::stat(const std::string& path) {
  check_path(path);
  std::optional<FileStat> found;
  call(*shared_, process_, {Operation::stat, path, 0, 0, {}}, Changes::nothing,
       unless_faulty([&](SimDisk::Core& core) {
         const NodeId node = core.state().lookup(path);
         if (node == kNoNode) return 0;
         const Node& there = core.state().node(node);
         found = FileStat{there.file ? there.file->cached->size() : 0, kSimDevice, node};
         return 0;
       }));
  return found;
}

std::vector<std::string> SimVfs::list(const std::string& directory) {
  check_path(directory);
  std::vector<std::string> names;
  call(*shared_, process_, {Operation::list, directory, 0, 0, {}}, Changes::nothing,
       unless_faulty([&](SimDisk::Core& core) {
         const NodeId node = core.state().lookup(directory);
         if (node == kNoNode) return ENOENT;
         const Node& there = core.state().node(node);
         if (!there.directory) return ENOTDIR;
         for (const auto& [name, id] : *there.directory->cached) names.push_back(name);
         return 0;
       }));
  return names;
}

bool SimVfs::make_dir(const std::string& directory) {
  check_path(directory);
  require_writable("create", directory);
  bool made = true;
  call(*shared_, process_, {Operation::make_dir, directory, 0, 0, {}}, Changes::disk,
       unless_faulty([&](SimDisk::Core& core) {
         const int error = core.state().make_directory(directory);
         made = error != EEXIST;
         return made ? error : 0;
       }));
  return made;
}

void SimVfs::sync_dir(const std::string& directory) {
  check_path(directory);
  require_writable("sync", directory);
  call(*shared_, process_, {Operation::sync_dir, directory, 0, 0, {}}, Changes::disk,
       [&](SimDisk::Core& core, const Fault* fault) {
         const NodeId node = core.state().lookup(directory);
         if (node == kNoNode) return ENOENT;
         if (!core.state().node(node).directory) return ENOTDIR;
         if (fault == nullptr) {
           core.state().sync_directory(node);
           core.collect_garbage();
           return 0;
         }
         if (fault->error != EMFILE && fault->error != ENFILE) {
           core.state().fail_sync_directory(node);
         }
         return fault->error;
       });
}

void SimVfs::rename(const std::string& from, const std::string& to) {
  check_path(from);
  check_path(to);
  require_writable("rename", from);
  call(*shared_, process_, {Operation::rename, from, 0, 0, to}, Changes::disk,
       unless_faulty([&](SimDisk::Core& core) {
         const NodeId replaced = core.state().lookup(to);
         const int error = core.state().rename(from, to);
         core.release(replaced);
         return error;
       }));
}

void SimVfs::rename_new(const std::string& from, const std::string& to) {
  check_path(from);
  check_path(to);
  require_writable("rename", from);
  call(*shared_, process_, {Operation::rename, from, 0, 0, to}, Changes::disk,
       unless_faulty([&](SimDisk::Core& core) {
         return core.state().lookup(to) != kNoNode ? EEXIST : core.state().rename(from, to);
       }));
}

void SimVfs::remove(const std::string& path) {
  check_path(path);
  require_writable("remove", path);
  call(*shared_, process_, {Operation::remove, path, 0, 0, {}}, Changes::disk,
       unless_faulty([&](SimDisk::Core& core) {
         const NodeId removed = core.state().lookup(path);
         const int error = core.state().remove_file(path);
         core.release(removed);
         return error == ENOENT ? 0 : error;
       }));
}

void SimVfs::remove_dir(const std::string& path) {
  check_path(path);
  require_writable("remove", path);
  call(*shared_, process_, {Operation::remove_dir, path, 0, 0, {}}, Changes::disk,
       unless_faulty([&](SimDisk::Core& core) { return core.state().remove_directory(path); }));
}

std::uint64_t SimVfs::space_left() {
  std::uint64_t left = 0;
  call(*shared_, process_, {Operation::space_left, "", 0, 0, {}}, Changes::nothing,
       unless_faulty([&](SimDisk::Core& core) {
         left = core.space_left();
         return 0;
       }));
  return left;
}

}  // namespace otolith::io
