#include "cli/verbs.h"

namespace otolith::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> kVerbs{
      init_verb(),       import_verb(),   put_verb(),     get_verb(),   patch_verb(),
      delete_verb(),     head_verb(),     tail_verb(),    query_verb(), plot_verb(),
      export_verb(),     log_verb(),      show_verb(),    diff_verb(),  blame_verb(),
      revert_verb(),     rollback_verb(), tag_verb(),     untag_verb(), status_verb(),
      inspect_verb(),    verify_verb(),   compact_verb(), bench_verb(), shell_verb(),
      completion_verb(), man_verb(),      help_verb(),
  };
  return kVerbs;
}

}  // namespace otolith::cli
