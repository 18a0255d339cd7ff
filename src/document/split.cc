#include "document/split.h"

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "document/canonical.h"
#include "document/document_id.h"
#include "document/msgpack.h"
#include "document/value.h"

namespace otolith::document {

namespace {

std::string id_of(const Value& value) {
  if (value.kind() != Kind::string) {
    throw_error(ErrorCode::invalid_argument,
                "a document's _id is text, and this one's is {}; write it as text",
                kind_name(value.kind()));
  }
  check_id(value.string());
  return std::string(value.string());
}

// A map without the bytes of one field.
Bytes without(BytesView map, std::size_t first, std::size_t end) {
  const Head head = *head_of(map);
  std::byte count[kHeadBytesMax];
  const std::size_t bytes = put_head({.form = Head::Form::map, .number = head.number - 1}, count);
  Bytes out;
  out.reserve(bytes + map.size() - head.bytes - (end - first));
  out.insert(out.end(), count, count + bytes);
  out.insert(out.end(), map.begin() + static_cast<std::ptrdiff_t>(head.bytes),
             map.begin() + static_cast<std::ptrdiff_t>(first));
  out.insert(out.end(), map.begin() + static_cast<std::ptrdiff_t>(end), map.end());
  return out;
}

}  // namespace

Parts split_id(BytesView document) {
  check_is_map(document);
  const Value whole(document);
  std::optional<std::string> id;
  std::size_t first = 0;  // of the bytes of its field
  std::size_t end = 0;
  std::size_t at = head_of(document)->bytes;
  for (const Field& field : whole.fields()) {
    if (field.key == kTimeField) {
      throw_error(
          ErrorCode::invalid_argument,
          "a document has a field _time, which is the name of its own time; give it another, or "
          "declare it as the collection's time");
    }
    const BytesView value = field.value.bytes();
    const auto behind = static_cast<std::size_t>(value.data() + value.size() - document.data());
    if (field.key == kIdField && !id) {
      id = id_of(field.value);
      first = at;
      end = behind;
    }
    at = behind;
  }
  if (!id) return {.body = Bytes(document.begin(), document.end())};
  return {.id = std::move(id), .body = without(document, first, end)};
}

Bytes joined(std::string_view id, BytesView body) {
  const auto head = head_of(body);
  OTO_INVARIANT(head && head->form == Head::Form::map);
  std::byte count[kHeadBytesMax];
  const std::size_t bytes = put_head({.form = Head::Form::map, .number = head->number + 1}, count);
  ByteWriter out;
  out.put_bytes(BytesView(count).first(bytes));
  for (const std::string_view text : {kIdField, id}) {
    const Head of{.form = Head::Form::string, .number = text.size()};
    out.put_bytes(BytesView(count).first(put_head(of, count)));
    out.put_bytes(as_bytes_view(text));
  }
  out.put_bytes(body.subspan(head->bytes));
  return out.take();
}

}  // namespace otolith::document
