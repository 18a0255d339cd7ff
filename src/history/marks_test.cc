#include "history/marks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "test/budget.h"

namespace otolith::history {
namespace {

using Kind = VisibleRows::Kind;

std::vector<bool> plain(const VisibleRows& visible, std::uint64_t rows) {
  const RowSet all = visible.slice({0, rows});
  REQUIRE(visible.rows_in({0, rows}) == all.rows());
  REQUIRE((visible.among(all) == all));
  std::vector<bool> shown;
  for (std::uint64_t i = 0; i < rows; ++i) {
    shown.push_back(visible.shows(i));
    REQUIRE(all.contains(i) == shown.back());
  }
  return shown;
}

// The same, each row asked about alone.
std::vector<bool> row_by_row(const Marks& marks, std::uint64_t begin, std::uint64_t rows,
                             const InLineage& in_lineage) {
  std::vector<bool> shown;
  for (std::uint64_t row = 0; row < rows; ++row) {
    bool now = in_lineage(CommitNumber{begin});
    for (const Mark& mark : marks.of_row(CommitNumber{begin}, row)) {
      CHECK(mark.run.first == row);
      if (in_lineage(mark.commit)) now = mark.run.revive;
    }
    shown.push_back(now);
  }
  return shown;
}

// Events per row, kept as lists and judged by the sentence of docs/history.md 4.
class PlainMarks {
 public:
  explicit PlainMarks(std::uint64_t rows) : rows_(rows) {}
  void add(std::uint64_t commit, const MarkRun& run) {
    for (auto i = run.first; i < run.first + run.count; ++i) {
      events_[{value_of(run.begin), i}].emplace_back(commit, run.revive);
    }
  }
  void truncate(std::uint64_t commit) {
    for (auto& [row, events] : events_) {
      std::erase_if(events, [&](const auto& event) { return event.first > commit; });
    }
  }
  std::vector<bool> visible(std::uint64_t begin, const std::set<std::uint64_t>& lineage) const {
    std::vector<bool> shown;
    for (std::uint64_t i = 0; i < rows_; ++i) {
      std::pair<std::uint64_t, bool> latest{0, false};
      if (lineage.contains(begin)) latest = {begin, true};
      if (const auto at = events_.find({begin, i}); at != events_.end()) {
        for (const auto& event : at->second) {
          if (lineage.contains(event.first)) latest = std::max(latest, event);
        }
      }
      shown.push_back(latest.second);
    }
    return shown;
  }

