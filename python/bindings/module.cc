// The module otolith._core: registers the bindings of each class.
#include "bindings.h"

NB_MODULE(_core, module) {
  namespace bindings = otolith::bindings;
  module.doc() = "The compiled part of otolith; import otolith instead.";
  module.attr("VERSION") = OTOLITH_VERSION;
  nanobind::set_leak_warnings(
      false);  // handles that a program still holds when it ends are no fault
  bindings::bind_log(module);
  bindings::bind_errors(module);
  bindings::bind_times(module);
  bindings::bind_schema(module);
  bindings::bind_array(module);
  bindings::bind_text(module);
  bindings::bind_decimals(module);
  bindings::bind_data(module);
  bindings::bind_arrow(module);
  bindings::bind_arrow_import(module);
  bindings::bind_commit(module);
  bindings::bind_expression(module);
  bindings::bind_documents(module);
  bindings::bind_table(module);
  bindings::bind_collection(module);
  bindings::bind_diff(module);
  bindings::bind_snapshot(module);
  bindings::bind_recorder(module);
  bindings::bind_status(module);
  bindings::bind_database(module);
  bindings::bind_inspect(module);
}
