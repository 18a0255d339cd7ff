// Any bytes as a page of `rle`: a flaw, or rows that lie in their room.
#include "codec/rle.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::rle_codec(), data, size);
  return 0;
}
