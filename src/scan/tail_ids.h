// Where the ids of documents stand in the tail: the index of a part of the log that has no order.
//
// Role:    beside the open segments of a handle; asked by every look-up of an id (lookup.h).
// Shapes:  per dataset one entry per commit of its tail, ascending, each decoded once; one place
//          per row, chained by hash, the newest first.
// Errors:  those of decoding a commit's rows.
// Threads: thread-safe.
// Why:     a tail may hold 4,096 commits, and a put that looked through all of them would take
//          longer with each. The index goes on with what came since; it is made anew where entries
//          are others than those it has read (relaxed commits were lost, a staged one failed), and
//          where most of what it knows was sealed. Entries of a snapshot from before are looked
//          through one by one: nobody keeps such a snapshot long.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "history/snapshot.h"
#include "scan/source.h"

namespace otolith::scan {

/// A row of the tail.
struct TailPlace {
  std::shared_ptr<const RowSource> source;  // of one commit
  std::uint64_t row = 0;                    // its ordinal
};

class TailIds {
 public:
  TailIds();
  ~TailIds();

  /// The rows of a collection's tail that have this id, shown or not, of the newest commit first.
  std::vector<TailPlace> find(const history::Snapshot& snapshot,
                              const history::DatasetEntry& dataset, std::string_view id);
  /// How many commits' rows it has read so far: for tests.
  std::uint64_t entries_read() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::scan
