// Any bytes as a condition: a typed error, or an expression whose text means the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "otolith/error.h"
#include "otolith/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace otolith;
  std::string text;
  try {
    text = parse_condition({reinterpret_cast<const char*>(data), size}).text();
  } catch (const Error&) {
    return 0;
  }
  if (parse_condition(text).text() != text) std::abort();
  return 0;
}