 private:
  std::uint64_t rows_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::pair<std::uint64_t, bool>>>
      events_;
};

// Commits 1..4 add rows, later ones mark some of them; of many in ranges that turn now and then.
void compare(std::uint64_t seed, std::uint64_t rows) {
  CAPTURE(seed);
  constexpr std::uint64_t kCommits = 16;
  std::mt19937_64 random(seed);
  Marks first_marks;
  PlainMarks truth(rows);
  Marks loaded;
  Marks* marks = &first_marks;
  for (std::uint64_t n = 5; n <= kCommits; ++n) {
    std::vector<MarkRun> runs;
    bool turn = false;
    for (std::uint64_t begin = 1; begin <= 4; ++begin) {
      for (std::uint64_t at = random() % rows; at < rows;) {
        const std::uint64_t size = 1 + random() % std::min<std::uint64_t>(4, rows - at);
        turn = rows < 100 || random() % 40 == 0 ? random() % 2 == 0 : turn;
        runs.push_back({CommitNumber{begin}, at, size, turn});
        truth.add(n, runs.back());
        at += size + random() % 6;
      }
    }
    marks->append(CommitNumber{n}, runs);
    (void)marks->of_row(CommitNumber{1 + n % 4}, n % rows);  // by row from now on, where many
    if (n == 9 && random() % 2 == 0) {
      truth.truncate(7);
      marks->truncate(CommitNumber{7});
    }
    if (n == 12 && random() % 2 == 0) {
      ByteWriter out;
      marks->save(out, CommitNumber{1000});
      ByteReader in(out.view());
      loaded.load(in);
      in.expect_end();
      marks = &loaded;
    }
  }
  for (int lineages = 0; lineages < 20; ++lineages) {
    std::set<std::uint64_t> lineage;
    for (std::uint64_t b = 1; b <= kCommits; ++b) {
      if (random() % 3 != 0) lineage.insert(b);
    }
    const auto in_lineage = [&](CommitNumber b) { return lineage.contains(value_of(b)); };
    for (std::uint64_t begin = 1; begin <= 5; ++begin) {
      const VisibleRows visible = marks->visible(CommitNumber{begin}, rows, in_lineage);
      const auto truly = truth.visible(begin, lineage);
      REQUIRE(plain(visible, rows) == truly);
      REQUIRE(row_by_row(*marks, begin, rows, in_lineage) == truly);
      const bool all = std::ranges::count(truly, false) == 0;
      const bool none = std::ranges::count(truly, true) == 0;
      REQUIRE((visible.kind() == Kind::all) == all);
      REQUIRE((visible.kind() == Kind::none) == none);
    }
  }
}

TEST_CASE("marks: the latest event in the lineage decides, whatever the order and the runs") {
  for (std::uint64_t i = 0; i < 300; ++i) compare(test::seed() + i, 12);
  for (std::uint64_t i = 0; i < 10; ++i) compare(test::seed() + i, 700);  // sets, laid out as bits
}

TEST_CASE("marks: a row whose begin is not in the lineage is shown by a later revive that is") {
  Marks marks;
  const MarkRun end{CommitNumber{1}, 0, 2, false};
  const MarkRun revive{CommitNumber{1}, 1, 1, true};
  marks.append(CommitNumber{2}, {end});
  marks.append(CommitNumber{3}, {revive});
  const auto only_3 = [](CommitNumber b) { return b == CommitNumber{3}; };
  CHECK((marks.visible(CommitNumber{1}, 2, only_3).slice({0, 2}) == RowSet{{1, 1}}));
  CHECK(marks.of_begin(CommitNumber{1}) ==
        std::vector<Mark>{{CommitNumber{2}, end}, {CommitNumber{3}, revive}});
  CHECK(marks.of_commits({{CommitNumber{3}, CommitNumber{9}}}) ==
        std::vector<Mark>{{CommitNumber{3}, revive}});
  CHECK(marks.touches_any({CommitNumber{1}, CommitNumber{1}}));
  CHECK(marks.touches_any({CommitNumber{1}, CommitNumber{99}}));
  CHECK_FALSE(marks.touches_any({CommitNumber{2}, CommitNumber{2}}));
  CHECK_FALSE(marks.touches_any({CommitNumber{2}, CommitNumber{99}}));
}

TEST_CASE("marks: two events of one row in one commit are refused, and a mark of its own rows") {
  Marks marks;
  const std::vector<MarkRun> twice{{CommitNumber{1}, 0, 2, false}, {CommitNumber{1}, 1, 1, true}};
  CHECK_THROWS_AS(marks.append(CommitNumber{2}, twice), Error);
  const std::vector<MarkRun> own{{CommitNumber{2}, 0, 1, false}};
  CHECK_THROWS_AS(marks.append(CommitNumber{2}, own), Error);
  CHECK_FALSE(marks.touches(CommitNumber{1}));
  CHECK_FALSE(marks.touches_any({CommitNumber{1}, CommitNumber{9}}));
}

TEST_CASE("marks: 100,000 small marks of one begin are flattened in one sweep") {
  Marks marks;
  constexpr std::uint64_t kMarks = 100'000;
  std::vector<MarkRun> runs;
  for (std::uint64_t i = 0; i < kMarks; ++i) runs.push_back({CommitNumber{1}, i * 2, 1, false});
  marks.append(CommitNumber{2}, runs);
  std::uint64_t asked = 0;
  const VisibleRows visible = marks.visible(CommitNumber{1}, kMarks * 2, [&](CommitNumber) {
    ++asked;
    return true;
  });
  CHECK(visible.slice({0, kMarks * 2}).ranges() == kMarks);
  CHECK(asked == 2);  // the begin and the one commit, not each mark
}

TEST_CASE("marks: stored marks have one form: a run that goes on with the one before is refused") {
  const auto load = [](std::initializer_list<std::uint64_t> fields) {
    ByteWriter out;
    for (const std::uint64_t field : fields) out.put_varint(field);
    Marks marks;
    ByteReader in(out.view());
    marks.load(in);
    ByteWriter again;
    marks.save(again, CommitNumber{100});
    return std::ranges::equal(again.view(), out.view());
  };
  constexpr std::uint64_t end_one = 2;
  constexpr std::uint64_t revive_one = 3;
  // Runs; each: commits on, commits back to the begin, first row, kind.
  CHECK(load({2, 5, 1, 0, end_one, 0, 1, 1, revive_one}));
  CHECK(load({2, 5, 1, 0, end_one, 0, 1, 2, end_one}));
  CHECK(load({2, 5, 1, 0, end_one, 1, 2, 1, end_one}));
  CHECK_THROWS_AS(load({2, 5, 1, 0, end_one, 0, 1, 1, end_one}), Error);
  CHECK_THROWS_AS(load({2, 5, 1, 0, end_one, 0, 1, 0, end_one}), Error);
}

TEST_CASE("marks: stored marks cut or changed at any byte are refused or load as marks") {
  Marks marks;
  const std::vector<MarkRun> runs{{CommitNumber{1}, 0, 200, false}, {CommitNumber{3}, 7, 1, true}};
  marks.append(CommitNumber{400}, runs);
  marks.append(CommitNumber{500}, runs);
  ByteWriter out;
  marks.save(out, CommitNumber{1000});
  const Bytes good(out.view().begin(), out.view().end());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    Marks loaded;
    ByteReader in(bit % 8 == 0 ? BytesView(good).first(bit / 8) : BytesView(bad));
    try {
      loaded.load(in);
      loaded.visible(CommitNumber{1}, 10, [](CommitNumber) { return true; });
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
    }
  }
}

}  // namespace
}  // namespace otolith::history
