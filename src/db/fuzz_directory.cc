// Any bytes as the file OTOLITH, with a check line of their own and with a right one: an error, or
// the one text of what it says.
#include <cstdlib>
#include <string>

#include "base/hash.h"
#include "db/directory.h"

namespace {

void read(const std::string& text) {
  using namespace otolith;
  try {
    if (db::directory_text(db::directory_parse(text, "OTOLITH")) != text) std::abort();
  } catch (const Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text);
  read(text + fmt::format("check {:016x}\n", otolith::xxh3(otolith::as_bytes_view(text))));
  return 0;
}
