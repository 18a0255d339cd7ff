#include "test/model/judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace otolith::lineage_model {

namespace {

constexpr const char* kRefusals[] = {"none",    "edit",   "row",    "dataset",   "name", "schema",
                                     "columns", "holder", "unique", "retention", "since"};

// How the events of one thing look at m-1, m and n-1.
struct Thrice {
  Set before, after, now;
  bool in_t() const { return before != after; }
  bool in_s() const { return after != now; }
};

// The events of one dataset, by what they happened to.
class Shapes {
 public:
  Shapes(const Model& model, Dataset d, Commit m)
      : v_{&model.lineage(d, m - 1), &model.lineage(d, m), &model.lineage(d, model.head())} {
    for (const CatalogFact& fact : model.catalog().at(d)) {
      using Kind = CatalogFact::Kind;
      add(any_, fact.commit);
      if (fact.kind == Kind::create || fact.kind == Kind::drop) add(existence_, fact.commit);
      if (fact.kind == Kind::rename) add(name_, fact.commit);
      if (fact.kind == Kind::alter) add(schema_, fact.commit);
    }
    for (const auto& [stamp, row] : model.rows()) {
      if (row.dataset != d) continue;
      Thrice events;
      for (const Event& event : row.events) {
        add(events, event.commit);
        add(any_, event.commit);
      }
      row_ |= events.in_t() && events.in_s();
    }
  }
  bool allow(Refusal refusal) const {
    switch (refusal) {
      case Refusal::row:
        return row_;
      case Refusal::dataset:
        return (existence_.in_t() && any_.in_s()) || (existence_.in_s() && any_.in_t());
      case Refusal::name:
        return name_.in_t() && name_.in_s();
      case Refusal::schema:
        return schema_.in_t() && schema_.in_s();
      default:
        return false;
    }
  }

 private:
  void add(Thrice& events, Commit commit) const {
    if (v_[0]->contains(commit)) events.before.insert(commit);
    if (v_[1]->contains(commit)) events.after.insert(commit);
    if (v_[2]->contains(commit)) events.now.insert(commit);
  }
  std::array<const Set*, 3> v_;
  Thrice any_, existence_, name_, schema_;
  bool row_ = false;
};

std::string compare(const Truth& truth, const Model& model) {
  if (truth.tags() != model.tags()) return "tags differ";
  // Long programs compare the two newest commits only, or they would take the cube of their length.
  constexpr Commit kAllCommits = 64;
  const auto& retained = truth.retained();
  const Commit head = truth.head();
  for (auto at = retained.lower_bound(head > kAllCommits ? head - 1 : 0); at != retained.end();
       ++at) {
    const Commit c = *at;
    if (see(truth.at(c), Match::identity) != model.seen(c))
      return fmt::format("commit {} differs", c);
  }
  return {};
}

}  // namespace

bool allowed_refusal(const Model& model, const Operation& operation, Refusal refusal) {
  return std::ranges::any_of(model.catalog(), [&](const auto& entry) {
    const bool meant = !operation.dataset || *operation.dataset == entry.first;
    return meant && Shapes(model, entry.first, operation.target).allow(refusal);
  });
}

std::optional<std::string> step(const Operation& operation, Truth& truth, Model& model,
                                Tally& tally) {
  const auto expected = truth.result(operation);
  const Refusal refusal = model.apply(operation);
  const bool is_revert = operation.kind == Operation::Kind::revert;
  if (refusal == Refusal::none) {
    if (!expected) return "accepted, brute force refuses";
    truth.accept(operation, *expected);
    ++tally.commits;
    if (is_revert) ++tally.reverts;
    const std::string differs = compare(truth, model);
    return differs.empty() ? std::nullopt : std::optional(differs);
  }
  ++(is_revert && !expected ? tally.reverts_refused : tally.refused);
  if (!expected) return std::nullopt;
  const auto shape = static_cast<std::size_t>(refusal);
  if (!is_revert || !allowed_refusal(model, operation, refusal)) {
    return fmt::format("refused ({}), brute force accepts", kRefusals[shape]);
  }
  ++tally.stricter[shape];
  return std::nullopt;
}

std::optional<std::string> run(std::uint64_t seed, Broken broken, Tally& tally) {
  constexpr int kSteps = 16;
  Program program(seed);
  Truth truth;
  Model model(broken);
  std::string log;
  ++tally.programs;
  for (int i = 0; i < kSteps; ++i) {
    const Operation operation = program.next(truth);
    log += fmt::format("\n  at {}: {}", truth.head(), text(operation));
    if (auto differs = step(operation, truth, model, tally)) {
      return fmt::format("seed {}: {}{}", seed, *differs, log);
    }
  }
  return std::nullopt;
}

std::string text(const Tally& tally) {
  std::string line = fmt::format(
      "{} programs, {} commits, {} reverts, {} refused by both, {} other refusals", tally.programs,
      tally.commits, tally.reverts, tally.reverts_refused, tally.refused);
  for (std::size_t i = 0; i < std::size(kRefusals); ++i) {
    if (tally.stricter[i] > 0)
      line += fmt::format(", stricter ({}) {}", kRefusals[i], tally.stricter[i]);
  }
  return line;
}

}  // namespace otolith::lineage_model
