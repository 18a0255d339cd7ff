// Any bytes as the catalog of a checkpoint: an error, or a catalog that saves as these bytes, and
// that takes what commits do to it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "history/catalog.h"

namespace {

using namespace otolith;
using namespace otolith::history;

constexpr CommitNumber kLast{UINT64_MAX};

void use(Catalog& catalog) {
  const auto version = catalog.version();
  static volatile std::uint64_t sink = 0;
  for (std::size_t i = 0; i < version->datasets.size(); ++i) {
    const DatasetVersion& dataset = *version->datasets[i];
    if (version->find(dataset.id) != &dataset) std::abort();
    sink = sink + catalog.next_column(dataset.id) + every_column(dataset).columns.size();
    for (std::size_t s = 0; s < dataset.segments->size(); ++s) {
      const SegmentEntry& entry = (*dataset.segments)[s].entry;
      const auto in_lineage = [](CommitNumber commit) { return value_of(commit) % 3 != 0; };
      sink =
          sink +
          dataset.marks->visible(entry.begin_first, entry.ref.rows, in_lineage).rows_in({0, 1000});
    }
    catalog.truncate(dataset.id.created);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    ByteReader in(bytes);
    Catalog catalog = Catalog::load(in, kLast);
    ByteWriter out;
    catalog.save(out, kLast);
    if (!std::ranges::equal(out.view(), bytes.first(in.offset()))) std::abort();
    use(catalog);
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
