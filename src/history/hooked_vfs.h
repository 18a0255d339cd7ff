// A file system that calls something before a sync or an open: what others do just then.
//
// Role:    unit tests of moments between two calls.
// Shapes:  all else goes through to the file system it stands on.
// Errors:  those of that file system, and of what is called.
// Threads: thread-compatible.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/vfs.h"

namespace otolith::history {

class HookedFile final : public io::File {
 public:
  HookedFile(std::unique_ptr<io::File> file, std::function<void()>& before_sync)
      : file_(std::move(file)), before_sync_(before_sync) {}

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return file_->read_at(offset, out);
  }
  void write_at(std::uint64_t offset, BytesView bytes) override { file_->write_at(offset, bytes); }
  void sync() override {
    if (const auto call = std::exchange(before_sync_, nullptr)) call();
    file_->sync();
  }
  void write_back(std::uint64_t offset, std::uint64_t bytes) override {
    file_->write_back(offset, bytes);
  }
  void preallocate(std::uint64_t size) override { file_->preallocate(size); }
  void truncate(std::uint64_t size) override { file_->truncate(size); }
  io::FileStat stat() const override { return file_->stat(); }
  std::unique_ptr<io::Mapping> map(std::uint64_t size) override { return file_->map(size); }
  bool try_lock(std::uint64_t byte, bool exclusive) override {
    return file_->try_lock(byte, exclusive);
  }
  void unlock(std::uint64_t byte) override { file_->unlock(byte); }

 private:
  const std::unique_ptr<io::File> file_;
  std::function<void()>& before_sync_;
};

class HookedVfs final : public io::Vfs {
 public:
  explicit HookedVfs(std::unique_ptr<io::Vfs> vfs) : vfs_(std::move(vfs)) {}

  std::function<void()> before_sync;                         // of any file; once
  std::function<void(const std::string& path)> before_open;  // of every file

  std::unique_ptr<io::File> open(const std::string& path, io::OpenMode mode) override {
    if (before_open) before_open(path);
    return std::make_unique<HookedFile>(vfs_->open(path, mode), before_sync);
  }
  bool exists(const std::string& path) override { return vfs_->exists(path); }
  std::optional<io::FileStat> stat(const std::string& path) override { return vfs_->stat(path); }
  std::vector<std::string> list(const std::string& directory) override {
    return vfs_->list(directory);
  }
  bool make_dir(const std::string& directory) override { return vfs_->make_dir(directory); }
  void sync_dir(const std::string& directory) override { vfs_->sync_dir(directory); }
  void rename(const std::string& from, const std::string& to) override { vfs_->rename(from, to); }
  void rename_new(const std::string& from, const std::string& to) override {
    vfs_->rename_new(from, to);
  }
  void remove(const std::string& path) override { vfs_->remove(path); }
  void remove_dir(const std::string& path) override { vfs_->remove_dir(path); }
  std::uint64_t space_left() override { return vfs_->space_left(); }
  bool read_only() const noexcept override { return vfs_->read_only(); }
  std::string describe(const std::string& path) const override { return vfs_->describe(path); }

 private:
  const std::unique_ptr<io::Vfs> vfs_;
};

}  // namespace otolith::history
