// Any bytes as JSON: a typed error, or a document that is canonical and the same after it was text
// again; and as many documents, the same however the text is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "document/canonical.h"
#include "document/json_documents.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "otolith/error.h"

namespace {

using namespace otolith;

void require(bool holds) {
  if (!holds) std::abort();
}

void one(std::string_view text) {
  Bytes body;
  try {
    body = document::from_json(text);
  } catch (const Error&) {
    return;
  }
  require(document::canonical(body) == body);
  std::string again;
  document::to_json(body, again, {.indent = static_cast<unsigned>(text.size() % 3)});
  require(document::from_json(again) == body);
}

// The documents of a text in windows that grow by so many bytes; up to the first that is wrong.
std::string many(std::string_view text, std::size_t step) {
  document::JsonDocuments reader("fuzz");
  std::string out;
  std::size_t begin = 0;
  for (std::size_t end = std::min(step, text.size());; end = std::min(end + step, text.size())) {
    const bool last = end == text.size();
    std::size_t at = 0;
    try {
      while (const auto found = reader.next(text.substr(begin, end - begin), at, last)) {
        out += std::to_string(found->line) + ":";
        document::to_json(found->body, out);
      }
    } catch (const Error& error) {
      return out + error.message();
    }
    require(at <= end - begin);
    begin += at;
    if (last) return out;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  one(text);
  if (size < 4096) require(many(text, size + 1) == many(text, 1 + size % 13));
  return 0;
}
