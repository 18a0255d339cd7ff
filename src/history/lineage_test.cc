#include "history/lineage.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "test/budget.h"

namespace otolith::history {
namespace {

using Set = std::set<std::uint64_t>;

// V as plain sets, straight from the formulas of docs/history.md 4: the oracle of this file.
class PlainLineage {
 public:
  explicit PlainLineage(std::size_t datasets) : of_(datasets + 1, {Set{}}) {}

  std::uint64_t last() const { return of_[0].size() - 1; }
  // Index 0 is the database (a dataset that never leaves it), d + 1 the dataset d.
  const Set& at(std::size_t d, std::uint64_t c) const { return of_[d][c]; }

  void append() {
    each({}, true, [](const auto& v) { return v.back(); });
  }
  void rollback(std::uint64_t k, std::optional<std::size_t> d, bool events) {
    each(d, events, [&](const auto& v) { return v[k]; });
  }
  void revert(std::uint64_t m, std::optional<std::size_t> d) {
    each(d, false, [&](const auto& v) {
      Set now = v.back();
      for (const auto b : v[m]) {
        if (!v[m - 1].contains(b)) now.erase(b);
      }
      for (const auto b : v[m - 1]) {
        if (!v[m].contains(b)) now.insert(b);
      }
      return now;
    });
  }
  void truncate(std::uint64_t n) {
    for (auto& v : of_) v.resize(n + 1);
  }

 private:
  template <typename Change>
  void each(std::optional<std::size_t> only, bool events, Change change) {
    const std::uint64_t n = last() + 1;
    for (std::size_t i = 0; i < of_.size(); ++i) {
      Set now = !only || i == *only + 1 ? change(of_[i]) : of_[i].back();
      if (events) now.insert(n);
      of_[i].push_back(std::move(now));
    }
  }
  std::vector<std::vector<Set>> of_;
};

DatasetId dataset(std::size_t d) { return {CommitNumber{1}, static_cast<std::uint32_t>(d)}; }
std::optional<DatasetId> dataset(std::optional<std::size_t> d) {
  return d ? std::optional(dataset(*d)) : std::nullopt;
}

Set plain(const CommitRuns& runs) {
  Set set;
  for (const CommitRun& run : runs) {
    for (auto b = value_of(run.first); b <= value_of(run.last); ++b) set.insert(b);
  }
  return set;
}

Set minus(const Set& a, const Set& b) {
  Set rest = a;
  for (const auto x : b) rest.erase(x);
  return rest;
}

// One random history in both, for 3 datasets of which the last is never changed alone.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : seed_(seed), random_(seed) {}

  void step() {
    const std::uint64_t n = truth_.last() + 1;
    const auto d = pick(3) == 0 ? std::optional<std::size_t>(pick(2)) : std::nullopt;
    switch (n == 1 ? 0 : pick(8)) {
      case 0:
      case 1:
      case 2:
      case 3:
        truth_.append();
        lineage_->append(CommitNumber{n});
        break;
      case 4:
      case 5: {
        const std::uint64_t k =
            pick(2) == 0 ? pick(n) : n - 1 - pick(std::min<std::uint64_t>(n, 4));
        const bool events = pick(5) == 0;
        truth_.rollback(k, d, events);
        lineage_->append_rollback(CommitNumber{n}, CommitNumber{k}, dataset(d), events);
        break;
      }
      default: {
        const std::uint64_t m = pick(3) == 0 ? n - 1 : 1 + pick(n - 1);
        truth_.revert(m, d);
        lineage_->append_revert(CommitNumber{n}, stored(m, d));
      }
    }
  }
  void reload() {
    ByteWriter out;
    lineage_->save(out, lineage_->last());
    ByteReader in(out.view());
    lineage_ = Lineage::load(in);
    in.expect_end();
  }
  void truncate() {
    const std::uint64_t n = pick(truth_.last() + 1);
    truth_.truncate(n);
    lineage_->truncate(CommitNumber{n});
  }
  void check() {
    CAPTURE(seed_);
    REQUIRE(value_of(lineage_->last()) == truth_.last());
    for (std::size_t d = 0; d < 3; ++d) {
      for (std::uint64_t c = 0; c <= truth_.last(); ++c) {
        for (std::uint64_t b = 0; b <= truth_.last() + 1; ++b) {
          const bool is = lineage_->contains(dataset(d), CommitNumber{c}, CommitNumber{b});
          if (is == truth_.at(d + 1, c).contains(b)) continue;
          FAIL("V(", d, ", ", c, ") and ", b, ": ", is);
        }
      }
    }
  }
  void check_difference() {
    CAPTURE(seed_);
    const std::size_t d = pick(4);
    const std::uint64_t a = pick(truth_.last() + 1);
    const std::uint64_t b = pick(truth_.last() + 1);
    const auto id = d == 0 ? std::nullopt : std::optional(dataset(d - 1));
    const auto got = lineage_->difference(id, CommitNumber{a}, CommitNumber{b});
    CHECK(plain(got.only_a) == minus(truth_.at(d, a), truth_.at(d, b)));
    CHECK(plain(got.only_b) == minus(truth_.at(d, b), truth_.at(d, a)));
  }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

