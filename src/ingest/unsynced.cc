#include "ingest/unsynced.h"

#include "base/error.h"
#include "ingest/segment_file.h"
#include "segment/path.h"

namespace otolith::ingest {

void UnsyncedSegments::add(const Id128& segment, std::shared_ptr<io::File> file) {
  const MutexLock lock(mutex_);
  files_[segment] = std::move(file);
}

void UnsyncedSegments::remove(const Id128& segment) noexcept {
  const MutexLock lock(mutex_);
  files_.erase(segment);
}

void UnsyncedSegments::check() {
  const MutexLock lock(mutex_);
  if (!failed_) return;
  throw Error(ErrorCode::io,
              fmt::format("rows of earlier relaxed commits could not be synced ({}); close the "
                          "database, open it again and see which commits it kept",
                          failed_->message()),
              failed_->where(), Outcome::failed);
}

void UnsyncedSegments::sync(io::Vfs& vfs, const std::vector<history::SegmentRef>& segments) {
  const MutexLock lock(mutex_);
  if (failed_) throw Error(*failed_);
  std::vector<std::unique_ptr<io::File>> opened;
  std::vector<io::File*> files;
  std::vector<Id128> ids;
  for (const history::SegmentRef& ref : segments) {
    const auto known = files_.find(ref.id);
    if (known == files_.end()) {
      opened.push_back(vfs.open(segment::segment_path(ref.id), io::OpenMode::read_write));
    }
    files.push_back(known == files_.end() ? opened.back().get() : known->second.get());
    ids.push_back(ref.id);
  }
  try {
    sync_segments(vfs, files, ids);
  } catch (const Error& error) {
    if (error.outcome() != Outcome::failed) failed_ = error;
    throw;
  }
  for (const Id128& id : ids) files_.erase(id);
}

}  // namespace otolith::ingest
