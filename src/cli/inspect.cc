#include "cli/inspect.h"

#include <algorithm>

#include "otolith/inspect.h"

namespace otolith::cli {

int inspect_run(const InspectArguments& arguments, const Sinks& sinks) {
  const Inspection found =
      inspect(arguments.path, {.file = arguments.file, .verify = arguments.verify});
  sinks.out(arguments.json ? found.json() + "\n" : found.text());
  if (found.problems.empty()) return kDone;
  return std::ranges::any_of(found.problems, &Problem::damage) ? kDamage : kError;
}

}  // namespace otolith::cli
