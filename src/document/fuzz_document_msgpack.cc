// Any bytes as msgpack: looked at as they are they end in a typed error or a value, never beyond
// their end; brought into canonical form they stay as they are from then on.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "document/canonical.h"
#include "document/condition.h"
#include "document/difference.h"
#include "document/json_reader.h"
#include "document/json_writer.h"
#include "document/patch.h"
#include "document/path.h"
#include "document/split.h"
#include "document/value.h"
#include "otolith/error.h"

namespace {

using namespace otolith;

void require(bool holds) {
  if (!holds) std::abort();
}

template <typename Call>
bool done(Call call) {
  try {
    call();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void look(BytesView bytes) {
  static const document::Condition where(
      parse_condition("a.b > 5 or a + b = 2 and not c like 'x%' or d is null"));
  std::string text;
  (void)done([&] {
    document::to_json(bytes, text, {.not_finite = document::JsonStyle::NotFinite::words});
  });
  (void)done([&] {
    const document::Value value(bytes);
    (void)document::at_path(value, "a.0.b");
    if (value.kind() == document::Kind::map) (void)where.holds("id", {}, value);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  look(bytes);
  Bytes body;
  if (!done([&] { body = document::canonical(bytes); })) return 0;
  require(document::canonical(body) == body);
  require(document::Value(body).bytes().size() == body.size());
  require(document::differences(document::Value(body), document::Value(body)).empty());
  std::string text;
  const bool finite = done([&] { document::to_json(body, text); });
  Bytes again;
  const bool read = finite && done([&] { again = document::from_json(text); });
  if (read) require(document::canonical(again) == again);
  (void)done([&] {
    const Bytes merged = document::merge_patch(body, body);
    require(document::canonical(merged) == merged);
  });
  (void)done([&] {
    const document::Parts parts = document::split_id(body);
    if (parts.id) require(document::canonical(document::joined(*parts.id, parts.body)).size() > 1);
  });
  return 0;
}
