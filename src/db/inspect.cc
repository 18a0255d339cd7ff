#include "otolith/inspect.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "db/hall.h"
#include "db/segment_layout.h"
#include "io/path.h"
#include "io/posix.h"
#include "scan/store.h"
#include "segment/path.h"

namespace otolith {

namespace {

using segment::SegmentReader;

void tell(Inspection& out, const Error& error) { out.problems.push_back(Problem::of(error)); }

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
  } catch (const Error& error) {
    tell(out, error);
  }
  for (std::size_t i = before; i < out.problems.size(); ++i) {
    out.problems[i].where.commits = scan::commits_of(entry);
  }
}

// Whether the user's word for a segment means this one; the empty word means all. A path of the
// shell ends as the path in the database does, and no two segments share an id.
bool is_meant(const std::string& word, const Id128& segment) {
  const std::string path = segment::segment_path(segment);
  return word.empty() || word == path || word.ends_with("/" + path) ||
         word == io::entry_name(path) || word == segment.text();
}

void take_database(Inspection& out, const std::shared_ptr<db::Hall>& hall,
                   const InspectOptions& options) {
  const auto rooms = hall->rooms();
  const auto snapshot = rooms->history->readable();
  if (options.verify) {
    rooms->history->verify([&](const Error& error) { tell(out, error); });
  }
  bool found = options.file.empty();
  for (const history::NeededSegment& needed : rooms->history->all_segments()) {
    if (!is_meant(options.file, needed.entry.ref.id)) continue;
    found = true;
    const auto entry = snapshot->find(needed.dataset);
    take_segment(out, *rooms, needed, entry ? entry->name : std::string(), options.verify);
  }
  if (!found) {
    throw_error(ErrorCode::not_found,
                "{} has no segment {}; without a file `inspect` lists them all", quoted(out.path),
                quoted(options.file));
  }
}

// Of a folder; files that are not ours are none, and have none.
std::vector<std::string> names_in(Inspection& out, io::Vfs& vfs, const std::string& folder) {
  try {
    return vfs.list(folder);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) tell(out, error);
    return {};
  }
}

// Where the log does not open, the files that are there.
void take_folder(Inspection& out, const InspectOptions& options) {
  const auto vfs = io::posix_vfs(out.path, {.read_only = true});
  const std::string folders(segment::kSegmentsFolder);
  if (!vfs->exists(folders)) return;
  for (const std::string& folder : vfs->list(folders)) {
    for (const std::string& name : names_in(out, *vfs, fmt::format("{}/{}", folders, folder))) {
      const auto id = segment::segment_of_name(name);
      if (!id || !is_meant(options.file, *id)) continue;
      try {
        take_file(out, *vfs, segment::segment_path(*id), {}, "", options.verify);
      } catch (const Error& error) {
        tell(out, error);
      }
    }
  }
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
                  "segment file",
                  quoted(out.path));
    }
    if (error.code() != ErrorCode::corrupt) throw;
    tell(out, error);
    out.segments.clear();
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
  take_file(out, *vfs, name, {}, "", options.verify);
}

bool is_directory(const std::string& path) {
  try {
    io::posix_vfs(path, {.read_only = true});
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid_argument && !path.empty()) return false;
    if (error.code() != ErrorCode::not_found) throw;
    throw_error(ErrorCode::not_found, "there is no {}; give a database directory or a segment file",
                quoted(path));
  }
}

}  // namespace

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
