// Any bytes as a commit payload: an error, or a commit whose one encoding is these bytes.
#include <cstdlib>

#include "history/commit_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  const BytesView payload(reinterpret_cast<const std::byte*>(data), size);
  history::CommitRecord record;
  try {
    history::commit_read(payload, record);
  } catch (const Error&) {
    return 0;
  }
  Hash256 hash;
  const Bytes again = history::commit_write(record, hash);
  if (!std::ranges::equal(again, payload)) std::abort();
  if (hash != history::commit_hash(payload)) std::abort();
  if (history::commit_hash(history::commit_strip(payload)) != hash) std::abort();
  return 0;
}
