#include "segment/path.h"

#include <doctest/doctest.h>

namespace otolith::segment {

TEST_CASE("segment path: the name of a file says its id, other names say none") {
  Id128 id;
  id.bytes.fill(std::byte{0xab});
  const std::string hex(32, 'x');
  CHECK(segment_path(id) == "segments/ab/" + id.text() + ".seg");
  CHECK(segment_of_name(id.text() + ".seg") == id);
  for (const std::string& name :
       {id.text(), hex + ".seg", std::string(".seg"), id.text() + ".SEG"}) {
    CHECK_FALSE(segment_of_name(name).has_value());
  }
}

}  // namespace otolith::segment
