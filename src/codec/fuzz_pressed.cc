// Any bytes as a page of `lz4` or `zstd`: a flaw, or rows that lie in their room.
#include "codec/pressed.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  test::fuzz_page(codec::lz4_codec(), data, size);
  test::fuzz_page(codec::zstd_codec(), data, size);
  return 0;
}
