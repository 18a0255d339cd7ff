#include "test/model/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace otolith::lineage_model {

namespace {

using history::contains;

DatasetId id_of(Dataset d) {
  return {CommitNumber{d.created}, static_cast<std::uint32_t>(d.index)};
}
Dataset dataset_of(DatasetId d) { return {value_of(d.created), static_cast<int>(d.index)}; }

std::shared_ptr<const Schema> schema_of(const Columns& columns, Policy policy) {
  static constexpr TypeKind kTypes[] = {TypeKind::int8, TypeKind::int16, TypeKind::int32,
                                        TypeKind::int64};
  auto schema = std::make_shared<Schema>();
  const bool unique = policy == Policy::error || policy == Policy::collection;
  if (unique) schema->duplicates = Duplicates::error;
  for (const Column& column : columns) {
    otolith::Column out;
    out.id = static_cast<std::uint32_t>(column.id);
    out.name = std::to_string(column.label);
    out.type = {kTypes[column.width - 1]};
    out.nullable = !column.required;
    schema->columns.push_back(std::move(out));
  }
  return schema;
}

history::CatalogEvent::Kind kind_of(CatalogFact::Kind kind) {
  using Kind = history::CatalogEvent::Kind;
  static constexpr Kind kKinds[] = {Kind::create, Kind::drop, Kind::rename, Kind::alter};
  return kKinds[static_cast<int>(kind)];
}

}  // namespace

// ---- what commits did ----

std::vector<DatasetId> Replay::touched(const history::CommitRuns& commits) const {
  std::vector<DatasetId> touched;
  for (const auto& [d, facts] : model_.catalog()) {
    const DatasetId id = id_of(d);
    const auto rows = rows_.find(id);
    const bool any = !catalog_events(id, commits).empty() ||
                     (rows != rows_.end() && !rows_added(id, commits).empty()) ||
                     !marks(id).of_commits(commits).empty();
    if (any) touched.push_back(id);
  }
  return touched;
}

std::vector<history::RowsAdded> Replay::rows_added(DatasetId d,
                                                   const history::CommitRuns& commits) const {
  std::vector<history::RowsAdded> added;
  const auto rows = rows_.find(d);
  if (rows == rows_.end()) return added;
  for (const auto& [begin, stamps] : rows->second) {
    if (contains(commits, CommitNumber{begin}))
      added.push_back({CommitNumber{begin}, stamps.size()});
  }
  return added;
}

std::vector<history::CatalogEvent> Replay::catalog_events(
    DatasetId d, const history::CommitRuns& commits) const {
  std::vector<history::CatalogEvent> events;
  for (const CatalogFact& fact : model_.catalog().at(dataset_of(d))) {
    const CommitNumber commit{fact.commit};
    if (contains(commits, commit)) events.push_back({commit, kind_of(fact.kind)});
  }
  return events;
}

const history::Marks& Replay::marks(DatasetId d) const {
  static const history::Marks kNone;
  const auto at = marks_.find(d);
  return at == marks_.end() ? kNone : at->second;
}

history::DatasetFace Replay::face(DatasetId d, CommitNumber c) const {
  const auto facts = model_.catalog().find(dataset_of(d));
  if (facts == model_.catalog().end()) return {};
  Set v;
  for (const CatalogFact& fact : facts->second) {
    if (lineage_->contains(d, c, CommitNumber{fact.commit})) v.insert(fact.commit);
  }
  const auto table = model_.face(dataset_of(d), v);
  if (!table) return {};
  return {std::to_string(table->name), schema_of(table->columns, table->policy)};
}

std::optional<DatasetId> Replay::holder(std::string_view name) const {
  for (const auto& [d, facts] : model_.catalog()) {
    const auto now = face(id_of(d), lineage_->last());
    if (now.exists() && now.name == name) return id_of(d);
  }
  return std::nullopt;
}

