#include "db/directory.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/limits.h"
#include "history/history.h"
#include "history/log_layout.h"
#include "segment/path.h"

namespace otolith::db {

namespace {

constexpr const char* kName = "OTOLITH";
constexpr const char* kNewName = "OTOLITH.new";
constexpr std::string_view kFirstLine = "otolith database\n";
constexpr std::array<std::string_view, 7> kOwnEntries{"OTOLITH", "OTOLITH.new", "log",  "index",
                                                      "lock",    "segments",    "stage"};

std::string check_line(std::string_view body) {
  return fmt::format("check {:016x}\n", xxh3(as_bytes_view(body)));
}

std::string read_text(io::Vfs& vfs, const std::string& name) {
  const auto file = vfs.open(name, io::OpenMode::read);
  std::string text(std::min<std::uint64_t>(file->stat().size, kMarkerBytesMax), '\0');
  text.resize(file->read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

// The rest of the line behind `key`, and `text` moved behind it; empty if it does not begin so.
std::string_view take_line(std::string_view& text, std::string_view key) {
  const std::size_t end = text.find('\n');
  if (!text.starts_with(key) || end == std::string_view::npos) return {};
  const std::string_view value = text.substr(key.size(), end - key.size());
  text.remove_prefix(end + 1);
  return value;
}

bool own_entry(std::string_view name) {
  return std::ranges::find(kOwnEntries, name) != kOwnEntries.end();
}

// Segments stand in folders named by the first two hex digits of their ids.
bool segment_folder(std::string_view name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

constexpr const char* kCreatedLog = "00000001.log";       // all that a creation puts into log/
constexpr std::string_view kCreatedLogNew = "00000001-";  // … .new
constexpr std::size_t kReadBytes = 1 << 20;

// A creation leaves zeros behind the header: whatever else stands there was a record.
bool holds_records(io::Vfs& vfs, const std::string& path) {
  const auto file = vfs.open(path, io::OpenMode::read);
  Bytes buffer(kReadBytes);
  for (std::uint64_t at = history::kLogHeaderBytes;;) {
    const std::size_t got = file->read_at(at, buffer);
    if (got == 0) return false;
    const BytesView read = BytesView(buffer).first(got);
    if (std::ranges::any_of(read, [](std::byte byte) { return byte != std::byte{0}; })) return true;
    at += got;
  }
}

bool log_holds_data(io::Vfs& vfs) {
  if (!vfs.exists("log")) return false;
  const std::vector<std::string> names = vfs.list("log");
  return std::ranges::any_of(names, [&](const std::string& name) {
    if (name.starts_with(kCreatedLogNew) && name.ends_with(".new")) return false;
    return name != kCreatedLog || holds_records(vfs, "log/" + name);
  });
}

// What a database leaves and no creation does. OTOLITH stands before the first of it is written.
void check_none_lost(io::Vfs& vfs) {
  const bool holds_data = (vfs.exists("segments") && !vfs.list("segments").empty()) ||
                          (vfs.exists("index") && !vfs.list("index").empty()) ||
                          log_holds_data(vfs);
  if (!holds_data || vfs.exists(kName)) return;
  throw Error(ErrorCode::corrupt,
              fmt::format("{} holds a log, segments or an index but its OTOLITH file is missing; "
                          "put it back from a backup",
                          vfs.describe("")),
              ErrorWhere{kName, {}, {}});
}

// A creation that was cut off left only names of ours and no OTOLITH; without records nothing is
// lost by beginning again.
void check_empty(io::Vfs& vfs) {
  for (const std::string& name : vfs.list("")) {
    if (!own_entry(name)) {
      throw_error(
          ErrorCode::invalid_argument,
          "{} is not empty and is no database (it holds {}); give a new or an empty directory",
          vfs.describe(""), quoted(name));
    }
  }
  check_none_lost(vfs);
}

void remove_interrupted(io::Vfs& vfs) {
  if (vfs.exists("log")) {
    for (const std::string& name : vfs.list("log")) vfs.remove("log/" + name);
  }
  vfs.remove("lock");
}

Directory write_new(io::Vfs& vfs, io::Environment& environment, io::File& marker,
                    const history::LogOptions& sizes) {
  check_empty(vfs);
  remove_interrupted(vfs);
  Directory directory;
  environment.random(directory.database.bytes);
  for (const char* name : {"log", "index", "segments"}) vfs.make_dir(name);
  history::History::create(vfs, environment, directory.database, sizes);
  const std::string text = directory_text(directory);
  marker.truncate(0);
  marker.write_at(0, as_bytes_view(text));
  marker.sync();
  vfs.sync_dir("");
  vfs.rename(kNewName, kName);
  vfs.sync_dir("");
  return directory;
}

std::unique_ptr<io::File> open_marker(io::Vfs& vfs) {
  try {
    return vfs.open(kNewName, io::OpenMode::create);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::conflict) throw;
    return vfs.open(kNewName, io::OpenMode::read_write);
  }
}

// One creator at a time: the lock on OTOLITH.new decides, and goes with a creator that dies.
Directory create_or_wait(io::Vfs& vfs, io::Environment& environment,
                         const history::LogOptions& sizes) {
  const std::uint64_t give_up = environment.monotonic_ns() + kLockWaitNs;
  while (true) {
    if (vfs.exists(kName)) return directory_read(vfs, kName);
    check_empty(vfs);
    try {
      const auto marker = open_marker(vfs);
      if (marker->try_lock(0, true) && !vfs.exists(kName)) {
        const auto named = vfs.stat(kNewName);
        if (named && named->inode == marker->stat().inode) {
          return write_new(vfs, environment, *marker, sizes);
        }
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;  // renamed between the two looks: look again
    }
    if (environment.monotonic_ns() > give_up) {
      throw_error(ErrorCode::locked, "{} is being created by another process; try again",
                  vfs.describe(""));
    }
    environment.sleep_ns(kLockPollMaxNs);
  }
}

}  // namespace

std::string directory_text(const Directory& directory) {
  const std::string body =
      fmt::format("{}format {}\nid {}\n", kFirstLine, directory.format, directory.database.text());
  return body + check_line(body);
}

Directory directory_parse(std::string_view text, const std::string& where) {
  std::string_view rest = text;
  if (!rest.starts_with(kFirstLine)) {
    throw_error(ErrorCode::corrupt, "{} is damaged or no Otolith file: put it back from a backup",
                where);
  }
  rest.remove_prefix(kFirstLine.size());
  const std::string_view format = take_line(rest, "format ");
  if (format != std::to_string(kFormatVersion) && !format.empty() &&
      format.find_first_not_of("0123456789") == std::string_view::npos) {
    throw_error(ErrorCode::unsupported_format,
                "{} says format {}, this build reads format {}; open it with a newer Otolith",
                where, format, kFormatVersion);
  }
  Directory directory;
  const std::string_view id = take_line(rest, "id ");
  const std::string_view body = text.substr(0, text.size() - rest.size());
  if (!id128_parse(id, directory.database) || rest != check_line(body)) {
    throw_error(ErrorCode::corrupt, "{} fails its checksum: put it back from a backup", where);
  }
  if (format != std::to_string(kFormatVersion)) {
    throw_error(ErrorCode::corrupt,
                "{} says format {}, which is no number: put it back from a backup", where,
                quoted(format));
  }
  return directory;
}

Directory directory_read(io::Vfs& vfs, const std::string& file) {
  return directory_parse(read_text(vfs, file), vfs.describe(file));
}

Directory directory_open(io::Vfs& vfs, io::Environment& environment, bool create,
                         const history::LogOptions& sizes) {
  if (vfs.exists(kName)) return directory_read(vfs, kName);
  if (!create || vfs.read_only()) {
    check_none_lost(vfs);
    throw_error(
        vfs.list("").empty() ? ErrorCode::not_found : ErrorCode::invalid_argument,
        "{} is no database (it has no OTOLITH file); `otolith init`, or open with create=True, "
        "makes one in an empty directory",
        vfs.describe(""));
  }
  return create_or_wait(vfs, environment, sizes);
}

std::vector<std::string> directory_foreign(io::Vfs& vfs) {
  std::vector<std::string> foreign;
  for (const std::string& folder : vfs.list("segments")) {
    const std::string path = "segments/" + folder;
    if (!segment_folder(folder)) {
      foreign.push_back(path);
      continue;
    }
    for (const std::string& name : vfs.list(path)) {
      if (!segment::segment_of_name(name)) foreign.push_back(fmt::format("{}/{}", path, name));
    }
  }
  for (std::string& name : vfs.list("")) {
    if (!own_entry(name)) foreign.push_back(std::move(name));
  }
  return foreign;
}

}  // namespace otolith::db
