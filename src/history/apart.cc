#include "history/apart.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

// Rows of begins that may differ: all that commits of the difference began, and what they marked.
std::map<CommitNumber, RowSet> candidates_of(const DatasetVersion& dataset,
                                             const CommitRuns& commits,
                                             const std::vector<RowsAdded>& begun) {
  std::map<CommitNumber, RowSet> out;
  for (const RowsAdded& added : begun) out[added.begin] = {{0, added.rows}};
  std::map<CommitNumber, std::vector<RowRange>> marked;
  for (const Mark& mark : dataset.marks->of_commits(commits)) {
    if (!out.contains(mark.run.begin))
      marked[mark.run.begin].push_back({mark.run.first, mark.run.count});
  }
  if (mutant("diff-ignores-marks")) return out;
  for (auto& [begin, ranges] : marked) {
    std::ranges::sort(ranges, {}, &RowRange::first);
    RowSet& rows = out[begin];
    for (const RowRange& range : ranges) {  // marks of several commits may overlap
      const std::uint64_t first = std::max(range.first, rows.end_row());
      if (first < range.end()) rows.append({first, range.end() - first});
    }
  }
  return out;
}

RowSet shown_among(const CatalogView& view, const DatasetVersion& dataset, CommitNumber begin,
                   const RowSet& rows) {
  if (begin > view.commit) return {};
  const InLineage in_lineage = [&](CommitNumber commit) {
    return commit <= view.commit && view.lineage->contains(dataset.id, view.commit, commit);
  };
  return dataset.marks->visible(begin, kSegmentRowsMax, in_lineage).among(rows);
}

bool same(const std::optional<DatasetEntry>& a, const std::optional<DatasetEntry>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || (a->name == b->name && (a->schema == b->schema || *a->schema == *b->schema));
}

class Comparison {
 public:
  Comparison(const CatalogView& from, const CatalogView& to) : from_(from), to_(to) {}

  void dataset(DatasetId id, const CommitRuns& commits, const std::vector<RowsAdded>& begun) {
    const DatasetVersion* version = to_.catalog->find(id);
    if (version == nullptr) return;
    DatasetApart apart{id, entry(from_, *version), entry(to_, *version), {}};
    if (apart.before && apart.after) apart.rows = rows_apart(from_, to_, *version, commits, begun);
    if (!same(apart.before, apart.after) || !apart.rows.empty()) found_.push_back(std::move(apart));
  }

  std::vector<DatasetApart> take() {
    std::ranges::sort(found_, {}, &DatasetApart::dataset);
    return std::move(found_);
  }

 private:
  static std::optional<DatasetEntry> entry(const CatalogView& view, const DatasetVersion& version) {
    return version.id.created <= view.commit ? dataset_at(view, version) : std::nullopt;
  }

  const CatalogView& from_;
  const CatalogView& to_;
  std::vector<DatasetApart> found_;
};

}  // namespace

CommitRuns all_of(const LineageDifference& difference) {
  CommitSet all(difference.only_a);
  for (const CommitRun& run : difference.only_b) all.add(run);
  return all.runs();
}

RowsApart rows_apart(const CatalogView& from, const CatalogView& to, const DatasetVersion& dataset,
                     const CommitRuns& commits, const std::vector<RowsAdded>& begun) {
  RowsApart out;
  for (const auto& [begin, rows] : candidates_of(dataset, commits, begun)) {
    const RowSet before = shown_among(from, dataset, begin, rows);
    const RowSet after = shown_among(to, dataset, begin, rows);
    RowSet added = without(after, before);
    RowSet removed = without(before, after);
    if (!added.empty()) out.added.push_back({begin, std::move(added)});
    if (!removed.empty()) out.removed.push_back({begin, std::move(removed)});
  }
  return out;
}

std::vector<DatasetApart> datasets_apart(const CatalogView& from, const CatalogView& to,
                                         std::optional<DatasetId> dataset,
                                         const BegunBy& begun_by) {
  Comparison comparison(from, to);
  const auto commits_of = [&](std::optional<DatasetId> of) {
    return all_of(to.lineage->difference(of, from.commit, to.commit));
  };
  const auto alone = [&](DatasetId id) {
    const CommitRuns commits = commits_of(id);
    const Begun begun = begun_by(commits);
    const auto rows = begun.find(id);
    if (rows != begun.end()) comparison.dataset(id, commits, rows->second);
  };
  if (dataset) {
    alone(*dataset);
    return comparison.take();
  }
  const std::vector<DatasetId> own = to.lineage->datasets_with_own_nodes();
  const CommitRuns commits = commits_of(std::nullopt);
  for (const auto& [id, begun] : begun_by(commits)) {
    if (!std::ranges::binary_search(own, id)) comparison.dataset(id, commits, begun);
  }
  for (const DatasetId id : own) alone(id);
  return comparison.take();
}

}  // namespace otolith::history
