// Any bytes as the lineage of a checkpoint: an error, or a lineage that is the same once saved and
// loaded again, answers every question, and goes on.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "history/lineage.h"

namespace {

using namespace otolith;
using namespace otolith::history;

constexpr std::uint64_t kCommitsAsked = 24;  // spread over all

Bytes saved_of(const Lineage& lineage) {
  ByteWriter out;
  lineage.save(out, lineage.last());
  return out.take();
}

void use(Lineage& lineage) {
  static volatile std::uint64_t sink = 0;
  const std::uint64_t last = value_of(lineage.last());
  std::vector<DatasetId> datasets = lineage.datasets_with_own_nodes();
  datasets.resize(std::min<std::size_t>(datasets.size(), 3));
  datasets.push_back({CommitNumber{1}, 77});  // one that has none
  for (std::uint64_t i = 0; i < kCommitsAsked; ++i) {
    const CommitNumber a{last - last / kCommitsAsked * i};
    const CommitNumber b{last / kCommitsAsked * i + i % 2};
    if (a > lineage.last() || b > lineage.last()) continue;
    for (const DatasetId& d : datasets) {
      sink = sink + (lineage.contains(d, a, b) ? 1 : 0);
      sink = sink + lineage.difference(d, a, b).only_a.size();
    }
    sink = sink + lineage.difference(std::nullopt, a, b).only_b.size();
    if (value_of(a) != 0) sink = sink + lineage.reversal_of(a, std::nullopt).own.size();
  }
  const CommitNumber before{last / 2};
  if (last > UINT64_MAX - 2) return;  // two more have no numbers
  lineage.append_rollback(CommitNumber{last + 1}, before, datasets.front());
  lineage.append_revert(CommitNumber{last + 2},
                        lineage.reversal_of(CommitNumber{last + 1}, std::nullopt));
  lineage.truncate(before);
  lineage.append(next(before));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    ByteReader in(bytes);
    const auto lineage = Lineage::load(in);
    const Bytes saved = saved_of(*lineage);
    ByteReader again(saved);
    if (saved_of(*Lineage::load(again)) != saved) std::abort();
    use(*lineage);
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
