// What `--help`, `help` and `man` say, out of the table of verbs.
//
// Role:    one text per verb, one for the program, and the man page.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <string>

#include "cli/verb.h"

namespace otolith::cli {

/// `otolith --help`
std::string program_help();
/// `otolith VERB --help`
std::string verb_help(const Verb& verb);
/// The man page otolith(1), in the man macros.
std::string man_page();
/// "otolith head DB DATASET [options]"
std::string usage(const Verb& verb);

}  // namespace otolith::cli
