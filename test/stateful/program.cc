#include "test/stateful/program.h"

#include <algorithm>
#include <array>
#include <random>

namespace otolith::stateful {

namespace {

struct Share {
  Verb verb;
  std::uint64_t parts;
  std::string_view name;
};
// In the order of Verb.
constexpr std::array kShares{
    Share{Verb::create, 5, "create"},     Share{Verb::append, 22, "append"},
    Share{Verb::remove, 10, "remove"},    Share{Verb::replace, 6, "replace"},
    Share{Verb::alter, 8, "alter"},       Share{Verb::rename, 4, "rename"},
    Share{Verb::drop, 2, "drop"},         Share{Verb::stage, 20, "stage"},
    Share{Verb::settle, 10, "settle"},    Share{Verb::retry, 4, "retry"},
    Share{Verb::reuse, 1, "reuse"},       Share{Verb::sync, 2, "sync"},
    Share{Verb::compact, 3, "compact"},   Share{Verb::tag, 3, "tag"},
    Share{Verb::reopen, 4, "reopen"},     Share{Verb::kill, 2, "kill"},
    Share{Verb::cut, 2, "cut"},           Share{Verb::full, 3, "full"},
    Share{Verb::hold, 2, "hold"},         Share{Verb::wait, 1, "wait"},
    Share{Verb::rollback, 5, "rollback"}, Share{Verb::rollback_some, 4, "rollback of some"},
    Share{Verb::revert, 6, "revert"},     Share{Verb::put, 14, "put"},
    Share{Verb::patch, 4, "patch"},       Share{Verb::remove_documents, 4, "remove documents"},
    Share{Verb::refuse, 2, "refuse"}};

constexpr std::size_t kStepsMin = 8;
constexpr std::size_t kStepsMore = 24;
constexpr std::size_t kStepsOfLong = 90;  // of one program in ten

}  // namespace

std::string_view verb_name(Verb verb) { return kShares[static_cast<std::size_t>(verb)].name; }

Program program_of(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uint64_t all = 0;
  for (const Share& share : kShares) all += share.parts;
  Program out{{Verb::create, random()}};
  const std::size_t more = random() % 10 == 0 ? kStepsOfLong : kStepsMore;
  const std::size_t steps = kStepsMin + random() % more;
  while (out.size() < steps) {
    std::uint64_t roll = random() % all;
    for (const Share& share : kShares) {
      if (roll < share.parts) {
        out.push_back({share.verb, random()});
        break;
      }
      roll -= share.parts;
    }
  }
  return out;
}

Program minimised(Program program, const std::function<bool(const Program&)>& differs,
                  unsigned tries) {
  for (std::size_t piece = program.size() / 2; piece > 0;) {
    bool shorter = false;
    for (std::size_t at = 0; at < program.size() && tries > 0;) {
      Program less = program;
      const auto first = less.begin() + static_cast<std::ptrdiff_t>(at);
      const auto left = static_cast<std::size_t>(less.end() - first);
      less.erase(first, first + static_cast<std::ptrdiff_t>(std::min(piece, left)));
      --tries;
      if (differs(less)) {
        program = std::move(less);
        shorter = true;
      } else {
        at += piece;
      }
    }
    if (tries == 0) break;
    if (!shorter || piece > 1) piece /= 2;
  }
  return program;
}

}  // namespace otolith::stateful
