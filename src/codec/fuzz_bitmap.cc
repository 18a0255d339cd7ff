// Any bytes as a page of `bitmap`: a flaw, or rows that lie in their room.
#include "codec/bitmap.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::bitmap_codec(), data, size);
  return 0;
}
