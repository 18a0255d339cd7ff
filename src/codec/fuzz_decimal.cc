// Any bytes as a page of `decimal`: a flaw, or rows that lie in their room.
#include "codec/decimal.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::decimal_codec(), data, size);
  return 0;
}
