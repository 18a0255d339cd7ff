#include "model/row_layout.h"

#include "base/limits.h"

namespace otolith::model {

namespace {

// Signed numbers with small ones short, whatever their sign.
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace

std::uint64_t run_rows(const Run& run) noexcept {
  std::uint64_t rows = 0;
  for (const PartitionRows& partition : run) rows += partition.rows;
  return rows;
}

std::uint64_t layout_rows(const RowLayout& layout) noexcept {
  std::uint64_t rows = 0;
  for (const Run& run : layout.runs) rows += run_rows(run);
  return rows;
}

void layout_write(ByteWriter& out, const RowLayout& layout) {
  out.put_varint(layout.runs.size());
  for (const Run& run : layout.runs) {
    out.put_varint(run.size());
    for (const PartitionRows& partition : run) {
      out.put_varint(zigzag(partition.bucket));
      out.put_varint(partition.rows);
    }
  }
}

RowLayout layout_read(ByteReader& in) {
  RowLayout layout;
  layout.runs.resize(in.get_count(3));
  std::uint64_t rows = 0;
  for (Run& run : layout.runs) {
    run.resize(in.get_count(2));
    if (run.empty()) in.fail("run without rows");
    for (std::size_t i = 0; i < run.size(); ++i) {
      run[i] = {.bucket = unzigzag(in.get_varint()), .rows = in.get_varint()};
      if (run[i].rows == 0) in.fail("partition without rows");
      if (run[i].rows > kSegmentRowsMax - rows) in.fail("more rows than kSegmentRowsMax");
      if (i > 0 && run[i].bucket <= run[i - 1].bucket) in.fail("partitions out of order");
      rows += run[i].rows;
    }
  }
  return layout;
}

}  // namespace otolith::model
