#include "history/revert.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/undoing.h"
#include "model/cast.h"

namespace otolith::history {

namespace {

using Kind = Difference::Kind;

// The latest commits of a set that changed a dataset itself; 0: none.
struct Uses {
  CommitNumber existence{0};
  CommitNumber name{0};
  CommitNumber schema{0};

  explicit Uses(const std::vector<CatalogEvent>& events) {
    for (const CatalogEvent& event : events) of(event.kind) = event.commit;
  }
  CommitNumber& of(CatalogEvent::Kind kind) noexcept {
    if (kind == CatalogEvent::Kind::rename) return name;
    return kind == CatalogEvent::Kind::alter ? schema : existence;
  }
};

bool any(CommitNumber commit) noexcept { return commit != CommitNumber{0}; }

// Judges a revert dataset by dataset and collects what stands against it.
class Judge {
 public:
  Judge(const Lineage& lineage, const Events& events, CommitNumber m, const UniqueCheck& unique)
      : lineage_(lineage), events_(events), m_(m), unique_(unique) {}

  // A dataset that T touched.
  void dataset(DatasetId d, const UndoingSets& sets) {
    const Undoing undoing(lineage_, events_, d, m_, sets);
    touched_ = true;
    for (Difference& row : undoing.rows_in_both(kDifferencesMax)) add(std::move(row));
    const Uses t(events_.catalog_events(d, sets.t));
    catalog(undoing, t);
    const DatasetFace after = face_after(d, t);
    if (any(t.existence) || any(t.name)) renamed_.emplace_back(d, after);
    // What follows asks what V(n) shows: without sense if the dataset itself is in dispute.
    if (!found_.empty() || !after.exists()) return;
    columns(undoing, t, *after.schema);
    if (unique_as_judged(d, *after.schema)) unique(undoing, after);
  }

  // Names that come back must be free, or become so by the same revert.
  void holders() {
    for (const auto& [d, after] : renamed_) {
      if (!after.exists() || mutant("revert-holders-ignored")) continue;
      const auto holder = events_.holder(after.name);
      const auto leaves = [&](const auto& other) {
        return other.first == *holder && other.second.name != after.name;
      };
      if (!holder || *holder == d || std::ranges::any_of(renamed_, leaves)) continue;
      add({.kind = Kind::holder,
           .dataset = d,
           .undone = m_,
           .since = {},
           .name = after.name,
           .rows = {},
           .begin = {},
           .other = holder});
    }
  }

  bool touched() const noexcept { return touched_; }
  std::vector<Difference> take() { return std::move(found_); }

 private:
  void add(Difference difference) {
    if (found_.size() == kDifferencesMax) return;
    if (difference.name.empty()) difference.name = name_of(difference.dataset);
    found_.push_back(std::move(difference));
  }
  void add(Kind kind, DatasetId d, CommitNumber undone, CommitNumber since) {
    add({.kind = kind,
         .dataset = d,
         .undone = undone,
         .since = since,
         .name = {},
         .rows = {},
         .begin = {},
         .other = {}});
  }
  std::string name_of(DatasetId d) const {
    const DatasetFace now = events_.face(d, lineage_.last());
    if (now.exists()) return now.name;
    const DatasetFace then = events_.face(d, m_);
    return then.exists() ? then.name : events_.face(d, d.created).name;
  }

  // The dataset as V(n) shows it, once T and S share no event of it.
  DatasetFace face_after(DatasetId d, const Uses& t) const {
    DatasetFace before = events_.face(d, CommitNumber{value_of(m_) - 1});
    if (any(t.existence)) return before;
    DatasetFace after = events_.face(d, lineage_.last());
    if (any(t.name)) after.name = before.name;
    if (any(t.schema)) after.schema = before.schema;
    return after;
  }

  void catalog(const Undoing& undoing, const Uses& t) {
    const DatasetId d = undoing.dataset();
    const auto events = events_.catalog_events(d, undoing.sets().s);
    const Uses s(events);
    if (any(s.existence) && !mutant("revert-existence-ignored")) {
      add(Kind::dataset, d, any(t.existence) ? t.existence : m_, s.existence);
    } else if (any(t.existence) && !mutant("revert-existence-ignored")) {
      const CommitNumber use =
          events.empty() ? undoing.first_use(undoing.sets().s) : events.front().commit;
      if (any(use)) add(Kind::dataset, d, t.existence, use);
    }
    if (any(t.name) && any(s.name) && !mutant("revert-names-ignored")) {
      add(Kind::name, d, t.name, s.name);
    }
    if (any(t.schema) && any(s.schema) && !mutant("revert-schemas-ignored")) {
      add(Kind::schema, d, t.schema, s.schema);
    }
  }

