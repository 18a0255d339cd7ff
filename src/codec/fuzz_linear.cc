// Any bytes as a page of `constant` or `linear`: a flaw, or rows that lie in their room.
#include "codec/linear.h"

#include "codec/constant.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  test::fuzz_page(codec::constant_codec(), data, size);
  test::fuzz_page(codec::linear_codec(), data, size);
  return 0;
}
