// Any bytes as a page of `planes`: a flaw, or rows that lie in their room.
#include "codec/planes.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::planes_codec(), data, size);
  return 0;
}
