// Programs of the stateful model: steps that mean something whatever was left out before them.
//
// Role:    drawn from a seed, run by a Machine, cut down where a run differs.
// Shapes:  a step is a verb and the seed of all that it chooses among what is there then.
// Errors:  none.
// Threads: thread-compatible.
// Why:     each step has a seed of its own, so that taking others away leaves a program, and the
//          shortest that still differs is found by trying.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::stateful {

enum class Verb : std::uint8_t {
  create,
  append,
  remove,
  replace,
  alter,
  rename,
  drop,
  stage,   // some operations of a handle's recorder, which is opened where there is none
  settle,  // the recorder commits or discards
  retry,   // an earlier request again, under its change id
  reuse,   // another request under an earlier change id
  sync,
  compact,
  tag,
  reopen,
  kill,  // as kill -9; then opened again
  cut,   // the power goes, and with it any part of what is not on the disk
  full,  // an append on a disk that is nearly full; then there is space again
  hold,  // a snapshot is kept, and read at the end
  wait,
  rollback,
  rollback_some,  // of a range or keys of a table
  revert,
  put,  // documents, some as they are there already, into a collection that may be new
  patch,
  remove_documents,  // by ids or a condition
  refuse,            // what must be refused
};
std::string_view verb_name(Verb verb);

struct Step {
  Verb verb = Verb::append;
  std::uint64_t seed = 0;
};
using Program = std::vector<Step>;

Program program_of(std::uint64_t seed);

/// The shortest program found for which `differs` is still true; tries for at most `tries` runs.
Program minimised(Program program, const std::function<bool(const Program&)>& differs,
                  unsigned tries);

}  // namespace otolith::stateful
