// Any bytes as a checkpoint, its beginning and checksum made right: an error, or a state from which
// snapshots are read and history goes on.
//
// The input is what stands between the database's id and the checksum.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "history/checkpoint.h"
#include "history/snapshot_view.h"

namespace {

using namespace otolith;
using namespace otolith::history;

constexpr Id128 kDatabase{{std::byte{1}}};
constexpr std::size_t kStartBytes = 24;  // magic, version, database
constexpr std::uint64_t kRowsAsked = 100;

Bytes sealed(BytesView input) {
  Checkpoint empty;
  empty.lineage = std::make_shared<Lineage>();
  const Bytes start = checkpoint_write(kDatabase, empty);
  Bytes bytes(start.begin(), start.begin() + kStartBytes);
  bytes.insert(bytes.end(), input.begin(), input.end());
  ByteWriter check;
  check.put(xxh3(bytes));
  const BytesView last = check.view();
  bytes.insert(bytes.end(), last.begin(), last.end());
  return bytes;
}

void look(const Checkpoint& checkpoint) {
  static volatile std::uint64_t sink = 0;
  const CatalogView view{checkpoint.catalog.version(), checkpoint.lineage, checkpoint.head.commit};
  const SnapshotView snapshot(view, std::make_shared<NameTable>(view));
  for (const DatasetEntry& dataset : snapshot.datasets()) {
    for (const SegmentEntry& segment : snapshot.segments(dataset.id)) {
      for (const CommitNumber begin : {segment.begin_first, segment.begin_last}) {
        sink = sink + snapshot.visible(dataset.id, begin, kRowsAsked).rows_in({0, kRowsAsked});
      }
    }
  }
}

// A commit that marks a row of every dataset.
void go_on(Checkpoint& checkpoint) {
  CommitRecord record;
  record.number = next(checkpoint.head.commit);
  const auto version = checkpoint.catalog.version();
  for (std::size_t i = 0; i < version->datasets.size(); ++i) {
    DatasetRecord rows;
    rows.dataset = version->datasets[i]->id;
    rows.marks = {{checkpoint.head.commit, 0, 1, false}};
    record.datasets.push_back(std::move(rows));
  }
  checkpoint.catalog.apply(record, next(checkpoint.head.record));
  checkpoint.lineage->append(record.number);
  checkpoint.range.append({});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = sealed({reinterpret_cast<const std::byte*>(data), size});
  try {
    Checkpoint checkpoint = checkpoint_read(kDatabase, bytes);
    const Bytes again = checkpoint_write(kDatabase, checkpoint);
    Checkpoint other = checkpoint_read(kDatabase, again);
    if (checkpoint_write(kDatabase, other) != again) std::abort();
    look(checkpoint);
    go_on(checkpoint);
    const CommitNumber before{value_of(other.head.commit) / 2};
    other.catalog.truncate(before);
    other.lineage->truncate(before);
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
