#include "io/posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "io/path.h"
#include "io/posix_file.h"

namespace otolith::io {

namespace {

constexpr ::mode_t kFileMode = 0666;  // the user's umask decides
constexpr ::mode_t kDirMode = 0777;

// Closes at the end of a scope; for descriptors that no lock is ever taken on.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

int open_retried(int directory, const char* path, int flags) {
  return retried([&] { return ::openat(directory, path, flags | O_CLOEXEC, kFileMode); });
}

class PosixVfs final : public Vfs {
 public:
  PosixVfs(int root, std::string shown, PosixOptions options)
      : root_(root), shown_(std::move(shown)), options_(options), read_only_(find_read_only()) {}

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
  bool read_only() const noexcept override { return read_only_; }
  bool maps_follow_writes() const noexcept override { return options_.mmap; }
  std::string describe(const std::string& path) const override {
    return path.empty() ? shown_ : shown_ + "/" + path;
  }

 private:
  [[noreturn]] void fail(int number, const char* verb, const std::string& path) const {
    throw_os_error(number, {verb, describe(path), path});
  }
  bool find_read_only() const noexcept;
  const char* checked(const std::string& path) const;
  const char* checked_for_writing(const std::string& path, const char* verb) const;

  const Descriptor root_;
  const std::string shown_;
  const PosixOptions options_;
  const bool read_only_;
};

bool PosixVfs::find_read_only() const noexcept {
  if (options_.read_only) return true;
  struct ::statvfs found;
  if (::fstatvfs(root_.get(), &found) == 0 && (found.f_flag & ST_RDONLY) != 0) return true;
  return ::faccessat(root_.get(), ".", W_OK, AT_EACCESS) != 0;
}

const char* PosixVfs::checked(const std::string& path) const {
  check_path(path);
  return path.empty() ? "." : path.c_str();
}

const char* PosixVfs::checked_for_writing(const std::string& path, const char* verb) const {
  if (options_.read_only) {
    throw_error(ErrorCode::unauthorized,
                "cannot {} {}: it was opened with read_only=True; open it for writing", verb,
                describe(path));
  }
  return checked(path);
}

// Whether the time of a read is due to be noted takes an eighth of a read of the lock page to ask.
// Who does not own the file may not say so: then it is noted.
static void read_unnoted(int descriptor) noexcept {
#ifdef O_NOATIME
  (void)::fcntl(descriptor, F_SETFL, O_NONBLOCK | O_NOATIME);
#endif
}

std::unique_ptr<File> PosixVfs::open(const std::string& path, OpenMode mode) {
  const bool writable = mode != OpenMode::read;
  const char* const verb = mode == OpenMode::create ? "create" : "open";
  const char* const name = writable ? checked_for_writing(path, verb) : checked(path);
  int flags = (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK;  // a pipe would be waited for
  if (mode == OpenMode::create) flags |= O_CREAT | O_EXCL;
  auto descriptor = std::make_unique<OwnedDescriptor>(
      writable ? OwnedDescriptor::InChild::close : OwnedDescriptor::InChild::keep,
      [&] { return open_retried(root_.get(), name, flags); });
  if (descriptor->get() < 0) fail(errno, verb, path);
  struct ::stat found{};
  if (::fstat(descriptor->get(), &found) == 0 && S_ISFIFO(found.st_mode)) {
    throw_error(ErrorCode::invalid_argument, "{} is a pipe; give a file", describe(path));
  }
  if (!writable) read_unnoted(descriptor->get());
  return std::make_unique<PosixFile>(std::move(descriptor),
                                     PosixFileSetup{path, describe(path), writable, options_.mmap});
}

std::optional<FileStat> PosixVfs::stat(const std::string& path) {
  FileStat found;
  const int error = stat_at(root_.get(), checked(path), found);
  if (error == ENOENT || error == ENOTDIR) return std::nullopt;
  if (error != 0) fail(error, "stat", path);
  return found;
}

std::vector<std::string> PosixVfs::list(const std::string& directory) {
  Descriptor descriptor(open_retried(root_.get(), checked(directory), O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) fail(errno, "list", directory);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(descriptor.get()), &::closedir);
  if (!stream) fail(errno, "list", directory);
  (void)descriptor.release();  // the stream owns it now
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const struct ::dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail(errno, "list", directory);
  std::ranges::sort(names);
  return names;
}

bool PosixVfs::make_dir(const std::string& directory) {
  if (::mkdirat(root_.get(), checked_for_writing(directory, "create"), kDirMode) == 0) return true;
  if (errno != EEXIST) fail(errno, "create", directory);
  return false;
}

void PosixVfs::sync_dir(const std::string& directory) {
  const Descriptor descriptor(
      open_retried(root_.get(), checked_for_writing(directory, "sync"), O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) {
    const int number = errno;
    try {
      fail(number, "sync", directory);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);
    }
  }
  if (retried([&] { return ::fsync(descriptor.get()); }) == 0) return;
  // Some network file systems refuse to sync a directory because they never delay its entries.
  if (errno != EINVAL) fail(errno, "sync", directory);
}

void PosixVfs::rename(const std::string& from, const std::string& to) {
  const char* const source = checked_for_writing(from, "rename");
  if (::renameat(root_.get(), source, root_.get(), checked_for_writing(to, "rename")) != 0) {
    fail(errno, "rename", from);
  }
}

void PosixVfs::rename_new(const std::string& from, const std::string& to) {
  const char* const source = checked_for_writing(from, "rename");
  const char* const target = checked_for_writing(to, "rename");
  if (::renameat2(root_.get(), source, root_.get(), target, RENAME_NOREPLACE) == 0) return;
  const bool unknown = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
  if (!unknown) fail(errno, "rename", from);
  if (exists(to)) fail(EEXIST, "rename", from);
  rename(from, to);
}

void PosixVfs::remove(const std::string& path) {
  if (::unlinkat(root_.get(), checked_for_writing(path, "remove"), 0) == 0) return;
  if (errno != ENOENT) fail(errno, "remove", path);
}

void PosixVfs::remove_dir(const std::string& path) {
  if (::unlinkat(root_.get(), checked_for_writing(path, "remove"), AT_REMOVEDIR) != 0) {
    fail(errno, "remove", path);
  }
}

std::uint64_t PosixVfs::space_left() {
  struct ::statvfs found;
  if (::fstatvfs(root_.get(), &found) != 0) fail(errno, "measure the space of", "");
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

// Makes the root and its entry in the directory above durable: a database that vanishes with its
// name after power loss was never durable.
void make_root(const std::string& root) {
  if (::mkdir(root.c_str(), kDirMode) != 0) {
    if (errno == EEXIST) return;
    if (errno == ENOENT) {
      throw_error(ErrorCode::not_found,
                  "cannot create {}: the directory above it does not exist; make that first", root);
    }
    throw_os_error(errno, {"create", root, ""});
  }
  const Descriptor above(open_retried(AT_FDCWD, (root + "/..").c_str(), O_RDONLY | O_DIRECTORY));
  if (above.get() < 0) return;  // a parent that may not be read cannot be synced by us
  if (retried([&] { return ::fsync(above.get()); }) != 0 && errno != EINVAL) {
    throw_os_error(errno, {"sync the directory above", root, ""});
  }
}

}  // namespace

std::unique_ptr<Vfs> posix_vfs(const std::string& root, PosixOptions options) {
  std::string shown = root;
  while (shown.size() > 1 && shown.ends_with('/')) shown.pop_back();
  if (shown.empty() || shown.find('\0') != std::string::npos) {
    throw_error(ErrorCode::invalid_argument, "{} names no directory", quoted(root));
  }
  if (options.create) make_root(shown);
  Descriptor directory(open_retried(AT_FDCWD, shown.c_str(), O_RDONLY | O_DIRECTORY));
  if (directory.get() < 0 && errno == ENOTDIR) {
    throw_error(ErrorCode::invalid_argument,
                "{} is a file, and a database is a directory; give a new or an empty directory",
                shown);
  }
  if (directory.get() < 0 && errno == ENOENT) {
    throw_error(
        ErrorCode::not_found,
        "there is no {}; `otolith init` or open with create=True (and no read_only) makes one",
        shown);
  }
  if (directory.get() < 0) throw_os_error(errno, {"open the directory", shown, ""});
  return std::make_unique<PosixVfs>(directory.release(), shown, options);
}

}  // namespace otolith::io
