#include "base/mutant.h"

#ifdef OTOLITH_MUTANTS
#include <cstdlib>
#include <cstring>

namespace otolith {

bool mutant(const char* name) noexcept {
  static const char* const active = std::getenv("OTOLITH_MUTANT");
  return active != nullptr && std::strcmp(active, name) == 0;
}

}  // namespace otolith
#endif
