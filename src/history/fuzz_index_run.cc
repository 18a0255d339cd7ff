// Any bytes as a run of the commit index, its pages and beginning made right: an error, or commits
// that are found by everything that looks them up.
//
// The input is the data of the run; its first 24 bytes are replaced, its range names the file.
#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/limits.h"
#include "history/commit_index.h"
#include "io/sim_disk.h"

namespace {

using namespace otolith;
using namespace otolith::history;

constexpr Id128 kDatabase{{std::byte{1}}};
constexpr std::size_t kStartBytes = 24;  // magic, version, database
constexpr std::size_t kFirstAt = kStartBytes;
constexpr std::size_t kCountAt = kFirstAt + 8;
constexpr std::size_t kInputBytesMax = 1 << 14;

template <typename Call>
void typed_errors_only(Call call) {
  try {
    call();
  } catch (const Error&) {
    return;
  }
}

// The beginning that the writer of runs makes.
Bytes start_of_run() {
  const auto vfs = io::memory_vfs();
  vfs->make_dir("index");
  const std::string name =
      IndexRun::write(*vfs, kDatabase, {CommitNumber{1}, {}, std::vector<MetaEntry>(1), {}});
  Bytes start(kStartBytes);
  (void)vfs->open("index/" + name, io::OpenMode::read)->read_at(0, start);
  return start;
}

void look_up(const std::shared_ptr<io::Vfs>& vfs, const std::string& name) {
  static volatile std::uint64_t sink = 0;
  typed_errors_only([&] {
    const IndexRun run(*vfs, kDatabase, name);
    std::vector<CommitNumber> found;
    for (CommitNumber n = run.first(); n <= run.last(); n = next(n)) {
      typed_errors_only([&] {
        const MetaEntry entry = run.entry(n);
        run.find_hash(hex(entry.hash.view()).substr(0, kHashDigitsMin), 2, found);
        sink = sink + (run.find_change(entry.change_id) ? 1 : 0) + found.size();
        const Bytes text = run.text(entry);
        sink = sink + meta_text_read(text).changes.size();
      });
    }
    sink = sink + run.content().heap.size();
  });
}

// As a history does: takes the run, finds, appends, joins.
void use(const std::shared_ptr<io::Vfs>& vfs, CommitNumber last) {
  static volatile std::uint64_t sink = 0;
  CommitIndex index(vfs, kDatabase);
  if (!index.use_runs(CommitNumber{value_of(last) - value_of(last) % 2})) return;
  typed_errors_only([&] { sink = sink + value_of(index.find_time(Timestamp{})); });
  typed_errors_only([&] { sink = sink + value_of(index.find_record(RecordNumber{9})); });
  if (index.last() != CommitNumber{0}) {
    typed_errors_only([&] { sink = sink + index.meta(index.last()).text.changes.size(); });
  }
  index.append(MetaEntry{}, MetaText{});
  while (const auto plan = index.plan(index.last())) index.install(plan->write(*vfs, kDatabase));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes start = start_of_run();
  if (size < kCountAt + 8 || size > kInputBytesMax) return 0;
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  Bytes run(bytes, bytes + size);
  std::ranges::copy(start, run.begin());
  const auto first = load_le<std::uint64_t>(&run[kFirstAt]);
  const auto count = load_le<std::uint64_t>(&run[kCountAt]);
  if (first == 0 || count == 0 || count > ~first) return 0;
  const CommitNumber last{first + count - 1};
  const std::string name = IndexRun::name_of(CommitNumber{first}, last);
  const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  vfs->make_dir("index");
  vfs->open("index/" + name, io::OpenMode::create)->write_at(0, pages_of(run, "index/" + name));
  look_up(vfs, name);
  typed_errors_only([&] { use(vfs, last); });
  return 0;
}
