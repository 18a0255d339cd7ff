// Random histories against a plain model: what each commit shows, through everything that may
// happen to a database between two looks.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "history/history_fixture.h"
#include "test/budget.h"

namespace otolith::history {

using namespace test;

namespace {

constexpr int kSteps = 60;
constexpr std::uint64_t kQuickPrograms = 200;

// What a commit shows of one dataset. Rows stay where the dataset is dropped: a revert brings both
// back.
struct Face {
  bool exists = false;
  std::string name;
  std::size_t columns = 0;
  std::set<RowId> rows;
  bool operator==(const Face&) const = default;
};
using State = std::map<DatasetId, Face>;

Face face_of(const State& state, DatasetId dataset) {
  const auto found = state.find(dataset);
  return found != state.end() ? found->second : Face{};
}

class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed), ground_(seed) {
    ground_.options.checkpoint_commits = 1 + below(12);
    ground_.options.log.file_bytes = 8 << 10;
    states_.emplace_back();
    handles_.push_back(ground_.open());
    handles_.push_back(ground_.open());
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      check(CommitNumber{states_.size() - 1}, false);
      check(CommitNumber{below(states_.size())}, true);
      count_past();
    }
    for (std::uint64_t n = 0; n < states_.size(); ++n) check(CommitNumber{n}, true);
    history().verify([](const Error& error) { FAIL(error.what()); });
  }

  std::uint64_t reverts = 0;
  std::uint64_t refused = 0;
  std::uint64_t compacts = 0;
  std::uint64_t past = 0;
  std::uint64_t past_listed = 0;
  std::uint64_t sides_stand = 0;
  std::uint64_t sides_turned = 0;

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  History& history() { return *handles_[below(handles_.size())]; }
  const State& now() const { return states_.back(); }
  CommitNumber head() const { return CommitNumber{states_.size() - 1}; }

  std::optional<DatasetId> any_dataset() {
    std::vector<DatasetId> all;
    for (const auto& [dataset, face] : now()) {
      if (face.exists) all.push_back(dataset);
    }
    if (all.empty()) return std::nullopt;
    return all[below(all.size())];
  }

  bool taken(const std::string& name) const {
    return std::ranges::any_of(
        now(), [&](const auto& each) { return each.second.exists && each.second.name == name; });
  }

  // Commits what must succeed as the next state, or what must be refused.
  void expect(CommitRequest request, State state, bool accepted = true) {
    request.relaxed = below(3) == 0;
    if (!accepted) {
      try {
        history().commit(request);
        FAIL("a change that conflicts was accepted");
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::conflict);
      }
      return;
    }
    const Commit commit = history().commit(request);
    const bool same = state == now() && request.catalog.empty() && request.datasets.empty();
    if (same && commit.number == head()) return;  // an empty change
    CHECK(commit.number == next(head()));
    states_.push_back(std::move(state));
  }

  void step() {
    switch (below(17)) {
      case 0:
        return create();
      case 1:
        return rename();
      case 2:
        return drop();
      case 3:
        return alter();
      case 4:
        return rollback(false);
      case 5:
        return rollback(true);
      case 6:
      case 7:
        return revert();
      case 8:
        return seal();
      case 9:
        return tag();
      case 10:
        return reopen();
      case 11:
        return again();
      case 12:
        return compact();
      default:
        return write();
    }
  }

  void create() {
    const std::string name(1, static_cast<char>('a' + below(5)));
    State state = now();
    state[DatasetId{next(head()), 0}] = {true, name, 2, {}};
    expect(create_request(name), state, !taken(name));
  }

  void rename() {
    const auto dataset = any_dataset();
    if (!dataset) return;
    const std::string name(1, static_cast<char>('a' + below(5)));
    State state = now();
    const bool free = !taken(name) || state[*dataset].name == name;
    state[*dataset].name = name;
    CommitRequest request;
    request.catalog.emplace_back(RenameDataset{*dataset, name});
    expect(request, state, free);
  }

  void drop() {
    const auto dataset = any_dataset();
    if (!dataset || below(2) == 0) return;
    State state = now();
    state[*dataset].exists = false;
    CommitRequest request;
    request.catalog.emplace_back(DropDataset{*dataset});
    expect(request, state);
  }

  void alter() {
    const auto dataset = any_dataset();
    if (!dataset) return;
    State state = now();
    Schema schema = *history().head()->find(*dataset)->schema;
    schema.columns.push_back(
        {fmt::format("c{}", states_.size()), {TypeKind::int64}, true, 0, "", {}});
    ++state[*dataset].columns;
    CommitRequest request;
    request.catalog.emplace_back(AlterDataset{*dataset, schema});
    expect(request, state);
    std::uint32_t& highest = highest_column_[*dataset];
    const std::uint32_t id = history().head()->find(*dataset)->schema->columns.back().id;
    CHECK(id > std::max(highest, 2u));
    highest = id;
  }

  // Adds rows, ends visible ones, revives others.
  DatasetChange change_of(DatasetId dataset, Face& face) {
    DatasetChange change;
    const std::uint64_t rows = below(4);
    if (rows != 0 && below(3) == 0) {
      change = segment_of(dataset, ++segment_, rows);
    } else if (rows != 0) {
      change = rows_of(dataset, fmt::format("{}", states_.size()), rows);
    }
    change.dataset = dataset;
    for (const RowId& row : ever_[dataset]) {
      if (below(6) != 0) continue;
      const bool shown = face.rows.contains(row);
      change.marks.append(MarkRun{row.begin, row.ordinal, 1, !shown});
      if (shown) {
        face.rows.erase(row);
      } else {
        face.rows.insert(row);
      }
    }
    for (std::uint64_t i = 0; i < rows; ++i) face.rows.insert({next(head()), i});
    return change;
  }

  void write() {
    State state = now();
    std::vector<DatasetChange> changes;
    for (std::uint64_t i = 0; i < 1 + below(2); ++i) {
      const auto dataset = any_dataset();
      const bool twice = dataset && !changes.empty() && changes[0].dataset == *dataset;
      if (!dataset || twice) continue;
      DatasetChange change = change_of(*dataset, state[*dataset]);
      if (change.rows_added != 0 || !change.marks.empty()) changes.push_back(std::move(change));
    }
    const CommitNumber number = next(head());
    expect(request_of(changes), state);
    for (const DatasetChange& change : changes) {
      for (std::uint64_t i = 0; i < change.rows_added; ++i)
        ever_[change.dataset].insert({number, i});
    }
  }

  void rollback(bool alone) {
    const CommitNumber to{below(states_.size())};
    const State& old = states_[value_of(to)];
    State state = old;
    CommitRequest request = rollback_to(to);
    bool accepted = true;
    if (alone) {
      const auto dataset = any_dataset();
      if (!dataset) return;
      state = now();
      const Face back = face_of(old, *dataset);
      const bool replace = below(2) == 0;
      request.lineage = Rollback{to, dataset, replace};
      for (auto& [other, face] : state) {
        if (other == *dataset || !back.exists || !face.exists || face.name != back.name) continue;
        if (!replace) accepted = false;
        face.exists = false;
      }
      state[*dataset] = back;
    }
    for (const auto& [dataset, face] : now()) state.try_emplace(dataset);
    expect(request, state, accepted);
  }

  // The state without what m changed; nullopt if something of it was changed again since.
  std::optional<State> undone(CommitNumber m) const {
    State state = now();
    for (auto& [dataset, face] : state) {
      const Face before = face_of(states_[value_of(m) - 1], dataset);
      const Face after = face_of(states_[value_of(m)], dataset);
      const auto undo = [&](auto field) {
        if (before.*field == after.*field) return true;
        if (face.*field != after.*field) return false;
        face.*field = before.*field;
        return true;
      };
      bool exact = undo(&Face::exists) && undo(&Face::name) && undo(&Face::columns);
      for (const auto& [from, to] : {std::pair(&before, &after), std::pair(&after, &before)}) {
        for (const RowId& row : from->rows) {
          if (to->rows.contains(row)) continue;
          exact = exact && face.rows.contains(row) == (from == &after);
          if (from == &after) {
            face.rows.erase(row);
          } else {
            face.rows.insert(row);
          }
        }
      }
      if (!exact) return std::nullopt;
    }
    return state;
  }

  void revert() {
    if (states_.size() < 2) return;
    // Young ones mostly: old ones are refused.
    const std::uint64_t back = below(2) == 0 ? below(std::min<std::uint64_t>(4, states_.size() - 1))
                                             : below(states_.size() - 1);
    const CommitNumber m{states_.size() - 1 - back};
    ++reverts;
    try {
      const Commit commit = history().commit(revert_of(m));
      const auto state = undone(m);
      CHECK_MESSAGE(state.has_value(), "a revert that is not exact was accepted");
      if (commit.number == head()) {  // nothing of m is left to undo
        CHECK(state == now());
        return;
      }
      CHECK(commit.number == next(head()));
      states_.push_back(state.value_or(now()));
    } catch (const Error& error) {
      REQUIRE(error.code() == ErrorCode::conflict);
      ++refused;
    }
  }

  void seal() {
    SealRequest request;
    History& by = history();
    by.sync();
    request.covers = by.seal_point();
    for (const auto& [dataset, tail] : by.tail_until(request.covers)) {
      SegmentEntry entry{{}, tail.front().begin, tail.back().begin, true};
      entry.ref.id = id_of(++segment_);
      for (const TailEntry& part : tail) entry.ref.rows += part.rows;
      sealed_[entry.ref.id] = tail;
      if (below(4) != 0) request.datasets.push_back({dataset, entry});
    }
    CHECK(by.seal(request) == !request.datasets.empty());
  }

  std::vector<RowId> rows_of_segment(const SegmentEntry& entry) const {
    if (const auto found = joined_.find(entry.ref.id); found != joined_.end()) return found->second;
    std::vector<RowId> out;
    const auto add = [&](CommitNumber begin, std::uint64_t rows) {
      for (std::uint64_t i = 0; i < rows; ++i) out.push_back({begin, i});
    };
    if (!entry.many) add(entry.begin_first, entry.ref.rows);
    if (entry.many) {
      for (const TailEntry& part : sealed_.at(entry.ref.id)) add(part.begin, part.rows);
    }
    return out;
  }

  void add_side(CompactRequest& request, Side side, std::vector<RowId> rows) {
    if (rows.empty()) return;
    const auto [first, last] = std::ranges::minmax(rows, {}, &RowId::begin);
    SegmentEntry entry{{}, first.begin, last.begin, true, side, head()};
    entry.ref.id = id_of(++segment_);
    entry.ref.rows = rows.size();
    joined_[entry.ref.id] = std::move(rows);
    request.segments.push_back(entry);
  }

  // Some segments of a dataset, into one of what is shown now and one of all else.
  void compact() {
    History& by = history();
    by.sync();
    std::map<DatasetId, std::vector<SegmentEntry>> chosen;
    for (const NeededSegment& needed : by.all_segments()) {
      if (!needed.marks && below(3) != 0) chosen[needed.dataset].push_back(needed.entry);
    }
    for (const auto& [dataset, entries] : chosen) {
      CompactRequest request{.dataset = dataset, .replaced = {}, .segments = {}};
      std::vector<RowId> sides[2];
      const Face face = face_of(now(), dataset);
      for (const SegmentEntry& entry : entries) {
        request.replaced.push_back(entry.ref.id);
        for (const RowId& row : rows_of_segment(entry))
          sides[face.rows.contains(row) ? 0 : 1].push_back(row);
      }
      add_side(request, Side::present, std::move(sides[0]));
      add_side(request, Side::past, std::move(sides[1]));
      CHECK(by.compact(request));
      ++compacts;
    }
  }

  // How many of all past segments HEAD lists.
  void count_past() {
    for (const NeededSegment& needed : history().all_segments())
      past += needed.entry.side == Side::past ? 1 : 0;
    for (const auto& [dataset, face] : now()) {
      for (const SegmentEntry& entry : history().head()->segments(dataset))
        past_listed += entry.side == Side::past ? 1 : 0;
    }
  }

  void tag() {
    const std::string name = fmt::format("t{}", below(4));
    if (tags_.contains(name)) {
      CHECK_THROWS_AS(history().tag(name, head()), Error);
      history().untag(name);
      tags_.erase(name);
    } else if (value_of(head()) != 0) {
      const CommitNumber number{1 + below(value_of(head()))};
      history().tag(name, number);
      tags_[name] = number;
    }
  }

  void reopen() {
    const std::uint64_t how = below(4);
    const std::size_t which = below(handles_.size());
    if (how < 2) {
      if (how == 0) handles_[which]->close();
      handles_[which].reset();
    } else {
      for (auto& handle : handles_) handle.reset();
      if (how == 3) {
        const auto vfs = ground_.disk.attach();
        for (const std::string& name : vfs->list("index")) {
          if (below(2) == 0) vfs->remove("index/" + name);
        }
      }
    }
    for (auto& handle : handles_) {
      if (!handle) handle = ground_.open();
    }
  }

  // The same change id again: the first answer stands, whatever happened since.
  void again() {
    if (repeat_) {
      CHECK(history().commit(*repeat_).number == repeated_);
      return;
    }
    const auto dataset = any_dataset();
    if (!dataset) return;
    repeat_ = put(*dataset, "again");
    repeat_->change_id = id_of(12345);
    State state = now();
    state[*dataset].rows.insert({next(head()), 0});
    ever_[*dataset].insert({next(head()), 0});
    repeated_ = next(head());
    CHECK(history().commit(*repeat_).number == repeated_);
    states_.push_back(std::move(state));
  }

  void check(CommitNumber number, bool old) {
    History& by = history();
    const auto snapshot = old ? by.at(number) : by.head();
    REQUIRE(snapshot->number() == number);
    std::size_t existing = 0;
    for (const auto& [dataset, face] : states_[value_of(number)]) {
      const auto entry = snapshot->find(dataset);
      REQUIRE(entry.has_value() == face.exists);
      if (!face.exists) continue;
      ++existing;
      REQUIRE(entry->name == face.name);
      REQUIRE(entry->schema->columns.size() == face.columns);
      REQUIRE(snapshot->find(face.name)->id == dataset);
      std::set<std::string> rows;
      for (const RowId& row : face.rows) {
        rows.insert(fmt::format("{}.{}", value_of(row.begin), row.ordinal));
      }
      REQUIRE(shown(*snapshot, dataset, sealed_, joined_) == rows);
      for (const SegmentEntry& segment : snapshot->segments_and_past(dataset))
        check_side(by, *snapshot, dataset, segment);
    }
    REQUIRE(snapshot->datasets().size() == existing);
    REQUIRE(by.tags() == tags_);
  }

  // A side stands if, and only if, no row of its begins is shown otherwise than at its base, and
  // no begin counts on one side alone.
  void check_side(History& by, const Snapshot& now, DatasetId dataset, const SegmentEntry& entry) {
    if (entry.side == Side::mixed) return;
    const auto base = by.at(entry.base);
    const bool of_past = entry.side == Side::past;
    const Snapshot& a = of_past ? now : *base;
    const Snapshot& b = of_past ? *base : now;
    const std::set<RowId> of_a = face_of(states_[value_of(a.number())], dataset).rows;
    const std::set<RowId> of_b = face_of(states_[value_of(b.number())], dataset).rows;
    bool turned = false;
    for (const RowId& row : ever_[dataset]) {
      if (row.begin < entry.begin_first || row.begin > entry.begin_last) continue;
      turned = turned || (of_a.contains(row) && !of_b.contains(row));
    }
    const auto in = [&](const Snapshot& of, CommitNumber n) {
      return n <= of.number() && of.sees(dataset, n);
    };
    for (CommitNumber n = entry.begin_first; n <= entry.begin_last; n = next(n))
      turned = turned || (in(a, n) && !in(b, n));
    REQUIRE(now.stands(dataset, entry, entry.begin_first, entry.begin_last) != turned);
    (turned ? sides_turned : sides_stand) += 1;
  }

  std::mt19937_64 random_;
  Ground ground_;
  std::vector<std::unique_ptr<History>> handles_;
  std::vector<State> states_;  // by commit
  std::map<DatasetId, std::set<RowId>> ever_;
  std::map<DatasetId, std::uint32_t> highest_column_;
  std::map<Id128, std::vector<TailEntry>> sealed_;
  std::map<Id128, std::vector<RowId>> joined_;
  std::map<std::string, CommitNumber> tags_;
  std::optional<CommitRequest> repeat_;
  CommitNumber repeated_{0};
  std::uint64_t segment_ = 0;
};

