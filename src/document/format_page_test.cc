// docs/format/document.md shows a real document.
#include <doctest/doctest.h>

#include "document/builder.h"
#include "document/canonical.h"
#include "test/hex_page.h"

namespace otolith::document {

namespace {

Bytes shown_document() {
  Builder out;
  out.begin_map();
  out.key("name");
  out.string("Åsa");
  out.key("seen");
  out.timestamp({1'767'603'600'500'000'000});
  out.key("scores");
  out.begin_array();
  out.integer(7);
  out.integer(-300);
  out.float64(1.5);
  out.end();
  out.key("user");
  out.begin_map();
  out.key("ok");
  out.boolean(true);
  out.key("raw");
  out.binary(as_bytes_view("\x01\x02"));
  out.key("left");
  out.null();
  out.end();
  out.end();
  return out.take();
}

std::string dump_of(const Bytes& document) {
  test::HexDump dump(document);
  dump.field(1, "a map of 4 fields");
  dump.field(5, "\"name\": a text of 4 bytes");
  dump.field(5, "\"Åsa\": a text of 4 bytes, of UTF-8");
  dump.field(5, "\"seen\"");
  dump.field(10, "2026-01-05T09:00:00.500Z: a time of ns and seconds");
  dump.field(7, "\"scores\"");
  dump.field(1, "an array of 3 items");
  dump.field(1, "7: an integer that is its own byte");
  dump.field(3, "-300: an integer of 2 bytes, below 0");
  dump.field(9, "1.5: a float");
  dump.field(5, "\"user\"");
  dump.field(1, "a map of 3 fields");
  dump.field(3, "\"ok\"");
  dump.field(1, "true");
  dump.field(4, "\"raw\"");
  dump.field(4, "binary, 2 bytes: 01 02");
  dump.field(5, "\"left\"");
  dump.field(1, "null");
  CHECK(dump.at() == document.size());
  return dump.text();
}

}  // namespace

TEST_CASE("canonical: the page on the format shows a document") {
  const Bytes document = shown_document();
  CHECK(canonical(document) == document);
  CHECK(test::page_shows("docs/format/document.md", dump_of(document)));
}

}  // namespace otolith::document
