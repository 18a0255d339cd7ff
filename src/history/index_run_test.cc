#include "history/index_run.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "history/checked_pages.h"
#include "io/sim_disk.h"

namespace otolith::history {

namespace {

constexpr Id128 kDatabase{{std::byte{7}}};
constexpr std::uint64_t kCommits = 100;
constexpr std::size_t kEntriesAt = 128;  // docs/format/checkpoint.md
constexpr std::size_t kHashTableAt = kEntriesAt + kCommits * kMetaEntryBytes;
constexpr std::size_t kChangeTableAt = kHashTableAt + kCommits * 12;

// A run whose bytes can be changed under checksums that hold, as a hostile writer would.
struct Written {
  std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  std::string path;
  Bytes data;

  Written() {
    vfs->make_dir("index");
    RunContent content{CommitNumber{1}, {}, {}, {}};
    ByteWriter heap;
    for (std::uint64_t i = 1; i <= kCommits; ++i) {
      MetaEntry entry;
      store_le(entry.hash.bytes.data(), i * 0x9e3779b97f4a7c15);
      store_le(entry.change_id.bytes.data(), i);
      entry.record = RecordNumber{i};
      entry.heap_offset = heap.size();
      MetaText text;
      text.author = "ana";
      meta_text_write(heap, text);
      entry.heap_bytes = static_cast<std::uint32_t>(heap.size() - entry.heap_offset);
      content.entries.push_back(entry);
    }
    content.heap = heap.take();
    path = "index/" + IndexRun::write(*vfs, kDatabase, content);
    const auto file = vfs->open(path, io::OpenMode::read);
    Bytes pages(file->stat().size);
    file->read_at(0, pages);
    for (std::size_t at = 0; at < pages.size(); at += kPageBytes) {
      const BytesView page = BytesView(pages).subspan(at, kPageDataBytes);
      data.insert(data.end(), page.begin(), page.end());
    }
  }

  IndexRun run() const {
    vfs->remove(path);
    vfs->open(path, io::OpenMode::create)->write_at(0, pages_of(data, path));
    return IndexRun(vfs->open(path, io::OpenMode::read), path.substr(path.rfind('/') + 1));
  }
};

}  // namespace

TEST_CASE("index run: one that its writer made is sound, of its database and of no other") {
  const Written written;
  written.run().check();
  CHECK(written.run().database() == kDatabase);
  CHECK_THROWS_AS(IndexRun(*written.vfs, {}, written.run().name()), Error);
}

TEST_CASE("index run: tables and texts that do not fit are told, in bounded time") {
  const auto corrupt = [](const char* why, std::size_t from, std::size_t to, std::size_t bytes) {
    Written written;
    std::copy_n(written.data.begin() + static_cast<std::ptrdiff_t>(from), bytes,
                written.data.begin() + static_cast<std::ptrdiff_t>(to));
    const IndexRun run = written.run();
    CHECK_THROWS_WITH_AS(run.check(), doctest::Contains(why), Error);
  };
  const char* table = "a table of the index does not lead to its commits";
  corrupt(table, kHashTableAt, kHashTableAt + 12, 12);           // twice the same
  corrupt(table, kChangeTableAt + 12, kChangeTableAt, 12);       // out of order, and twice
  corrupt(table, kHashTableAt + 8, kHashTableAt + 20, 4);        // the key of another commit
  corrupt(table, kEntriesAt, kEntriesAt + kMetaEntryBytes, 32);  // a hash that is in no table
  Written written;
  for (std::size_t i = 0; i < kCommits; ++i) {  // each claims all of the heap
    std::byte* const entry = written.data.data() + kEntriesAt + i * kMetaEntryBytes;
    const MetaEntry first = meta_entry_read({entry, kMetaEntryBytes});
    MetaEntry claimed = first;
    claimed.heap_offset = 0;
    claimed.heap_bytes = static_cast<std::uint32_t>(written.run().text_bytes());
    meta_entry_write(entry, claimed);
  }
  CHECK_THROWS_AS(written.run().check(), Error);
}

}  // namespace otolith::history
