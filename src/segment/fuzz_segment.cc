// Any bytes as a segment, with checksums made right again: rows or a typed error, never more.
#include <cstdint>
#include <memory>

#include "io/sim_disk.h"
#include "segment/reader.h"
#include "test/segment_reseal.h"

namespace {

using namespace otolith;

// Touches every value, so that a view that leaves its bytes is caught.
std::uint64_t touch(const Array& array) {
  std::uint64_t sum = 0;
  for (std::uint64_t row = 0; row < array.length; ++row) {
    if (array.is_null(row)) continue;
    if (array.offsets.bytes.empty()) {
      const std::uint32_t width = type_width(array.type);
      sum += std::to_integer<unsigned>(array.values.bytes[(row + 1) * width - 1]);
    } else {
      for (const char c : array.text(row)) sum += static_cast<unsigned char>(c);
    }
  }
  return sum;
}

void read_all(std::unique_ptr<io::File> file, bool map) {
  try {
    const auto reader = segment::SegmentReader::open(std::move(file), "fuzz.seg", {}, map);
    const segment::Footer& shape = reader->shape();
    static volatile std::uint64_t sink = 0;
    for (std::size_t column = 0; column < shape.columns.size(); ++column) {
      for (std::size_t group = 0; group < shape.row_groups.size(); ++group) {
        try {
          sink = sink + touch(reader->chunk(group, column));
          const std::uint64_t rows = shape.row_groups[group].rows;
          sink = sink + touch(reader->rows(group, column, rows / 2, rows - rows / 2));
        } catch (const Error&) {
        }
      }
    }
    reader->verify();
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes.begin());
  test::reseal(bytes);
  static const std::unique_ptr<io::Vfs> vfs = io::memory_vfs();
  for (const bool map : {true, false}) {
    auto file = vfs->open("fuzz.seg", io::OpenMode::create);
    file->write_at(0, bytes);
    read_all(std::move(file), map);
    vfs->remove("fuzz.seg");
  }
  return 0;
}
