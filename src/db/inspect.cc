#include "otolith/inspect.h"

#include <set>
#include <utility>

#include "base/error.h"
#include "db/hall.h"
#include "db/inspect_files.h"
#include "db/segment_layout.h"
#include "io/path.h"
#include "io/posix.h"
#include "scan/store.h"
#include "segment/path.h"

namespace otolith {

namespace {

using segment::SegmentReader;

void tell(Inspection& out, const Error& error) { db::tell(out.problems, Problem::of(error)); }

// Opens a file outside every cache, and checks all of it if asked to.
void take_file(Inspection& out, io::Vfs& vfs, const std::string& file,
               const segment::SegmentExpect& expect, const std::string& dataset, bool verify) {
  const auto reader = SegmentReader::open(vfs.open(file, io::OpenMode::read), file, expect, false);
  SegmentLayout layout = db::segment_layout(*reader, expect.schema.get(), out.problems);
  layout.dataset = dataset;
  out.segments.push_back(std::move(layout));
  if (!verify) return;
  try {
    reader->verify();
    out.segments.back().verified = true;
  } catch (const Error& error) {
    tell(out, error);
  }
}

std::string side_name(history::Side side) {
  if (side == history::Side::mixed) return {};
  return side == history::Side::present ? "present" : "past";
}

// One segment of a database, with what the log says of it.
void take_segment(Inspection& out, const db::Rooms& rooms, const history::NeededSegment& needed,
                  const std::string& dataset, bool verify) {
  const history::SegmentEntry& entry = needed.entry;
  const std::string file = segment::segment_path(entry.ref.id);
  if (needed.marks) {
    SegmentLayout layout;
    layout.file = file;
    layout.dataset = dataset;
    layout.id = entry.ref.id.text();
    layout.marks = true;
    layout.bytes = entry.ref.bytes;
    out.segments.push_back(std::move(layout));
    return;
  }
  segment::SegmentExpect expect{.segment = entry.ref.id,
                                .database = rooms.directory.database,
                                .dataset = needed.dataset,
                                .bytes = entry.ref.bytes,
                                .footer_hash = entry.ref.footer_hash,
                                .rows = entry.ref.rows,
                                .schema = rooms.history->schema_of(needed.dataset)};
  if (entry.many) expect.begins = {entry.begin_first, entry.begin_last};
  const std::size_t before = out.problems.size();
  try {
    take_file(out, *rooms.vfs, file, expect, dataset, verify);
    out.segments.back().side = side_name(entry.side);
    out.segments.back().base = value_of(entry.base);
  } catch (const Error& error) {
    tell(out, error);
  }
  for (std::size_t i = before; i < out.problems.size(); ++i) {
    out.problems[i].where.commits = scan::commits_of(entry);
  }
}

// Whether a path of the shell leads to this file of the database.
bool leads_to(const std::string& word, io::Vfs& vfs, const std::string& file) {
  if (!word.ends_with("/" + file)) return false;
  const std::string folder = word.substr(0, word.rfind('/') + 1);
  try {
    const auto there = io::posix_vfs(folder, {.read_only = true})->stat(word.substr(folder.size()));
    const auto here = vfs.stat(file);
    return there && here && there->inode == here->inode && there->device == here->device;
  } catch (const Error&) {  // no such folder: it leads nowhere
    return false;
  }
}

// Whether the user's word for a file means this one; the empty word means all. No two segments
// share an id, so the end of a path says enough of them, also where the file is missing.
bool is_meant(const std::string& word, io::Vfs& vfs, const std::string& file) {
  if (word.empty() || word == file || word == io::entry_name(file)) return true;
  const auto id = segment::segment_of_name(io::entry_name(file));
  if (id && segment::segment_path(*id) == file)
    return word == id->text() || word.ends_with("/" + file);
  return leads_to(word, vfs, file);
}

[[noreturn]] void throw_no_file(const Inspection& out, const InspectOptions& options) {
  throw_error(ErrorCode::not_found, "{} has no file {}; without a file `inspect` lists them all",
              quoted(out.path), quoted(options.file));
}

// A segment that no commit names, where it was asked for; else what kind of file there is.
void take_other(Inspection& out, io::Vfs& vfs, const std::string& file,
                const db::Surroundings& around, const InspectOptions& options) {
  const FileKind kind = db::file_kind(file);
  const bool named = !options.file.empty();
  try {
    if (kind == FileKind::segment && (named || !around.database)) {
      take_file(out, vfs, file, {}, "", options.verify);
    } else {
      const bool closely = named || options.verify;
      out.files.push_back(db::file_layout(vfs, file, kind, around, closely, out.problems));
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found && !named) return;  // gone since it was listed
    tell(out, error);
    if (kind != FileKind::segment) out.files.push_back(db::file_of(vfs, file, kind));
  }
}

void take_others(Inspection& out, io::Vfs& vfs, const std::set<std::string>& segments, bool found,
                 const db::Surroundings& around, const InspectOptions& options) {
  for (const std::string& file : db::database_files(vfs)) {
    if (segments.contains(file) || !is_meant(options.file, vfs, file)) continue;
    found = true;
    take_other(out, vfs, file, around, options);
  }
  if (!found && !options.file.empty()) throw_no_file(out, options);
}

void take_database(Inspection& out, const std::shared_ptr<db::Hall>& hall,
                   const InspectOptions& options) {
  const auto rooms = hall->rooms();
  const auto snapshot = rooms->history->readable();
  if (options.verify) {
    rooms->history->verify([&](const Error& error) { tell(out, error); });
  }
  bool found = false;
  std::set<std::string> segments;
  for (const history::NeededSegment& needed : rooms->history->all_segments()) {
    const std::string file = segment::segment_path(needed.entry.ref.id);
    segments.insert(file);
    if (!is_meant(options.file, *rooms->vfs, file)) continue;
    found = true;
    const auto entry = snapshot->find(needed.dataset);
    take_segment(out, *rooms, needed, entry ? entry->name : std::string(), options.verify);
  }
  history::LogDirectory logs(*rooms->vfs, rooms->directory.database);
  logs.refresh();
  const history::LogStatus log = rooms->history->status();
  take_others(out, *rooms->vfs, segments, found,
              {.database = rooms->directory.database,
               .logs = &logs,
               .record_last = log.last,
               .record_durable = log.durable,
               .environment = rooms->environment.get()},
              options);
}

// Where the log does not open, the files that are there.
void take_folder(Inspection& out, const InspectOptions& options) {
  const auto vfs = io::posix_vfs(out.path, {.read_only = true});
  take_others(out, *vfs, {}, false, {}, options);
}

void inspect_database(Inspection& out, const InspectOptions& options) {
  out.is_database = true;
  const OpenOptions reading{.create = false, .read_only = true, .mmap = false};
  try {
    const auto hall = db::Hall::open(out.path, reading);
    take_database(out, hall, options);
    out.status = Database::open(out.path, reading).status();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid_argument) {
      throw_error(ErrorCode::invalid_argument,
                  "{} is no database: it has no file OTOLITH; give a database directory or a "
                  "file of one",
                  quoted(out.path));
    }
    if (error.code() != ErrorCode::corrupt) throw;
    tell(out, error);
    out.segments.clear();
    out.files.clear();
    take_folder(out, options);
  }
}

void inspect_file(Inspection& out, const InspectOptions& options) {
  if (!options.file.empty()) {
    throw_error(ErrorCode::invalid_argument,
                "{} is a file; a file of its own is named inside a database only",
                quoted(out.path));
  }
  const std::size_t slash = out.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : out.path.substr(0, slash + 1);
  const auto vfs = io::posix_vfs(folder, {.read_only = true});
  const std::string name = slash == std::string::npos ? out.path : out.path.substr(slash + 1);
  const FileKind kind = db::file_kind_alone(*vfs, out.path, name);
  if (kind == FileKind::segment) {
    take_file(out, *vfs, name, {}, "", options.verify);
  } else if (kind == FileKind::unknown) {
    throw_error(ErrorCode::invalid_argument,
                "{} is no file of Otolith: neither its name nor its first bytes are those of one",
                quoted(out.path));
  } else {
    out.files.push_back(db::file_layout(*vfs, name, kind, {}, true, out.problems));
  }
}

bool is_directory(const std::string& path) {
  try {
    io::posix_vfs(path, {.read_only = true});
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid_argument && !path.empty()) return false;
    if (error.code() != ErrorCode::not_found) throw;
    throw_error(ErrorCode::not_found, "there is no {}; give a database directory or a file of one",
                quoted(path));
  }
}

}  // namespace

std::string_view Inspection::kind() const noexcept {
  if (is_database) return "database";
  return file_kind_name(files.empty() ? FileKind::segment : files.front().kind);
}

Inspection inspect(const std::string& path, const InspectOptions& options) {
  Inspection out;
  out.path = path;
  if (is_directory(path))
    inspect_database(out, options);
  else
    inspect_file(out, options);
  out.verified = options.verify;
  return out;
}

}  // namespace otolith
