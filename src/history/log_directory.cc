#include "history/log_directory.h"

#include <algorithm>

#include "base/mutant.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr std::string_view kTornPrefix = "torn-";
constexpr std::size_t kCopyBytes = 1 << 20;

bool holds_before(RecordNumber record, const std::shared_ptr<const LogFileInfo>& info) noexcept {
  return record < info->header.first;
}

LogFileHeader header_of(io::File& file, const Id128& database, std::uint64_t number,
                        const std::string& path) {
  Bytes bytes(kLogHeaderBytes);
  bytes.resize(file.read_at(0, bytes));
  return decode_file_header(bytes, database, number, path);
}

// On a full disk a new file takes what it needs and no more.
std::uint64_t preallocate(io::File& file, std::uint64_t wanted, std::uint64_t needed) {
  try {
    file.preallocate(std::max(wanted, needed));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space || wanted <= needed) throw;
    file.preallocate(needed);
  }
  return file.stat().size;
}

void discard(io::Vfs& vfs, const std::string& path) noexcept {
  try {
    vfs.remove(path);
  } catch (...) {
    return;  // the next file of this number removes it
  }
}

// What fails before the file has its name leaves nothing of it.
template <typename Work>
void naming(io::Vfs& vfs, const std::string& temporary, Work work) {
  try {
    work();
  } catch (...) {
    discard(vfs, temporary);
    throw;
  }
}

// Never another's: a writer whose lock file was replaced, and who was stopped before this step,
// would take acknowledged records with it.
void give_name(io::Vfs& vfs, const std::string& temporary, const std::string& path) {
  if (mutant("log-file-replaced")) return vfs.rename(temporary, path);
  try {
    vfs.rename_new(temporary, path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::conflict) throw;
    throw_error(ErrorCode::io,
                "{} is there already: another writer has made it since this one looked. Nothing "
                "was written; try again",
                path);
  }
}

// Writes and syncs it by a name of its own, which it gives: whoever still writes beside the lock
// writes to another file. Fills in `header.bytes`.
std::string write_unnamed(io::Vfs& vfs, NewLogFile& wanted, const Id128& unique) {
  std::string temporary = fmt::format("{}/{:08}-{}.new", kLogDirectory, wanted.header.file,
                                      hex(unique.bytes).substr(0, 16));
  naming(vfs, temporary, [&] {
    const auto file = vfs.open(temporary, io::OpenMode::create);
    const std::uint64_t needed = kLogHeaderBytes + wanted.frames.size();
    wanted.header.bytes = preallocate(*file, wanted.bytes_wanted, needed);
    const Bytes header = encode_file_header(wanted.header);
    file->write_at(0, header);
    if (!wanted.frames.empty()) file->write_at(kLogHeaderBytes, wanted.frames);
    if (!mutant("log-file-named-unsynced")) file->sync();
  });
  return temporary;
}

void copy_range(io::File& from, io::File& to, std::uint64_t begin, std::uint64_t end) {
  Bytes buffer(std::min<std::uint64_t>(kCopyBytes, end - begin));
  for (std::uint64_t at = begin; at < end;) {
    const auto want = std::min<std::uint64_t>(buffer.size(), end - at);
    const std::size_t got = from.read_at(at, std::span(buffer).first(want));
    if (got == 0) return;
    to.write_at(at - begin, BytesView(buffer).first(got));
    at += got;
  }
}

}  // namespace

void LogDirectory::refresh() {
  for (const std::string& name : vfs_.list(kLogDirectory)) {
    const std::uint64_t number = log_file_number(name);
    if (number == 0 || damage_.contains(number)) continue;
    const bool known = std::ranges::any_of(
        files_, [number](const auto& info) { return info->header.file == number; });
    if (!known) read_header(number);
  }
}

void LogDirectory::read_header(std::uint64_t number) {
  const std::string path = log_file_path(number);
  try {
    const auto file = vfs_.open(path, io::OpenMode::read);
    add(std::make_shared<const LogFileInfo>(header_of(*file, database_, number, path), path));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    damage_.emplace(number, error);
  }
}

void LogDirectory::add(std::shared_ptr<const LogFileInfo> info) {
  const auto at = std::ranges::upper_bound(files_, info->header.file, {},
                                           [](const auto& each) { return each->header.file; });
  const bool descends =
      (at != files_.begin() && (*std::prev(at))->header.first > info->header.first) ||
      (at != files_.end() && info->header.first > (*at)->header.first);
  if (descends) {
    throw_corrupt(info->path, kHeaderFirstAt,
                  "the log file begins before the one in front of it; it belongs to another copy");
  }
  files_.insert(at, std::move(info));
}

std::shared_ptr<const LogFileInfo> LogDirectory::last() const {
  return files_.empty() ? nullptr : files_.back();
}

