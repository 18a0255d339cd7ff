#include "document/json_documents.h"

#include "base/error.h"
#include "base/limits.h"

namespace otolith::document {

std::optional<JsonDocument> JsonDocuments::next(std::string_view window, std::size_t& at,
                                                bool last) {
  const auto found = next_text(window, at, last);
  if (!found) return std::nullopt;
  return JsonDocument{reader_.read(found->text, {.name = name_, .line = found->line}), found->line};
}

std::optional<JsonText> JsonDocuments::next_text(std::string_view window, std::size_t& at,
                                                 bool last) {
  const std::string_view text = records_.next(window, at, last);
  if (!text.empty()) return JsonText{text, records_.line()};
  if (window.size() - at > kJsonTextBytesMax) {
    throw_error(ErrorCode::limit, "{}:{}: a document has more than {} bytes as JSON; split it",
                name_, records_.line(), kJsonTextBytesMax);
  }
  if (last && records_.in_array() && !records_.ended())
    throw_error(ErrorCode::invalid_argument, "{}: the JSON array does not end", name_);
  return std::nullopt;
}

}  // namespace otolith::document
