// A simulated process's view of a simulated disk.
//
// Role:    Vfs over SimDisk::Core.
// Shapes:  as vfs.h. A Mapping is a copy of the bytes at map time, shared by maps of the same
//          content.
// Errors:  as SimDisk.
// Threads: thread-safe.
// Why:     every call goes through one function, which counts it, fails it if a fault is due, and
//          tells the observer.
#pragma once

#include "io/os_error.h"
#include "io/sim_core.h"

namespace otolith::io {

class SimVfs final : public Vfs {
 public:
  SimVfs(std::shared_ptr<SimDisk::Shared> shared, AttachOptions options);
  ~SimVfs() override;

  std::unique_ptr<File> open(const std::string& path, OpenMode mode) override;
  bool exists(const std::string& path) override { return stat(path).has_value(); }
  std::optional<FileStat> stat(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  bool make_dir(const std::string& directory) override;
  void sync_dir(const std::string& directory) override;
  void rename(const std::string& from, const std::string& to) override;
  void rename_new(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void remove_dir(const std::string& path) override;
  std::uint64_t space_left() override;
  bool read_only() const noexcept override { return options_.read_only; }
  std::string describe(const std::string& path) const override { return shared_->shown + path; }

  ProcessId process() const noexcept { return process_; }
  bool runs_on(const SimDisk::Shared& disk) const noexcept { return shared_.get() == &disk; }

 private:
  void require_writable(std::string_view verb, const std::string& path) const;

  const std::shared_ptr<SimDisk::Shared> shared_;
  const AttachOptions options_;
  const ProcessId process_;
};

}  // namespace otolith::io
