#include "cli/inspect.h"

#include "otolith/inspect.h"

namespace otolith::cli {

int inspect_run(const InspectArguments& arguments, const Sinks& sinks) {
  const Inspection found =
      inspect(arguments.path, {.file = arguments.file, .verify = arguments.verify});
  sinks.out(arguments.json ? found.json() + "\n" : found.text());
  return found.problems.empty() ? kDone : kDamage;
}

}  // namespace otolith::cli
