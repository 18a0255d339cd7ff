// Lineage by itself: what a rollback every ten and 10^5 reverts cost appends, questions,
// checkpoints.
//
// Role:    shows that no question and no checkpoint grows with history (row "lineage").
// Shapes:  10^6 commits with a rollback every ten; 2·10^5 commits of which half are reverts.
// Errors:  none.
// Threads: one.
#include <random>

#include "bench/measure.h"
#include "history/lineage.h"
#include "history/marks.h"

namespace otolith::bench {

namespace {

using history::Lineage;

constexpr const char* kRow = "lineage";
constexpr int kRounds = 7;
constexpr std::uint64_t kCommits = 1'000'000;
constexpr std::uint64_t kReverts = 100'000;
constexpr std::uint64_t kQuestions = 1'000'000;
constexpr DatasetId kDataset{CommitNumber{1}, 0};

std::unique_ptr<Lineage> with_rollbacks(std::mt19937_64& random) {
  auto lineage = std::make_unique<Lineage>();
  for (std::uint64_t n = 1; n <= kCommits; ++n) {
    if (n % 10 == 0) {
      const std::uint64_t k = n - 1 - random() % std::min<std::uint64_t>(n, 100);
      lineage->append_rollback(CommitNumber{n}, CommitNumber{k}, {});
    } else {
      lineage->append(CommitNumber{n});
    }
  }
  return lineage;
}

std::unique_ptr<Lineage> with_reverts(std::mt19937_64& random) {
  auto lineage = std::make_unique<Lineage>();
  for (std::uint64_t n = 1; n <= 2 * kReverts; ++n) {
    if (n % 2 == 1) {
      lineage->append(CommitNumber{n});
    } else {
      const CommitNumber m{1 + random() % (n - 1)};
      lineage->append_revert(CommitNumber{n}, lineage->reversal_of(m, {}));
    }
  }
  return lineage;
}

// Samples of `work` a unit, of so many units.
template <typename Work>
std::vector<double> samples(std::uint64_t units, Work work) {
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    seconds.push_back(seconds_of(work) / static_cast<double>(units));
  }
  return seconds;
}

void questions(const Lineage& lineage, const std::string& history, std::mt19937_64& random) {
  const std::uint64_t last = value_of(lineage.last());
  std::uint64_t in = 0;
  const auto ask = [&](bool head) {
    return samples(kQuestions, [&] {
      for (std::uint64_t i = 0; i < kQuestions; ++i) {
        const std::uint64_t c = head ? last : 1 + random() % last;
        in += lineage.contains(kDataset, CommitNumber{c}, CommitNumber{1 + random() % c}) ? 1 : 0;
      }
    });
  };
  report(kRow, "one question at HEAD, " + history, ask(true));
  report(kRow, "one question at any commit, " + history, ask(false), std::to_string(in) + " in");
}

void checkpoint(const Lineage& lineage, const std::string& history) {
  ByteWriter out;
  lineage.save(out, lineage.last());
  report_value(kRow, "checkpoint, " + history, "bytes", static_cast<double>(out.size()));
  report(kRow, "loading the checkpoint, " + history, samples(1, [&] {
           ByteReader in(out.view());
           Lineage::load(in);
         }));
}

void flatten_marks() {
  constexpr std::uint64_t kMarks = 100'000;
  history::Marks marks;
  for (std::uint64_t n = 2; n < kMarks + 2; ++n) {
    const history::MarkRun run{CommitNumber{1}, n * 7919 % (kMarks * 2), 1, n % 3 == 0};
    marks.append(CommitNumber{n}, {run});
  }
  report(kRow, "visible rows of a begin under 100,000 marks of as many commits", samples(1, [&] {
           marks.visible(CommitNumber{1}, kMarks * 2, [](CommitNumber) { return true; });
         }));
}

void run() {
  std::mt19937_64 random(1);
  std::unique_ptr<Lineage> rollbacks;
  std::unique_ptr<Lineage> reverts;
  report(kRow, "one append, a rollback every ten",
         samples(kCommits, [&] { rollbacks = with_rollbacks(random); }));
  report(kRow, "one append, every second a revert of any commit",
         samples(2 * kReverts, [&] { reverts = with_reverts(random); }));
  questions(*rollbacks, "10^6 commits with a rollback every ten", random);
  questions(*reverts, "10^5 commits and 10^5 reverts", random);
  checkpoint(*rollbacks, "10^6 commits with a rollback every ten");
  checkpoint(*reverts, "10^5 commits and 10^5 reverts");
  flatten_marks();
}

}  // namespace

}  // namespace otolith::bench

int main() {
  otolith::bench::run();
  return 0;
}
