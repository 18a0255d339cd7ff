// Any bytes as a page of `frame` or `delta`: a flaw, or rows that lie in their room.
#include "codec/frame.h"
#include "test/fuzz_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  test::fuzz_page(codec::frame_codec(), data, size);
  test::fuzz_page(codec::delta_codec(), data, size);
  return 0;
}
