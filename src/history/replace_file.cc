#include "history/replace_file.h"

#include "base/error.h"
#include "base/log.h"

namespace otolith::history {

namespace {

constexpr std::string_view kSuffix = ".new";
constexpr unsigned kTriesMax = 64;  // writers of one path at once, or left by interrupted ones

std::unique_ptr<io::File> create_beside(io::Vfs& vfs, const std::string& path, std::string& name) {
  for (unsigned i = 0;; ++i) {
    name = fmt::format("{}.{}{}", path, i, kSuffix);
    try {
      return vfs.open(name, io::OpenMode::create);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::conflict || i == kTriesMax) throw;
    }
  }
}

}  // namespace

void replace_file(io::Vfs& vfs, const std::string& path, BytesView bytes) {
  std::string name;
  const std::unique_ptr<io::File> file = create_beside(vfs, path, name);
  try {
    file->write_at(0, bytes);
    file->sync();
    vfs.rename(name, path);
  } catch (const Error&) {
    try {
      vfs.remove(name);
    } catch (const Error& error) {  // the first error is the one to throw
      log_line(LogLevel::warning, error.what());
    }
    throw;
  }
}

std::vector<std::string> derived_names(io::Vfs& vfs, const std::string& directory) {
  try {
    return vfs.list(directory);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    log_line(LogLevel::debug, error.what());
    return {};
  }
}

void remove_unfinished(io::Vfs& vfs, const std::string& directory) {
  for (const std::string& name : derived_names(vfs, directory)) {
    if (name.ends_with(kSuffix)) vfs.remove(fmt::format("{}/{}", directory, name));
  }
}

}  // namespace otolith::history
