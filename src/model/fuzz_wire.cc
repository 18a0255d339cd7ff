// Any bytes as inlined rows: a typed error, or rows whose encoding is those very bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "model/wire.h"

namespace {

// A schema that names what was stored, so that it can be encoded again.
std::shared_ptr<const otolith::Schema> schema_of(const otolith::model::StoredRows& rows) {
  otolith::Schema schema;
  for (const auto& column : rows.columns) {
    schema.columns.push_back({.name = "c", .type = column.array.type, .id = value_of(column.id)});
  }
  return std::make_shared<const otolith::Schema>(schema);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const model::StoredRows rows = model::wire_decode(bytes, nullptr);
    const Batch batch = model::conform(rows, schema_of(rows));
    const Bytes again = model::wire_encode(batch, rows.layout);
    if (!std::ranges::equal(again, bytes)) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
