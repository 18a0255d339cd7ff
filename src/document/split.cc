#include "document/split.h"

#include "base/error.h"
#include "document/builder.h"
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

}  // namespace

Parts split_id(BytesView document) {
  check_is_map(document);
  const Value whole(document);
  if (whole.find(kTimeField)) {
    throw_error(ErrorCode::invalid_argument,
                "a document has a field _time, which is the name of its own time; give it another, "
                "or declare it as the collection's time");
  }
  const auto id = whole.find(kIdField);
  if (!id) return {.body = Bytes(document.begin(), document.end())};
  Builder out;
  out.begin_map(whole.size() - 1);
  for (const Field& field : whole.fields()) {
    if (field.key == kIdField) continue;
    out.key(field.key);
    out.value(field.value);
  }
  out.end();
  return {.id = id_of(*id), .body = out.take()};
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