 private:
  // Through the bytes of a frame, and held to what it promises.
  Reversal stored(std::uint64_t m, std::optional<std::size_t> d) {
    const Reversal reversal = lineage_->reversal_of(CommitNumber{m}, dataset(d));
    const Set& now = truth_.at(d ? *d + 1 : 0, truth_.last() - 1);
    CHECK(minus(plain(reversal.delta.removed), now).empty());
    CHECK(minus(plain(reversal.delta.added), now) == plain(reversal.delta.added));
    ByteWriter out;
    put_reversal(out, reversal);
    ByteReader in(out.view());
    CHECK(get_reversal(in) == reversal);
    return reversal;
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
  PlainLineage truth_{3};
  std::unique_ptr<Lineage> lineage_ = std::make_unique<Lineage>();
};

void compare(std::uint64_t seed) {
  Pair pair(seed);
  for (int part = 0; part < 3; ++part) {
    for (int i = 0; i < 16; ++i) pair.step();
    pair.check();
    for (int i = 0; i < 16; ++i) pair.check_difference();
    if (pair.pick(3) == 0) pair.reload();
    if (pair.pick(3) == 0) pair.truncate();
  }
  pair.check();
}

TEST_CASE("lineage: agrees with plain sets for every dataset, snapshot and commit") {
  for (std::uint64_t i = 0; i < 300; ++i) compare(test::seed() + i);
}

TEST_SUITE("long") {
  TEST_CASE("lineage: agrees with plain sets over many histories") {
    const test::Budget budget;
    std::uint64_t histories = 0;
    for (; histories < 1'000'000 && budget.left(); ++histories) compare(test::seed() + histories);
    MESSAGE("lineage: ", histories, " histories from seed ", test::seed());
  }
}

TEST_CASE("lineage: a run is said to be all there only where each of its commits is") {
  std::uint64_t whole = 0;
  for (std::uint64_t seed = test::seed(); seed < test::seed() + 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Lineage lineage;
    const std::uint64_t kind = random() % 3;  // plain, with rollbacks, with reverts too
    for (std::uint64_t n = 1; n <= 24; ++n) {
      const CommitNumber before{n - 1};
      if (kind > 0 && n > 2 && random() % 8 == 0) {
        const auto alone = random() % 3 == 0 ? std::optional(dataset(1)) : std::nullopt;
        lineage.append_rollback(CommitNumber{n}, CommitNumber{random() % n}, alone, n % 2 == 0);
      } else if (kind > 1 && n > 2 && random() % 8 == 0) {
        const CommitNumber m{1 + random() % value_of(before)};
        lineage.append_revert(CommitNumber{n}, lineage.reversal_of(m, std::nullopt));
      } else {
        lineage.append(CommitNumber{n});
      }
    }
    for (int i = 0; i < 200; ++i) {
      const CommitNumber c{1 + random() % 24};
      const CommitRun run{CommitNumber{1 + random() % 24}, CommitNumber{1 + random() % 24}};
      if (run.last < run.first) continue;
      bool each = true;
      const DatasetId d = dataset(random() % 2);
      for (CommitNumber n = run.first; n <= run.last; n = next(n)) {
        each = each && lineage.contains(d, c, n);
      }
      const bool said = lineage.contains_all(d, c, run);
      whole += said ? 1 : 0;
      REQUIRE((kind == 0 ? said == each : !said || each));
    }
  }
  CHECK(whole > 2000);
}

TEST_CASE("lineage: a commit that does not exist is an invalid argument") {
  Lineage lineage;
  lineage.append(CommitNumber{1});
  CHECK_THROWS_AS(lineage.contains(dataset(0), CommitNumber{2}, CommitNumber{1}), Error);
  CHECK_FALSE(lineage.contains(dataset(0), CommitNumber{1}, CommitNumber{2}));
}

TEST_CASE("lineage: undo and redo of the last commit a thousand times leave no delta behind") {
  Lineage lineage;
  lineage.append(CommitNumber{1});
  for (std::uint64_t n = 2; n <= 1001; ++n) {
    const Reversal reversal = lineage.reversal_of(CommitNumber{n - 1}, {});
    CHECK(reversal.delta.empty());
    lineage.append_revert(CommitNumber{n}, reversal);
    CHECK(lineage.contains(dataset(0), CommitNumber{n}, CommitNumber{1}) == (n % 2 == 1));
  }
}

TEST_CASE("lineage: deltas do not grow when commits stand between undo and redo") {
  Lineage lineage;
  lineage.append(CommitNumber{1});
  lineage.append(CommitNumber{2});
  std::uint64_t n = 3;
  for (std::uint64_t m = 1; n < 2000; m = n, n += 2) {
    const Reversal reversal = lineage.reversal_of(CommitNumber{m}, {});
    CHECK(count(reversal.delta.removed) + count(reversal.delta.added) == 1);
    lineage.append_revert(CommitNumber{n}, reversal);
    lineage.append(CommitNumber{n + 1});
  }
}

TEST_CASE("lineage: 100,000 reverts, of commits and of reverts, are each the one that decides") {
  struct Effect {
    std::uint64_t commit = 0;
    bool added = false;
  };
  constexpr std::uint64_t kReverts = 100'000;
  std::mt19937_64 random(test::seed());
  Lineage lineage;
  std::vector<bool> in{false};      // V(last)
  std::vector<Effect> effects{{}};  // what each commit did to V; of an ordinary one: added itself
  for (std::uint64_t n = 1; n <= 2 * kReverts; ++n) {
    in.push_back(n % 2 == 1);
    if (n % 2 == 1) {
      lineage.append(CommitNumber{n});
      effects.push_back({n, true});
      continue;
    }
    const std::uint64_t m = 1 + random() % (n - 1);
    lineage.append_revert(CommitNumber{n}, lineage.reversal_of(CommitNumber{m}, {}));
    const auto [b, added] = effects[m];
    const bool changes = b != 0 && in[b] == added;
    if (changes) in[b] = !added;
    effects.push_back(changes ? Effect{b, !added} : Effect{});
    if (n % 1000 != 0) continue;
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t asked = 1 + random() % n;
      REQUIRE(lineage.contains(dataset(0), CommitNumber{n}, CommitNumber{asked}) == in[asked]);
    }
  }
}

TEST_CASE("lineage: a stored tree cut or changed at any byte is refused or loads as a tree") {
  Lineage lineage;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    if (n % 5 == 0) {
      lineage.append_rollback(CommitNumber{n}, CommitNumber{n - 3}, {});
    } else if (n % 7 == 0) {
      lineage.append_revert(CommitNumber{n}, lineage.reversal_of(CommitNumber{n / 2}, dataset(0)));
    } else {
      lineage.append(CommitNumber{n});
    }
  }
  ByteWriter out;
  lineage.save(out, lineage.last());
  const Bytes good(out.view().begin(), out.view().end());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    ByteReader in(BytesView(good).first(cut));
    CHECK_THROWS_AS(Lineage::load(in), Error);
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    ByteReader in(bad);
    try {
      const auto loaded = Lineage::load(in);
      if (loaded->last() <= CommitNumber{100}) {
        loaded->contains(dataset(0), loaded->last(), CommitNumber{1});
        loaded->difference({}, loaded->last(), CommitNumber{0});
      }
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
    }
  }
}

}  // namespace
}  // namespace otolith::history
