// Any bytes as a table of symbols and a page: a flaw, or rows that lie in their room.
#include "codec/text.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::text_codec(), data, size);
  return 0;
}