  // Whether n checks keys: as it shows the dataset, whatever the lineages before it said.
  bool unique_as_judged(DatasetId d, const Schema& after) const {
    const DatasetFace now = events_.face(d, lineage_.last());
    const bool by_now = mutant("revert-policy-of-head") && now.exists();
    const Schema& schema = by_now ? *now.schema : after;
    return schema.duplicates == Duplicates::error || schema.kind == DatasetKind::collection;
  }

  // Rows that come back fit the schema; rows shown since m fit it too, lose no column by it, and
  // were not taken unchecked where it asks for unique keys.
  void columns(const Undoing& undoing, const Uses& t, const Schema& after) {
    const DatasetId d = undoing.dataset();
    for (const CommitNumber begin : undoing.begins_back()) {
      const auto written = events_.face(d, begin).schema;
      if (rows_fit(*written, after) || mutant("revert-returning-rows-unfit")) continue;
      if (!undoing.rows_back(begin).empty()) add(Kind::schema, d, m_, begin);
    }
    if (!any(t.schema) || mutant("revert-columns-ignored")) return;
    const auto then = events_.face(d, m_).schema;
    const bool unchecked = after.duplicates == Duplicates::error && then != nullptr &&
                           then->duplicates != Duplicates::error &&
                           !mutant("revert-unchecked-rows-kept");
    for (const CommitNumber begin : undoing.begins_since()) {
      const auto written = events_.face(d, begin).schema;
      if (rows_fit(*written, after) && !loses(*written, *then, after) && !unchecked) continue;
      if (!undoing.rows_since(begin).empty()) add(Kind::schema, d, t.schema, begin);
    }
  }

  // Whether going from one schema to another hides a column that the rows carry.
  static bool loses(const Schema& written, const Schema& from, const Schema& to) {
    const auto has = [](const Schema& schema, std::uint32_t id) {
      return std::ranges::find(schema.columns, id, &Column::id) != schema.columns.end();
    };
    return std::ranges::any_of(written.columns, [&](const Column& column) {
      return has(from, column.id) && !has(to, column.id);
    });
  }

  void unique(const Undoing& undoing, const DatasetFace& after) {
    std::vector<RowsOfBegin> back;
    for (const CommitNumber begin : undoing.begins_back()) {
      if (auto rows = undoing.rows_back(begin); !rows.empty())
        back.push_back({begin, std::move(rows)});
    }
    if (back.empty()) return;
    std::vector<RowsOfBegin> since;
    for (const CommitNumber begin : undoing.begins_since()) {
      auto rows = undoing.rows_since(begin);
      if (!rows.empty()) since.push_back({begin, std::move(rows)});
    }
    if (since.empty()) return;
    if (!unique_) {  // better refused than shown twice
      add(Kind::unique, undoing.dataset(), m_, since.front().begin);
      return;
    }
    for (Difference& row : unique_(undoing.dataset(), after, back, since)) add(std::move(row));
  }

