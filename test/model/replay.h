// The production classes of lineage driven by the programs of the model.
//
// Role:    Lineage, Marks and the acceptance of reverts must decide and show what the model does,
//          which brute force has judged.
// Shapes:  each accepted operation of the model becomes one append; every row is compared by
//          visibility at every commit.
// Errors:  none: what differs is text.
// Threads: thread-compatible.
#pragma once

#include <map>

#include "history/revert.h"
#include "test/model/model.h"

namespace otolith::lineage_model {

class Replay : public history::Events {
 public:
  explicit Replay(const Model& model) : model_(model) {}

  // Whether production accepts the operation, asked before the model carries it out.
  bool accepts(const Operation& operation);
  // Takes in the commit that the model has just made of it.
  void follow(const Operation& operation);
  // What production shows otherwise than the model; empty if nothing.
  std::string compare() const;
  // Through the bytes of a checkpoint.
  void reload();

  std::vector<DatasetId> touched(const history::CommitRuns& commits) const override;
  std::vector<history::RowsAdded> rows_added(DatasetId d,
                                             const history::CommitRuns& commits) const override;
  std::vector<history::CatalogEvent> catalog_events(
      DatasetId d, const history::CommitRuns& commits) const override;
  const history::Marks& marks(DatasetId d) const override;
  history::DatasetFace face(DatasetId d, CommitNumber c) const override;
  std::optional<DatasetId> holder(std::string_view name) const override;
  bool retained(CommitNumber) const override { return true; }
  bool forgets(CommitNumber) const override { return false; }

 private:
  std::vector<history::Difference> collisions(DatasetId d,
                                              const std::vector<history::RowsOfBegin>& back,
                                              const std::vector<history::RowsOfBegin>& since) const;
  void follow_rows(Commit n);

  const Model& model_;
  std::unique_ptr<history::Lineage> lineage_ = std::make_unique<history::Lineage>();
  std::map<DatasetId, history::Marks> marks_;
  std::map<DatasetId, std::map<Commit, std::vector<Stamp>>> rows_;  // by begin, then ordinal
  std::map<Stamp, std::uint64_t> ordinals_;
  history::Reversal reversal_;
  std::vector<DatasetId> replaced_;
};

}  // namespace otolith::lineage_model
