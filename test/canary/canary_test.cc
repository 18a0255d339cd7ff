// A test that must fail when asked: it shows that `./dev mutants` sees failures.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>

TEST_CASE("canary: fails when it is told to") {
  const char* mutant = std::getenv("OTOLITH_MUTANT");
  CHECK(std::string_view(mutant != nullptr ? mutant : "") != "canary");
}
