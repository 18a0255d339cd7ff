#include "db/inspect_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "db/directory.h"
#include "history/checkpoint.h"
#include "history/file_header.h"
#include "history/index_run.h"
#include "history/lock_page_reader.h"
#include "history/log_layout.h"
#include "io/path.h"
#include "segment/layout.h"
#include "segment/path.h"

namespace otolith::db {

namespace {

using history::IndexRun;

// "torn-FILE-OFFSET"; nullopt for any other name.
std::optional<TornLayout> torn_of_name(std::string_view name) {
  constexpr std::string_view prefix = "torn-";
  if (!name.starts_with(prefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  TornLayout torn;
  const auto file = std::from_chars(name.data() + prefix.size(), end, torn.log_file);
  if (file.ec != std::errc() || file.ptr == end || *file.ptr != '-') return std::nullopt;
  const auto offset = std::from_chars(file.ptr + 1, end, torn.offset);
  if (offset.ec != std::errc() || offset.ptr != end) return std::nullopt;
  return torn;
}

// Of names that stand for one thing wherever the file lies.
FileKind kind_of_name(const std::string& name) {
  if (name == "OTOLITH") return FileKind::otolith;
  if (history::log_file_number(name) != 0) return FileKind::log;
  if (history::checkpoint_of_name(name)) return FileKind::checkpoint;
  if (IndexRun::range_of(name)) return FileKind::index;
  if (segment::segment_of_name(name)) return FileKind::segment;
  if (torn_of_name(name)) return FileKind::torn_tail;
  return FileKind::unknown;
}

FileKind kind_of_bytes(io::Vfs& vfs, const std::string& path) {
  constexpr std::string_view directory = "otolith database\n";
  std::array<std::byte, directory.size()> first{};
  const std::size_t got = vfs.open(path, io::OpenMode::read)->read_at(0, first);
  const auto number = load_le<std::uint64_t>(first.data());
  if (number == history::kLogMagic) return FileKind::log;
  if (number == history::kLockMagic) return FileKind::lock;
  const auto begins_with = [&](const auto& magic) {
    return got >= magic.size() && std::memcmp(first.data(), magic.data(), magic.size()) == 0;
  };
  if (begins_with(segment::kHeaderMagic)) return FileKind::segment;
  return begins_with(directory) ? FileKind::otolith : FileKind::unknown;
}

// Names in a folder; the folder itself where it is none, or cannot be listed.
void list_folder(io::Vfs& vfs, const std::string& folder, std::vector<std::string>& out) {
  try {
    for (const std::string& name : vfs.list(folder))
      out.push_back(fmt::format("{}/{}", folder, name));
  } catch (const Error&) {  // not a folder: a file that is not ours
    out.push_back(folder);
  }
}

CheckpointLayout checkpoint_layout(io::Vfs& vfs, const std::string& file,
                                   const Surroundings& around) {
  const Id128 database = around.database.value_or(history::checkpoint_database(vfs, file));
  const history::Checkpoint checkpoint =
      history::checkpoint_read(database, history::checkpoint_bytes(vfs, database, file));
  const auto version = checkpoint.catalog.version();
  CheckpointLayout out;
  out.database_id = database.text();
  out.record = value_of(checkpoint.head.record);
  out.commit = value_of(checkpoint.head.commit);
  out.commit_hash = hex(checkpoint.head.hash.view());
  out.commit_time = checkpoint.head.time;
  out.replay_from = value_of(checkpoint.replay_from());
  out.datasets = version->datasets.size();
  for (std::size_t i = 0; i < version->datasets.size(); ++i)
    out.segments += version->datasets[i]->segments->size();
  out.tags = checkpoint.tags.size();
  out.lost = checkpoint.lost.size();
  return out;
}

IndexLayout index_layout(io::Vfs& vfs, const std::string& file, const Surroundings& around,
                         bool closely) {
  const IndexRun run(vfs.open(file, io::OpenMode::read), std::string(io::entry_name(file)));
  if (around.database && run.database() != *around.database) {
    throw_corrupt(file, 0, "the run of the index is of another database");
  }
  const history::MetaEntry first = run.entry(run.first());
  const history::MetaEntry last = run.entry(run.last());
  IndexLayout out;
  out.database_id = run.database().text();
  out.commit_first = value_of(run.first());
  out.commit_last = value_of(run.last());
  out.record_first = value_of(first.record);
  out.record_last = value_of(last.record);
  out.time_first = first.time;
  out.time_last = last.time;
  out.text_bytes = run.text_bytes();
  if (closely) run.check();
  return out;
}

FileLayout::Details lock_layout(io::Vfs& vfs, const Surroundings& around) {
  const auto logs = vfs.stat(history::kLogDirectory);
  if (!around.environment || !around.database || !logs) return {};
  io::Environment& environment = *around.environment;
  const history::LockIdentity identity(*around.database, environment.boot_id(), *logs);
  const history::LockPage page = history::LockPageReader(vfs, environment, identity).read();
  LockLayout out;
  out.state = page.valid()                                 ? "valid"
              : page.state == history::PageState::rebooted ? "rebooted"
                                                           : "absent";
  if (!page.valid()) return out;
  out.holder_pid = page.words.holder_pid;
  out.record_durable = value_of(page.words.durable);
  out.record_visible = value_of(page.words.visible);
  out.writing = page.words.writing != 0;
  return out;
}

FileLayout::Details directory_layout(io::Vfs& vfs, const std::string& file) {
  const Directory directory = directory_read(vfs, file);
  return DirectoryLayout{directory.database.text(), directory.format};
}

}  // namespace

void tell(std::vector<Problem>& problems, Problem problem) {
  for (Problem& other : problems) {
    const bool same = other.what == problem.what && other.code == problem.code &&
                      other.where.offset == problem.where.offset;
    if (!same) continue;
    if (other.where.file.empty()) other.where.file = problem.where.file;
    if (problem.where.file.empty() || other.where.file == problem.where.file) return;
  }
  problems.push_back(std::move(problem));
}

FileKind file_kind(const std::string& path) {
  const std::string folder(io::parent_path(path));
  const std::string name(io::entry_name(path));
  const bool unfinished = name.ends_with(".new");
  FileKind kind = kind_of_name(name);
  if (folder.empty()) {
    if (name == "lock") return FileKind::lock;
    if (name == "OTOLITH.new") return FileKind::unfinished;
    return kind == FileKind::otolith ? kind : FileKind::unknown;
  }
  if (folder == history::kLogDirectory) {
    if (name == "reserve") return FileKind::reserve;
    if (unfinished) return FileKind::unfinished;
    return kind == FileKind::log || kind == FileKind::torn_tail ? kind : FileKind::unknown;
  }
  if (folder == "index") {
    if (unfinished) return FileKind::unfinished;
    return kind == FileKind::checkpoint || kind == FileKind::index ? kind : FileKind::unknown;
  }
  const auto id = segment::segment_of_name(name);
  return id && segment::segment_path(*id) == path ? FileKind::segment : FileKind::unknown;
}

FileKind file_kind_alone(io::Vfs& vfs, const std::string& path, const std::string& name) {
  const FileKind kind = kind_of_name(name);
  if (kind != FileKind::unknown) return kind;
  if (path.ends_with("/log/reserve")) return FileKind::reserve;
  return kind_of_bytes(vfs, name);
}

std::vector<std::string> database_files(io::Vfs& vfs) {
  std::vector<std::string> out;
  for (const std::string& name : vfs.list("")) {
    if (name == history::kLogDirectory || name == "index") {
      list_folder(vfs, name, out);
    } else if (name == segment::kSegmentsFolder) {
      std::vector<std::string> folders;
      list_folder(vfs, name, folders);
      for (const std::string& folder : folders) list_folder(vfs, folder, out);
    } else {
      out.push_back(name);
    }
  }
  return out;
}

FileLayout file_of(io::Vfs& vfs, const std::string& file, FileKind kind) {
  const auto stat = vfs.stat(file);
  return {file, kind, stat ? stat->size : 0, false, {}};
}

FileLayout file_layout(io::Vfs& vfs, const std::string& file, FileKind kind,
                       const Surroundings& around, bool closely, std::vector<Problem>& problems) {
  FileLayout out = file_of(vfs, file, kind);
  try {
    switch (kind) {
      case FileKind::otolith:
        out.details = directory_layout(vfs, file);
        break;
      case FileKind::log:
        out.details = log_layout(vfs, file, around, closely, problems);
        break;
      case FileKind::torn_tail:
        if (const auto torn = torn_of_name(io::entry_name(file))) out.details = *torn;
        break;
      case FileKind::checkpoint:
        out.details = checkpoint_layout(vfs, file, around);
        break;
      case FileKind::index:
        out.details = index_layout(vfs, file, around, closely);
        break;
      case FileKind::lock:
        out.details = lock_layout(vfs, around);
        break;
      case FileKind::reserve:
      case FileKind::segment:
      case FileKind::unfinished:
      case FileKind::unknown:
        break;  // nothing in them is read
    }
  } catch (const Error& error) {  // payloads do not know in which file they stand
    ErrorWhere where = error.where();
    if (where.file.empty()) where.file = file;
    throw Error(error.code(), error.message(), where);
  }
  const bool checked = kind == FileKind::otolith || kind == FileKind::log ||
                       kind == FileKind::checkpoint || kind == FileKind::index;
  out.verified = closely && checked && std::ranges::none_of(problems, [&](const Problem& problem) {
                   return problem.where.file == file;
                 });
  return out;
}

}  // namespace otolith::db

namespace otolith {

std::string_view file_kind_name(FileKind kind) noexcept {
  switch (kind) {
    case FileKind::otolith:
      return "otolith";
    case FileKind::log:
      return "log";
    case FileKind::torn_tail:
      return "torn_tail";
    case FileKind::reserve:
      return "reserve";
    case FileKind::checkpoint:
      return "checkpoint";
    case FileKind::index:
      return "index";
    case FileKind::lock:
      return "lock";
    case FileKind::segment:
      return "segment";
    case FileKind::unfinished:
      return "unfinished";
    case FileKind::unknown:
      break;
  }
  return "unknown";
}

}  // namespace otolith