std::shared_ptr<const LogFileInfo> LogDirectory::holding(RecordNumber record) const {
  const auto behind = std::upper_bound(files_.begin(), files_.end(), record, holds_before);
  return behind == files_.begin() ? nullptr : *std::prev(behind);
}

std::optional<RecordNumber> LogDirectory::bound(const LogFileInfo& info) const {
  for (const auto& each : files_) {
    if (each->header.file > info.header.file) return each->header.first;
  }
  return std::nullopt;
}

void LogDirectory::throw_gap(const LogFileInfo& info, RecordNumber expected) const {
  const auto behind = std::ranges::upper_bound(files_, info.header.file, {},
                                               [](const auto& each) { return each->header.file; });
  if (behind == files_.end() || (*behind)->header.file == info.header.file + 1) return;
  const RecordNumber until{value_of((*behind)->header.first) - 1};
  if (until < expected) return;
  throw_corrupt(log_file_path(info.header.file + 1), 0,
                fmt::format("this log file is missing, and with it records {} to {}; put it back, "
                            "or restore a backup",
                            value_of(expected), value_of(until)));
}

void LogDirectory::throw_damage_behind(std::uint64_t file) const {
  const auto found = damage_.upper_bound(file);
  if (found != damage_.end()) throw found->second;
}

std::uint64_t LogDirectory::next_number() const {
  std::uint64_t highest = files_.empty() ? 0 : files_.back()->header.file;
  if (!damage_.empty()) highest = std::max(highest, damage_.rbegin()->first);
  return highest + 1;
}

std::uint64_t LogDirectory::epoch() const {
  std::uint64_t highest = 0;
  for (const auto& each : files_) highest = std::max(highest, each->header.epoch);
  return highest;
}

std::unique_ptr<io::File> LogDirectory::open(const LogFileInfo& info, io::OpenMode mode) const {
  try {
    return vfs_.open(info.path, mode);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw_corrupt(info.path, 0, "this log file is missing; put it back, or restore a backup");
  }
}

OpenLogFile LogDirectory::reopen(const LogFileInfo& info, io::OpenMode mode) const {
  std::shared_ptr<io::File> file = open(info, mode);
  auto now = std::make_shared<LogFileInfo>(info);
  now->header = header_of(*file, database_, info.header.file, info.path);
  return {std::move(now), std::move(file)};
}

OpenLogFile begin_log_file(io::Vfs& vfs, NewLogFile wanted) {
  const std::string path = log_file_path(wanted.header.file);
  remove_unfinished(vfs, kLogDirectory);
  const std::string temporary = write_unnamed(vfs, wanted, wanted.header.salt);
  auto info = std::make_shared<const LogFileInfo>(wanted.header, path);
  naming(vfs, temporary, [&] { give_name(vfs, temporary, path); });
  if (!mutant("log-directory-not-synced")) vfs.sync_dir(kLogDirectory);
  std::shared_ptr<io::File> file = vfs.open(path, io::OpenMode::read_write);
  return {std::move(info), std::move(file)};  // its errors call it by its name
}

std::optional<std::uint64_t> replace_log_file(io::Vfs& vfs, NewLogFile wanted, const Id128& unique,
                                              const io::FileStat& known) {
  const std::string path = log_file_path(wanted.header.file);
  const std::string temporary = write_unnamed(vfs, wanted, unique);
  const auto there = vfs.stat(path);
  if (!there || there->inode != known.inode || there->device != known.device) {
    discard(vfs, temporary);
    return std::nullopt;
  }
  naming(vfs, temporary, [&] { vfs.rename(temporary, path); });
  vfs.sync_dir(kLogDirectory);
  return wanted.header.bytes;
}

void keep_torn_tail(io::Vfs& vfs, const LogFileInfo& info, io::File& file, std::uint64_t from,
                    std::uint64_t to) {
  const std::string path =
      fmt::format("{}/{}{:08}-{}", kLogDirectory, kTornPrefix, info.header.file, from);
  const std::string temporary = path + ".new";
  vfs.remove(temporary);
  try {
    const auto out = vfs.open(temporary, io::OpenMode::create);
    copy_range(file, *out, from, to);
    out->sync();
    vfs.rename(temporary, path);
  } catch (...) {
    discard(vfs, temporary);
    throw;
  }
}

std::vector<std::string> torn_tails(io::Vfs& vfs) {
  std::vector<std::string> found;
  for (const std::string& name : vfs.list(kLogDirectory)) {
    if (name.starts_with(kTornPrefix) && !name.ends_with(".new")) {
      found.push_back(fmt::format("{}/{}", kLogDirectory, name));
    }
  }
  return found;
}

}  // namespace otolith::history
