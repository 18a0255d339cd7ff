#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "base/growing.h"

namespace otolith {

TEST_CASE("growing: elements keep their place and value while it grows over many blocks") {
  Growing<std::string> array;
  array.push_back("first");
  const std::string* first = &array[0];
  for (int i = 1; i < 5000; ++i) array.push_back(std::to_string(i));
  CHECK(array.size() == 5000);
  CHECK(&array[0] == first);
  CHECK(array[4711] == "4711");
  CHECK(array.back() == "4999");
}

TEST_CASE("growing: a reader beside the writer sees whole elements only") {
  Growing<std::string> array;
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) array.push_back(std::to_string(i) + " of twenty thousand");
  });
  bool whole = true;
  for (std::size_t size = 0; size < 20'000; size = array.size()) {
    if (size != 0)
      whole = whole && array[size - 1] == std::to_string(size - 1) + " of twenty thousand";
  }
  writer.join();
  CHECK(whole);
}

}  // namespace otolith