  const Lineage& lineage_;
  const Events& events_;
  CommitNumber m_;
  const UniqueCheck& unique_;
  std::vector<Difference> found_;
  std::vector<std::pair<DatasetId, DatasetFace>> renamed_;  // with what they will be
  bool touched_ = false;
};

void check_retained(const Events& events, CommitNumber c, const char* what) {
  if (events.retained(c)) return;
  throw_error(ErrorCode::snapshot_expired, "cannot {} commit {}: it is no longer retained", what,
              value_of(c));
}

void check_revertible(const Lineage& lineage, const Events& events, CommitNumber m) {
  if (m == CommitNumber{0}) {
    throw_error(ErrorCode::invalid_argument,
                "cannot revert 0, the empty database before the first commit: name a commit from 1 "
                "to {}",
                value_of(lineage.last()));
  }
  if (m > lineage.last()) {
    throw_error(ErrorCode::invalid_argument, "cannot revert commit {}: the last commit is {}",
                value_of(m), value_of(lineage.last()));
  }
  check_retained(events, m, "revert");
  check_retained(events, CommitNumber{value_of(m) - 1}, "revert across");
  if (events.forgets(m)) {
    throw_error(ErrorCode::invalid_argument,
                "cannot revert commit {}: what an expire or erase forgot does not come back",
                value_of(m));
  }
}

bool touches(const Events& events, DatasetId d, const CommitRuns& commits) {
  const std::vector<DatasetId> touched = events.touched(commits);
  return std::ranges::find(touched, d) != touched.end();
}

std::string rows_text(const Difference& difference) {
  const RowRange run = difference.rows.empty() ? RowRange{} : *difference.rows.begin();
  return fmt::format("{} row{} of {} begun by commit {}", run.count, run.count == 1 ? "" : "s",
                     quoted(difference.name), value_of(difference.begin));
}

std::string no_longer(const std::string& name, std::uint64_t commit) {
  return fmt::format("{} is not as commit {} left it: that commit is no longer in effect",
                     quoted(name), commit);
}

}  // namespace

RevertDecision decide_revert(const Lineage& lineage, const Events& events, CommitNumber m,
                             std::optional<DatasetId> dataset, const UniqueCheck& unique) {
  check_revertible(lineage, events, m);
  Judge judge(lineage, events, m, unique);
  const std::vector<DatasetId> own = lineage.datasets_with_own_nodes();
  if (!dataset) {
    const UndoingSets sets = undoing_sets(lineage, std::nullopt, m);
    for (const DatasetId d : events.touched(sets.t)) {
      if (!std::ranges::binary_search(own, d)) judge.dataset(d, sets);
    }
  }
  for (const DatasetId d : dataset ? std::vector{*dataset} : own) {
    const UndoingSets sets = undoing_sets(lineage, d, m);
    if (touches(events, d, sets.t)) judge.dataset(d, sets);
  }
  judge.holders();
  RevertDecision decision{lineage.reversal_of(m, dataset), judge.take(), judge.touched()};
  if (mutant("revert-without-inverse-check")) decision.differences.clear();
  return decision;
}

RollbackDecision decide_rollback(const Lineage& lineage, const Events& events, CommitNumber k,
                                 std::optional<DatasetId> dataset, bool replace_name) {
  if (k > lineage.last()) {
    throw_error(ErrorCode::invalid_argument, "cannot roll back to commit {}: the last commit is {}",
                value_of(k), value_of(lineage.last()));
  }
  check_retained(events, k, "roll back to");
  RollbackDecision decision;
  const DatasetFace then = dataset ? events.face(*dataset, k) : DatasetFace{};
  const auto holder = then.exists() ? events.holder(then.name) : std::nullopt;
  if (!holder || *holder == *dataset || mutant("rollback-holder-ignored")) return decision;
  if (replace_name) {
    decision.replaced.push_back(*holder);
  } else {
    decision.differences.push_back({.kind = Kind::holder,
                                    .dataset = *dataset,
                                    .undone = k,
                                    .since = {},
                                    .name = then.name,
                                    .rows = {},
                                    .begin = {},
                                    .other = holder});
  }
  return decision;
}

bool rows_fit(const Schema& written, const Schema& shown) noexcept {
  return std::ranges::all_of(shown.columns, [&](const Column& column) {
    const auto value = std::ranges::find(written.columns, column.id, &Column::id);
    if (value == written.columns.end()) return column.nullable;
    return model::cast_always_exact(value->type, column.type);
  });
}

std::string Difference::text() const {
  const std::uint64_t m = value_of(undone);
  const std::uint64_t s = value_of(since);
  switch (kind) {
    case Kind::rows:
      return m == s ? fmt::format("{} are not as commit {} left them: it is no longer in effect",
                                  rows_text(*this), m)
                    : fmt::format("{} were changed by commit {} and again by commit {}",
                                  rows_text(*this), m, s);
    case Kind::dataset:
      if (m == s) return no_longer(name, m);
      return fmt::format("{} was changed by commit {}, and created, dropped or used by commit {}",
                         quoted(name), m, s);
    case Kind::name:
      if (m == s) return no_longer(name, m);
      return fmt::format("{} was renamed by commit {} and again by commit {}", quoted(name), m, s);
    case Kind::schema:
      if (m == s) return no_longer(name, m);
      return fmt::format(
          "the columns of {}: rows or changes of commit {} stand against undoing "
          "commit {}",
          quoted(name), s, m);
    case Kind::holder:
      return fmt::format("the name {} is held by another dataset: rename or drop that one first",
                         quoted(name));
    case Kind::unique:
      if (rows.empty()) {
        return fmt::format(
            "rows of {} would come back, and whether rows shown since commit {} have "
            "the same id or key cannot be looked up",
            quoted(name), m);
      }
      return fmt::format(
          "{} would come back beside one of the same id or key, shown since by "
          "commit {}",
          rows_text(*this), s);
  }
  return {};
}

}  // namespace otolith::history
