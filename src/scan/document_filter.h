// What a condition on documents says of columns: rows that cannot pass are dropped unread.
//
// Role:    prune of the flow, for collections: id, time and shredded columns are asked before any
//          body is.
// Shapes:  units lose rows, and go where none is left.
// Errors:  those of reading the columns that are asked.
// Threads: immutable; works on several threads itself.
// Why:     a necessary condition, each source's own, since each has its columns: what is true of a
//          document is true of its columns, or these do not tell. The body decides of all rows that
//          are left, so no column has to hold everything, and no answer depends on which there are
//          (docs/adr/0096).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "document/condition.h"
#include "scan/condition.h"
#include "scan/unit.h"

namespace otolith::scan {

/// What must hold of a source's columns where the condition is true of its document; nullopt where
/// they tell nothing. `schema`: the collection's, and behind it gets the shredded columns.
std::optional<Condition> implied_by(const document::Condition& where, Schema& schema,
                                    std::span<const segment::ShreddedPath> shredded,
                                    const RowSource& source);

class DocumentFilter {
 public:
  DocumentFilter(document::Condition where, std::shared_ptr<const Schema> schema);

  void keep(std::vector<Unit>& units, unsigned threads) const;

 private:
  document::Condition where_;
  std::shared_ptr<const Schema> schema_;
};

}  // namespace otolith::scan
