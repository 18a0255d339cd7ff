// Any bytes as a schema of the log: an error, or a schema whose one encoding is these bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "history/schema_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    ByteReader in(bytes);
    const Schema schema = history::schema_read(in);
    ByteWriter out;
    history::schema_write(out, schema);
    if (!std::ranges::equal(out.view(), bytes.first(in.offset()))) std::abort();
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
