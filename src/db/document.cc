#include "otolith/document.h"

#include "base/bytes.h"
#include "document/canonical.h"
#include "document/document_id.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "document/split.h"

namespace otolith {

namespace {

Document parted(const Bytes& canonical) {
  document::Parts parts = document::split_id(canonical);
  return Document::of(std::move(parts.id).value_or(""), std::string(as_text(parts.body)));
}

Bytes whole(const Document& document) {
  if (document.id().empty())
    return Bytes(as_bytes_view(document.body()).begin(), as_bytes_view(document.body()).end());
  return document::joined(document.id(), as_bytes_view(document.body()));
}

}  // namespace

Document::Document() : body_(1, static_cast<char>(0x80)) {}  // a map of nothing

Document Document::from_json(std::string_view text) { return parted(document::from_json(text)); }

Document Document::from_msgpack(std::span<const std::byte> bytes) {
  const Bytes canonical = document::canonical(bytes);
  document::check_is_map(canonical);
  return parted(canonical);
}

Document Document::of(std::string id, std::string body) {
  Document out;
  out.id_ = std::move(id);
  out.body_ = std::move(body);
  return out;
}

std::string Document::json(unsigned indent) const {
  std::string out;
  document::to_json(whole(*this), out, {.indent = indent});
  return out;
}

std::string DocumentValue::json() const {
  std::string out;
  document::to_json(as_bytes_view(msgpack), out);
  return out;
}

std::string Document::msgpack() const { return std::string(as_text(whole(*this))); }

}  // namespace otolith