struct Tally {
  std::uint64_t programs = 0;
  std::uint64_t reverts = 0;
  std::uint64_t refused = 0;
  std::uint64_t compacts = 0;
  std::uint64_t past = 0;
  std::uint64_t past_listed = 0;

  void run_next() {
    const std::uint64_t seed = otolith::test::seed() + programs++;
    CAPTURE(seed);
    Program program(seed);
    program.run(kSteps);
    reverts += program.reverts;
    refused += program.refused;
    compacts += program.compacts;
    past += program.past;
    past_listed += program.past_listed;
  }
};

}  // namespace

TEST_CASE(
    "history: agrees with a plain model over random histories, reopened, sealed and compacted") {
  Tally tally;
  while (tally.programs < kQuickPrograms) tally.run_next();
  CHECK(tally.refused > 0);
  CHECK(tally.refused < tally.reverts);
  CHECK(tally.compacts > 0);
  CHECK(tally.past_listed > 0);
  CHECK(tally.past_listed < tally.past / 2);  // most of them HEAD does not open
}

TEST_SUITE("long") {
  TEST_CASE("history: agrees with a plain model over many random histories") {
    Tally tally;
    for (const otolith::test::Budget budget; budget.left() || tally.programs == 0;) {
      tally.run_next();
    }
    MESSAGE("history: ", tally.programs, " programs from seed ", otolith::test::seed(), ", ",
            tally.reverts, " reverts tried, ", tally.refused, " refused");
  }
}

}  // namespace otolith::history
