// How states differ: two commits, or HEAD and what a request would make of it.
#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "history/live_history.h"
#include "history/rows_view.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kLookedUpAtOnce = 4096;  // commits; the mutex is given back in between
// Commits that a rollback or a revert took back or brought back, of which it is told what that came
// to: of more the question would take longer than the commit did.
constexpr std::uint64_t kLineageTold = 256;

void add_begun(Begun& begun, CommitNumber commit, const CommitMeta& meta) {
  for (const MetaChange& change : meta.text.changes) {
    std::vector<RowsAdded>& rows = begun[change.dataset];
    if (change.added != 0) rows.push_back({commit, change.added});
  }
}

RowsApart rows_marked(const MarkList& marks) {
  RowsApart out;
  for (const MarkSet& set : marks.sets()) {
    std::vector<RowsOfBegin>& rows = set.revive ? out.added : out.removed;
    if (rows.empty() || rows.back().begin != set.begin)
      rows.push_back({set.begin, set.rows});
    else
      rows.back().rows.append(set.rows);
  }
  return out;
}

}  // namespace

Begun LiveHistory::begun_by(const CommitRuns& commits) {
  Begun out;
  for (const CommitRun& run : commits) {
    for (CommitNumber at = run.first; at <= run.last;) {
      with_timeline([&] {
        mutex_.assert_held();
        for (std::uint64_t i = 0; i < kLookedUpAtOnce && at <= run.last; ++i) {
          add_begun(out, at, timeline_->index().meta(at));
          at = next(at);  // not before: after damage it is looked up again
        }
      });
    }
  }
  return out;
}

// A commit that is not there yet, of which a request asks, began nothing.
Begun LiveHistory::begun_by_held(const CommitRuns& commits) {
  Begun out;
  const CommitNumber head = timeline_->staged().commit;
  for (const CommitRun& run : commits) {
    for (CommitNumber at = run.first; at <= std::min(run.last, head); at = next(at))
      add_begun(out, at, timeline_->index().meta(at));
  }
  return out;
}

RowState LiveHistory::row_state(CommitNumber number) {
  return {timeline_->snapshot(number), timeline_->view_at(number), hash_of(number),
          [this](const CommitRuns& commits) { return begun_by(commits); },
          [this](CommitNumber commit) { return commit_time(commit); }};
}

// Nothing that it names is replaced while it is read.
RowState LiveHistory::row_state_held(CommitNumber number) {
  CatalogView view = timeline_->view_at(number);
  view.held = true;
  return {std::make_shared<SnapshotView>(view, timeline_->names_at(number)), view, hash_of(number),
          [this](const CommitRuns& commits) {
            mutex_.assert_held();
            return begun_by_held(commits);
          },
          [this](CommitNumber commit) {
            mutex_.assert_held();
            return timeline_->index().entry(commit).time;
          }};
}

Hash256 LiveHistory::hash_of(CommitNumber number) const {
  if (number > timeline_->staged().commit) return {};
  return value_of(number) == 0 ? Hash256{} : timeline_->index().hash(number);
}

StatesApart LiveHistory::apart(CommitNumber from, CommitNumber to,
                               std::optional<DatasetId> dataset) {
  const auto damage = look();
  StatesApart out;
  CatalogView before;
  CatalogView after;
  {
    const MutexLock guard(mutex_);
    check_there(from, damage);
    check_there(to, damage);
    out.from = timeline_->snapshot(from);
    out.to = timeline_->snapshot(to);
    before = timeline_->view_at(from);
    after = timeline_->view_at(to);
  }
  out.later = from > to ? out.from : out.to;
  out.datasets = datasets_apart(before, after, dataset,
                                [this](const CommitRuns& commits) { return begun_by(commits); });
  return out;
}

// What a rollback or a revert came to, which its record does not say.
std::map<std::string, ChangeCount> LiveHistory::changes_of_lineage(const CommitMeta& meta,
                                                                   CommitNumber number) {
  const CatalogView before = timeline_->view_at(CommitNumber{value_of(number) - 1});
  const CatalogView after = timeline_->view_at(number);
  const std::optional<DatasetId> alone = meta.text.lineage_of;
  const auto commits_of = [&](std::optional<DatasetId> of) {
    const LineageDifference apart = after.lineage->difference(of, before.commit, after.commit);
    return count(apart.only_a) + count(apart.only_b);
  };
  std::uint64_t commits = commits_of(alone);
  if (!alone) {
    for (const DatasetId own : after.lineage->datasets_with_own_nodes()) commits += commits_of(own);
  }
  std::map<std::string, ChangeCount> out;
  if (commits > kLineageTold) {
    const DatasetVersion* dataset = alone ? after.catalog->find(*alone) : nullptr;
    const auto entry = dataset != nullptr ? dataset_at(after, *dataset) : std::nullopt;
    if (entry) out[entry->name] = {};
    return out;
  }
  const auto begun = [this](const CommitRuns& of) {
    mutex_.assert_held();
    return begun_by_held(of);
  };
  for (const DatasetApart& of : datasets_apart(before, after, alone, begun)) {
    const std::string& name = of.after ? of.after->name : of.before->name;
    if (name != kDatabaseName) out[name] = {rows_in(of.rows.added), rows_in(of.rows.removed)};
  }
  return out;
}

// A record that was decided and not appended: a rollback or revert, or marks alone.
void LiveHistory::would_change(const CatalogView& head, const CommitRecord& record,
                               StatesApart& out) {
  if (std::holds_alternative<std::monostate>(record.lineage)) {
    for (const DatasetRecord& change : record.datasets) {
      const auto entry = dataset_at(head, *head.catalog->find(change.dataset));
      out.datasets.push_back({change.dataset, entry, entry, rows_marked(change.marks)});
    }
    return;
  }
  const std::shared_ptr<Lineage> lineage = head.lineage->copy(head.commit);
  append_lineage(*lineage, record);
  CatalogView after = head;
  after.lineage = lineage;
  after.commit = record.number;
  after.proposed = true;
  out.to = std::make_shared<SnapshotView>(after, std::make_shared<const NameTable>(after));
  out.datasets = datasets_apart(head, after, std::nullopt, [this](const CommitRuns& commits) {
    mutex_.assert_held();
    return begun_by_held(commits);
  });
  for (const CatalogChange& change : record.catalog) {  // whose name is taken
    const DatasetId gone = std::get<DropDataset>(change).dataset;
    std::erase_if(out.datasets, [&](const DatasetApart& of) { return of.dataset == gone; });
    out.datasets.push_back({gone, dataset_at(head, *head.catalog->find(gone)), std::nullopt, {}});
  }
}

StatesApart LiveHistory::preview(CommitRequest request) {
  request_prepare(request, *environment_);
  RowQuestions questions(request);
  refresh();
  if (!questions.empty()) {
    const RowState now = with_timeline([&] {
      mutex_.assert_held();
      return row_state(timeline_->visible().commit);
    });
    questions.bring_up(now, {});
  }
  return with_timeline([&] {
    mutex_.assert_held();
    timeline_->check_damage();
    const CommitNumber head = timeline_->staged().commit;
    if (!questions.empty()) questions.bring_up(row_state_held(head), hash_of(*questions.base()));
    const Verdict verdict =
        decide(request, true, *timeline_, options_.meetings, environment_->now());
    const CatalogView view = timeline_->view_at(head);
    StatesApart out;
    out.from = out.later = std::make_shared<SnapshotView>(view, timeline_->names_at(head));
    if (verdict.kind == Verdict::Kind::record) would_change(view, verdict.record, out);
    return out;
  });
}

}  // namespace otolith::history
