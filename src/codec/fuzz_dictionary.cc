// Any bytes as a dictionary and a page: a flaw, or rows that lie in their room.
#include "codec/dictionary.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  otolith::test::fuzz_page(otolith::codec::dictionary_codec(), data, size);
  otolith::test::fuzz_page(otolith::codec::dictionary_small_codec(), data, size);
  return 0;
}
