#include "files/new_file.h"

#include <fmt/format.h>

#include <atomic>

#include "base/error.h"
#include "io/environment.h"
#include "io/posix.h"

namespace otolith::files {

SplitPath split_path(const std::string& path) {
  const std::size_t at = path.rfind('/');
  if (at == std::string::npos) return {".", path};
  return {at == 0 ? "/" : path.substr(0, at), path.substr(at + 1)};
}

namespace {

// Of no other file that is being written.
std::string unfinished_name() {
  static std::atomic<std::uint64_t> count{0};
  return fmt::format(".otolith-{}-{}.part", io::system_environment()->process_id(), count++);
}

}  // namespace

NewFile::NewFile(const std::string& path, bool replace)
    : path_(path),
      split_(split_path(path)),
      replace_(replace),
      vfs_(io::posix_vfs(split_.folder)),
      unfinished_(unfinished_name()) {
  if (split_.name.empty()) {
    throw_error(ErrorCode::invalid_argument, "{} is a folder; give the file to write",
                quoted(path));
  }
  if (!replace && vfs_->exists(split_.name)) {
    throw_error(ErrorCode::conflict, "{} is there already; --force replaces it", quoted(path));
  }
  vfs_->remove(unfinished_);  // of a process of the same number that was killed
  file_ = vfs_->open(unfinished_, io::OpenMode::create);
}

NewFile::~NewFile() {
  if (!file_) return;
  file_.reset();
  try {
    vfs_->remove(unfinished_);
  } catch (const Error&) {  // the disk is gone, and so is the file
    return;
  }
}

void NewFile::write(std::string_view text) {
  file_->write_at(bytes_, std::as_bytes(std::span(text)));
  bytes_ += text.size();
}

void NewFile::finish() {
  file_->sync();
  if (replace_)
    vfs_->rename(unfinished_, split_.name);
  else
    vfs_->rename_new(unfinished_, split_.name);
  file_.reset();
}

}  // namespace otolith::files
