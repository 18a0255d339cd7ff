// The module otolith._core: registers the bindings of each class.
#include <nanobind/nanobind.h>

NB_MODULE(_core, module) {
  module.doc() = "The compiled part of otolith; import otolith instead.";
  module.attr("__version__") = OTOLITH_VERSION;
}
