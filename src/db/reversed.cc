#include "db/reversed.h"

#include <algorithm>
#include <numeric>

#include "model/gather.h"

namespace otolith::db {

Data reversed(const Data& data) {
  std::vector<Batch> batches;
  for (const Batch& batch : data.batches()) {
    std::vector<std::uint32_t> rows(batch.rows);
    std::iota(rows.rbegin(), rows.rend(), 0u);
    batches.push_back(model::gather(batch, rows));
  }
  std::ranges::reverse(batches);
  return Data(data.schema_shared(), std::move(batches));
}

}  // namespace otolith::db
