#include "ingest/sweep.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "history/lock_file.h"
#include "segment/layout.h"
#include "segment/path.h"

namespace otolith::ingest {

namespace {

// Who made a file.
struct Maker {
  enum class Kind : std::uint8_t {
    recorder,  // who may still stand
    unknown,   // killed before its header was written, or lost it with the power
    other,     // not one of this database: never touched
  };
  Kind kind = Kind::unknown;
  Id128 recorder{};
};

Maker maker_of(const IngestContext& context, const Id128& id) {
  const std::string path = segment::segment_path(id);
  Bytes bytes(segment::kHeaderBytes);
  const auto file = context.vfs->open(path, io::OpenMode::read);
  bytes.resize(file->read_at(0, bytes));
  try {
    const segment::Header header = segment::header_parse(bytes, path);
    if (header.database != context.database) return {Maker::Kind::other, {}};
    if (header.segment != id) return {};  // what stood in its place on the disk before
    return {Maker::Kind::recorder, header.recorder};
  } catch (const Error& error) {
    const bool newer = error.code() == ErrorCode::unsupported_format;
    return {newer ? Maker::Kind::other : Maker::Kind::unknown, {}};
  }
}

// Makers that are gone: their owner locks, held.
class Gone {
 public:
  explicit Gone(io::Vfs& vfs) : vfs_(vfs) {}

  bool take(const Id128& recorder) {
    auto found = locks_.find(recorder);
    if (found == locks_.end()) {
      if (held_ == kSweepOwnersMax) {
        full_ = true;
        return false;
      }
      found = locks_.emplace(recorder, history::OwnerLock::take(vfs_, recorder)).first;
      if (found->second != nullptr) ++held_;
    }
    return found->second != nullptr || mutant("sweep-owner-ignored");
  }
  /// Whether there were more makers than locks to be held at once.
  bool full() const noexcept { return full_; }

 private:
  io::Vfs& vfs_;
  std::map<Id128, std::unique_ptr<history::OwnerLock>> locks_;  // null: its maker stands
  std::size_t held_ = 0;
  bool full_ = false;
};

// Only folders that segments stand in: 256 at most.
std::vector<SegmentOnDisk> segments_on_disk(io::Vfs& vfs) {
  constexpr std::size_t folder_digits = 2;
  std::vector<SegmentOnDisk> out;
  const std::string all(segment::kSegmentsFolder);
  if (!vfs.exists(all)) return out;
  for (const std::string& folder : vfs.list(all)) {
    if (folder.size() != folder_digits) continue;
    const std::string path = fmt::format("{}/{}", all, folder);
    for (const std::string& name : vfs.list(path)) {
      const auto id = segment::segment_of_name(name);
      const bool there = id && segment::segment_path(*id) == fmt::format("{}/{}", path, name);
      if (there) out.push_back({*id, 0});
    }
  }
  return out;
}

// One that has gone meanwhile is none.
void measure(io::Vfs& vfs, std::vector<SegmentOnDisk>& segments) {
  std::erase_if(segments, [&](SegmentOnDisk& segment) {
    const auto stat = vfs.stat(segment::segment_path(segment.id));
    if (stat) segment.bytes = stat->size;
    return !stat;
  });
}

// Leaves those whose makers are gone.
void drop_owned(const IngestContext& context, Gone& gone, std::vector<SegmentOnDisk>& segments) {
  // Behind the listing: who owns files from now on makes others.
  const bool none_alive =
      history::OwnerLock::none_alive(*context.vfs) || mutant("sweep-headerless-owner-ignored");
  std::erase_if(segments, [&](const SegmentOnDisk& segment) {
    try {
      const Maker maker = maker_of(context, segment.id);
      if (maker.kind == Maker::Kind::unknown) return !none_alive;
      return maker.kind == Maker::Kind::other || !gone.take(maker.recorder);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      return true;
    }
  });
}

}  // namespace

// Listed before history is asked: what a commit names meanwhile is not taken for unnamed.
std::vector<SegmentOnDisk> unnamed_segments(io::Vfs& vfs, history::History& history) {
  std::vector<SegmentOnDisk> out = segments_on_disk(vfs);
  (void)history.readable();
  std::vector<Id128> named;
  for (const history::NeededSegment& needed : history.all_segments()) {
    named.push_back(needed.entry.ref.id);
  }
  std::ranges::sort(named);
  std::erase_if(out, [&](const SegmentOnDisk& segment) {
    return std::ranges::binary_search(named, segment.id);
  });
  measure(vfs, out);
  return out;
}

namespace {

// What the makers left whose locks are held at once; whether there are more.
bool sweep_some(const IngestContext& context, bool at_once, Swept& swept) {
  Gone gone(*context.vfs);  // until the end
  std::vector<SegmentOnDisk> segments = unnamed_segments(*context.vfs, *context.history);
  if (!segments.empty()) drop_owned(context, gone, segments);
  const bool more = gone.full() && !mutant("sweep-once");
  if (segments.empty()) return false;
  std::vector<Id128> ids;
  for (const SegmentOnDisk& segment : segments) ids.push_back(segment.id);
  std::vector<Id128> unneeded = context.history->unneeded(ids, at_once);
  std::ranges::sort(unneeded);
  for (const SegmentOnDisk& segment : segments) {
    if (!std::ranges::binary_search(unneeded, segment.id)) continue;
    context.vfs->remove(segment::segment_path(segment.id));
    ++swept.files;
    swept.bytes += segment.bytes;
  }
  return more;
}

}  // namespace

// Again and again where many were left: each round takes some away, or is the last.
Swept sweep(const IngestContext& context, bool at_once) {
  Swept swept;
  std::uint64_t before = 0;
  do {
    before = swept.files;
  } while (sweep_some(context, at_once, swept) && swept.files > before);
  return swept;
}

}  // namespace otolith::ingest
