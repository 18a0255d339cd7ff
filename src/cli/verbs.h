// All verbs, in the order in which help lists them.
//
// Role:    the table that parsing, help, completion and the man page go through.
// Errors:  none.
// Threads: immutable.
#pragma once

#include <vector>

#include "cli/verb.h"

namespace otolith::cli {

/// Every verb.
const std::vector<Verb>& verbs();

Verb init_verb();
Verb import_verb();
Verb export_verb();
Verb head_verb();
Verb tail_verb();
Verb query_verb();
Verb put_verb();
Verb get_verb();
Verb patch_verb();
Verb delete_verb();
Verb plot_verb();
Verb bench_verb();
Verb shell_verb();
Verb log_verb();
Verb show_verb();
Verb tag_verb();
Verb untag_verb();
Verb diff_verb();
Verb blame_verb();
Verb rollback_verb();
Verb revert_verb();
Verb status_verb();
Verb inspect_verb();
Verb verify_verb();
Verb compact_verb();
Verb help_verb();
Verb completion_verb();
Verb man_verb();

}  // namespace otolith::cli
