#include "ingest/segment_file.h"

#include <set>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "io/fork.h"
#include "segment/path.h"

namespace otolith::ingest {

namespace {

Id128 random_id(io::Environment& environment) {
  Id128 id;
  environment.random(id.bytes);
  return id;
}

std::unique_ptr<io::File> create(io::Vfs& vfs, const Id128& id) {
  vfs.make_dir(std::string(segment::kSegmentsFolder));
  vfs.make_dir(segment::segment_folder(id));
  return vfs.open(segment::segment_path(id), io::OpenMode::create);
}

}  // namespace

SegmentFile::SegmentFile(io::Vfs& vfs, io::Environment& environment)
    : vfs_(&vfs),
      fork_generation_(io::fork_generation()),
      id_(random_id(environment)),
      file_(create(vfs, id_)) {}

SegmentFile::~SegmentFile() {
  if (file_ == nullptr || vfs_ == nullptr || fork_generation_ != io::fork_generation()) return;
  try {
    file_.reset();
    vfs_->remove(segment::segment_path(id_));
  } catch (const std::exception& error) {  // left for a sweep
    log_line(LogLevel::warning, error.what());
  }
}

FileOwner::FileOwner(io::Vfs& vfs, io::Environment& environment) : vfs_(vfs) {
  do {  // another id where another owner's byte is the same
    id_ = random_id(environment);
    lock_ = history::OwnerLock::take(vfs, id_);
  } while (lock_ == nullptr);
  const std::uint64_t begin = environment.monotonic_ns();
  while (!lock_->join_owners()) {  // a sweep is asking, which takes no time
    if (environment.monotonic_ns() - begin > kLockWaitNs) {
      throw_error(ErrorCode::locked, "a process that sweeps {} was stopped; let it go on or end it",
                  vfs.describe(""));
    }
    environment.sleep_ns(kLockPollMinNs);
  }
}

void FileOwner::check() const {
  if (lock_->stands(vfs_)) return;
  throw_error(ErrorCode::io, "{} was replaced while rows were being written; write them again",
              vfs_.describe("lock"));
}

void sync_segments(io::Vfs& vfs, std::span<io::File* const> files,
                   std::span<const Id128> segments) {
  if (segments.empty()) return;
  if (!mutant("ingest-segments-not-synced")) io::sync_all(files);
  if (mutant("ingest-folders-not-synced")) return;
  std::set<std::string> folders;
  for (const Id128& segment : segments) folders.insert(segment::segment_folder(segment));
  for (const std::string& folder : folders) vfs.sync_dir(folder);
  // Also where another process made the folders: it may not have come to syncing them yet.
  vfs.sync_dir(std::string(segment::kSegmentsFolder));
  vfs.sync_dir("");
}

}  // namespace otolith::ingest
