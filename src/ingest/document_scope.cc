#include "ingest/document_scope.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/stopping.h"
#include "scan/document_pairs.h"

namespace otolith::ingest {

namespace {

using TimeOf = std::function<Timestamp(CommitNumber)>;

class Inside {
 public:
  Inside(const DocumentScope& scope, const TimeOf& time_of) : scope_(scope), time_of_(time_of) {}

  bool id(std::string_view id) const {
    return !scope_.ids || std::ranges::binary_search(*scope_.ids, id);
  }

  bool time(const std::optional<scan::DocumentSide>& side) const {
    if (!side) return false;
    if (!scope_.start && !scope_.stop) return true;
    const bool stated = side->time != kTimeOfCommit || mutant("scope-by-stored-time");
    const Timestamp time = stated ? side->time : time_of_(side->row.begin);
    return (!scope_.start || time >= *scope_.start) && (!scope_.stop || time < *scope_.stop);
  }

 private:
  const DocumentScope& scope_;
  const TimeOf& time_of_;
};

history::MarkList marks_of(std::vector<RowId> rows) {
  std::ranges::sort(rows);
  history::MarkList out;
  for (const RowId& row : rows) out.append({row.begin, row.ordinal, 1, false});
  return out;
}

history::RowsBack rows_back(scan::DocumentPairs pairs, const Inside& inside) {
  std::vector<RowId> ended;
  std::vector<RowId> revived;
  while (const auto pair = pairs.next()) {
    stop_point();
    if (!inside.id(pair->id)) continue;
    const bool now = inside.time(pair->before);
    const bool then = inside.time(pair->after);
    const bool each = mutant("scope-of-rows-not-documents");
    if (pair->before && (now || (then && !each))) ended.push_back(pair->before->row);
    if (pair->after && (then || (now && !each))) revived.push_back(pair->after->row);
  }
  return {marks_of(std::move(ended)), marks_of(std::move(revived))};
}

}  // namespace

history::Marking marking_back(const scan::ScanContext& context,
                              const history::DatasetEntry& dataset, const DocumentScope& scope,
                              CommitNumber to) {
  DocumentScope sorted = scope;
  if (sorted.ids) std::ranges::sort(*sorted.ids);
  history::Marking out{dataset.id, dataset.name, dataset.schema, false, {}, to, {}};
  out.find_back = [context, sorted](const std::shared_ptr<const history::Snapshot>& present,
                                    const std::shared_ptr<const history::Snapshot>& older,
                                    const history::DatasetEntry& entry, const TimeOf& time_of) {
    return rows_back({{context, present, entry, false}, {context, older, entry, false}},
                     Inside(sorted, time_of));
  };
  return out;
}

}  // namespace otolith::ingest
