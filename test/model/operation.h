// What a program of the lineage model asks for, as plain data.
//
// Role:    the generator makes it, brute force and the model each carry it out, a failure prints
//          it.
// Shapes:  one Operation is one commit; an ordinary one has several edits of several datasets.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/model/state.h"

namespace otolith::lineage_model {

// Keys and times, both ends included; no key: all.
struct Scope {
  std::optional<int> key;
  int time_first = 0;
  int time_last = 0;
  bool holds(const Row& row) const {
    return (!key || *key == row.key) && time_first <= row.time && row.time <= time_last;
  }
};

struct Edit {
  enum class Kind {
    put,     // collections: insert or replace
    insert,  // collections: refused if the id exists
    append,  // tables
    remove,  // rows in the scope
    create,  // of the name, with the policy and one or two columns
    drop,
    rename,
    add_column,   // may be null, as no row has it yet
    drop_column,  // the last one
    widen,        // the first one
    relabel,      // the first one
  };
  Kind kind = Kind::put;
  Dataset dataset;
  Stamp stamp = 0;  // of the row, or the identity of the column made
  int key = 0;
  int time = 0;
  Scope scope;
  int name = 0;
  Policy policy = Policy::keep;
};

struct Operation {
  enum class Kind { edits, rollback, scope_rollback, revert, expire, tag };
  Kind kind = Kind::edits;
  std::vector<Edit> edits;
  Commit target = 0;               // rolled back to, reverted, tagged
  std::optional<Dataset> dataset;  // none: the database
  Scope scope;
  bool replace_name = false;
  std::set<Commit> kept;  // by expire
  int tag = 0;
};

// Carries an edit out on a state. False: refused, and the state is of no use.
bool apply(const Edit& edit, State& state);
// At the end of a commit its rows are written under the columns that it leaves behind.
void settle(const std::vector<Edit>& edits, State& state);
bool name_is_free(const State& state, int name, Dataset except);

// One line, for the message of a failed test.
std::string text(const Operation& operation);

}  // namespace otolith::lineage_model
