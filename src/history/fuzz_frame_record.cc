// Any bytes as the payload of a tag, seal, compact or lost frame: an error or the one encoding
// of it.
#include <algorithm>
#include <cstdlib>

#include "history/frame_record.h"

namespace {
template <typename Read, typename Write>
void one_encoding(otolith::BytesView payload, const Read& read, const Write& write) {
  try {
    if (!std::ranges::equal(write(read(payload)), payload)) std::abort();
  } catch (const otolith::Error&) {
    return;
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  using namespace otolith::history;
  const BytesView payload(reinterpret_cast<const std::byte*>(data), size);
  one_encoding(payload, tag_read, tag_write);
  one_encoding(payload, seal_read, seal_write);
  one_encoding(payload, compact_read, compact_write);
  one_encoding(payload, lost_read, lost_write);
  return 0;
}