// Reads the rows, as the database's check will.
std::vector<history::Difference> Replay::collisions(
    DatasetId d, const std::vector<history::RowsOfBegin>& back,
    const std::vector<history::RowsOfBegin>& since) const {
  const bool by_id = model_.catalog().at(dataset_of(d)).front().face.policy == Policy::collection;
  std::set<std::pair<int, int>> keys;
  std::vector<history::Difference> found;
  const auto each = [&](const std::vector<history::RowsOfBegin>& rows, auto visit) {
    for (const auto& [begin, set] : rows) {
      for (const RowRange& range : set) {
        for (std::uint64_t i = range.first; i < range.end(); ++i) {
          const Row& row = model_.rows().at(rows_.at(d).at(value_of(begin)).at(i)).row;
          visit(begin, i, std::pair(row.key, by_id ? 0 : row.time));
        }
      }
    }
  };
  each(since, [&](CommitNumber, std::uint64_t, auto key) { keys.insert(key); });
  each(back, [&](CommitNumber begin, std::uint64_t i, auto key) {
    if (!keys.contains(key)) return;
    history::Difference difference;
    difference.kind = history::Difference::Kind::unique;
    difference.dataset = d;
    difference.begin = begin;
    difference.rows = {{i, 1}};
    found.push_back(std::move(difference));
  });
  return found;
}

// ---- decisions and appends ----

bool Replay::accepts(const Operation& operation) {
  const auto dataset = operation.dataset ? std::optional(id_of(*operation.dataset)) : std::nullopt;
  if (operation.kind == Operation::Kind::revert) {
    const auto decision =
        history::decide_revert(*lineage_, *this, CommitNumber{operation.target}, dataset,
                               [&](DatasetId d, const auto&, const auto& back, const auto& since) {
                                 return collisions(d, back, since);
                               });
    reversal_ = decision.reversal;
    return decision.accepted();
  }
  if (operation.kind == Operation::Kind::rollback) {
    const auto decision = history::decide_rollback(*lineage_, *this, CommitNumber{operation.target},
                                                   dataset, operation.replace_name);
    replaced_ = decision.replaced;
    return decision.accepted();
  }
  return true;
}

void Replay::follow_rows(Commit n) {
  std::map<DatasetId, std::vector<history::MarkRun>> runs;
  for (const auto& [stamp, row] : model_.rows()) {
    const DatasetId d = id_of(row.dataset);
    const Commit begin = row.events.front().commit;
    if (begin == n) {
      auto& stamps = rows_[d][begin];
      ordinals_[stamp] = stamps.size();
      stamps.push_back(stamp);
    } else if (row.events.back().commit == n) {
      runs[d].push_back({CommitNumber{begin}, ordinals_.at(stamp), 1, row.events.back().alive});
    }
  }
  for (auto& [d, marked] : runs) {
    std::ranges::sort(marked, {}, [](const auto& run) { return std::pair(run.begin, run.first); });
    marks_[d].append(CommitNumber{n}, marked);
  }
}

void Replay::follow(const Operation& operation) {
  const CommitNumber n{model_.head()};
  if (lineage_->last() == n) return;  // a tag is no commit
  switch (operation.kind) {
    case Operation::Kind::rollback:
      lineage_->append_rollback(
          n, CommitNumber{operation.target},
          operation.dataset ? std::optional(id_of(*operation.dataset)) : std::nullopt,
          !replaced_.empty());
      break;
    case Operation::Kind::revert:
      lineage_->append_revert(n, reversal_);
      break;
    default:
      lineage_->append(n);
      follow_rows(value_of(n));
  }
}

void Replay::reload() {
  ByteWriter out;
  lineage_->save(out, lineage_->last());
  ByteReader in(out.view());
  lineage_ = history::Lineage::load(in);
  in.expect_end();
}

std::string Replay::compare() const {
  constexpr Commit kAllCommits = 64;  // of longer programs only the newest two, as judge.cc does
  const Commit first = model_.head() > kAllCommits ? model_.head() - 1 : 0;
  for (const auto& [d, begins] : rows_) {
    for (Commit c = first; c <= model_.head(); ++c) {
      const Set& v = model_.lineage(dataset_of(d), c);
      for (const auto& [begin, stamps] : begins) {
        const auto visible = marks(d).visible(
            CommitNumber{begin}, stamps.size(),
            [&](CommitNumber b) { return lineage_->contains(d, CommitNumber{c}, b); });
        for (std::uint64_t i = 0; i < stamps.size(); ++i) {
          const bool shown = visible.shows(i);
          if (shown == model_.visible(model_.rows().at(stamps[i]), v)) continue;
          return fmt::format("row {} of commit {} at commit {}: {}", i, begin, c, shown);
        }
      }
    }
  }
  return {};
}

}  // namespace otolith::lineage_model
