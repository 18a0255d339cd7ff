// Any bytes as a dictionary and a page: a flaw, or rows that lie in their room; and each row alone.
#include "codec/bodies.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::bodies_codec(), data, size);
  return 0;
}
