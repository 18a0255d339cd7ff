#include "ingest/commit.h"

#include <algorithm>

#include "base/error.h"
#include "base/mutant.h"
#include "ingest/document_changes.h"
#include "ingest/unsynced.h"

namespace otolith::ingest {

namespace {

// The open files that a write is about to name.
struct Files {
  std::vector<SegmentFile*> made;
  DocumentChanges* documents = nullptr;  // syncs its files when it makes them

  void sync(io::Vfs& vfs) const {
    std::vector<io::File*> files;
    std::vector<Id128> ids;
    for (SegmentFile* segment : made) {
      files.push_back(&segment->file());
      ids.push_back(segment->id());
    }
    try {
      sync_segments(vfs, files, ids);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);
    }
  }
  void keep() const noexcept {
    for (SegmentFile* segment : made) segment->keep();
    if (documents == nullptr) return;
    for (const DocumentChanges::File& of : documents->files()) of.file->keep();
  }
};

// Files that the next durable commit syncs. Those that no frame came to name are taken out at the
// end.
class SyncLater {
 public:
  SyncLater(UnsyncedSegments& unsynced, const Files& files) : unsynced_(unsynced), files_(files) {
    for (SegmentFile* segment : files_.made) unsynced_.add(segment->id(), segment->shared());
  }
  SyncLater(const SyncLater&) = delete;
  SyncLater& operator=(const SyncLater&) = delete;
  ~SyncLater() {
    for (const SegmentFile* segment : files_.made) {
      if (!segment->kept()) unsynced_.remove(segment->id());
    }
  }

 private:
  UnsyncedSegments& unsynced_;
  const Files& files_;
};

// Runs the call that writes to the log. Unless it is known to have failed, the log may name the
// files.
template <typename Call>
auto with_files(const Files& files, Call&& call) {
  try {
    return call();
  } catch (const Error& error) {
    if (error.outcome() != Outcome::failed) files.keep();
    throw;
  } catch (...) {
    files.keep();
    throw;
  }
}

// What tells a retry from another request under the same change id: what the caller said, and the
// rows; never how they were staged, cut and stored.
Hash256 request_hash(const history::CommitRequest& request, const std::vector<Encoded>& encoded) {
  Blake3 hash;
  hash.add(request.request_hash.view());
  for (const std::string* text : {&request.author, &request.message, &request.extra}) {
    hash.add_value(std::uint64_t{text->size()});
    hash.add(as_bytes_view(*text));
  }
  for (const Encoded& rows : encoded) {
    hash.add_value(rows.change.dataset.created);
    hash.add_value(rows.change.dataset.index);
    hash.add_value(rows.change.rows_added);
    hash.add_value(rows.rows_hash);
  }
  return hash.finish();
}

// Whether the commit that came back is ours, and not an earlier one under the same change id. Where
// that cannot be told it may be: the commit stands, and a sweep takes away what nobody needs.
bool may_name(history::History& history, const Commit& commit, DatasetId dataset,
              const Id128& segment) noexcept {
  try {
    if (value_of(dataset.created) == 0) dataset.created = commit.number;
    const auto entries = history.at(commit.number)->segments(dataset);
    return std::ranges::any_of(entries, [&](const auto& entry) { return entry.ref.id == segment; });
  } catch (...) {
    return true;
  }
}

}  // namespace

Commit commit_encoded(const IngestContext& context, history::CommitRequest request,
                      std::vector<Encoded> encoded, DocumentChanges* documents) {
  const bool may_be_retry = request.change_id.has_value();
  if (may_be_retry) request.request_hash = request_hash(request, encoded);
  Files files{.made = {}, .documents = documents};
  std::vector<DatasetId> datasets;  // of the files
  for (Encoded& rows : encoded) {
    if (rows.file) {
      files.made.push_back(&*rows.file);
      datasets.push_back(rows.change.dataset);
    }
    request.datasets.push_back(std::move(rows.change));
    if (rows.question) request.unique.push_back(*std::move(rows.question));
  }
  std::optional<SyncLater> sync_later;
  if (request.relaxed && context.unsynced != nullptr) sync_later.emplace(*context.unsynced, files);
  const bool record_first = mutant("ingest-record-before-segments");
  if (!sync_later && !record_first) files.sync(*context.vfs);
  Commit commit = with_files(files, [&] { return context.history->commit(std::move(request)); });
  if (record_first) files.sync(*context.vfs);
  for (std::size_t i = 0; i < files.made.size(); ++i) {
    if (!may_be_retry || may_name(*context.history, commit, datasets[i], files.made[i]->id())) {
      files.made[i]->keep();
    }
  }
  if (documents == nullptr) return commit;
  for (const DocumentChanges::File& of : documents->files()) {
    if (!may_be_retry || may_name(*context.history, commit, of.dataset, of.file->id()))
      of.file->keep();
  }
  return commit;
}

bool seal_encoded(const IngestContext& context, const history::SealRequest& request,
                  std::vector<SegmentFile> made) {
  Files files;
  for (SegmentFile& file : made) files.made.push_back(&file);
  files.sync(*context.vfs);
  const bool sealed = with_files(files, [&] { return context.history->seal(request); });
  if (sealed) files.keep();
  return sealed;
}

bool join_encoded(const IngestContext& context, const history::CompactRequest& request,
                  std::vector<SegmentFile> made) {
  Files files;
  for (SegmentFile& file : made) files.made.push_back(&file);
  if (!mutant("join-record-before-segment")) files.sync(*context.vfs);
  const bool joined = with_files(files, [&] { return context.history->compact(request); });
  if (joined) files.keep();
  return joined;
}

}  // namespace otolith::ingest
