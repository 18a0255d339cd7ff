// What a program asked of a database whose disk fails, and the states that may have come of it.
//
// Role:    the oracle of fault sweeps over every writing verb.
// Shapes:  tables of `sensors()`, at most one row a time; a state is small enough to be copied.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a call that failed may have taken effect where it says so, and a relaxed one may be
//          lost: so there is a set of states, and what is read has to be one of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "otolith/otolith.h"

namespace otolith::test {

using SensorTimes = std::map<std::int64_t, std::string>;  // a row each; "long": of kLongBytes
inline constexpr const char* kCollection = "notes";       // its documents: id and field `text`

/// Rows and columns of one table.
struct IssuedTable {
  SensorTimes rows;
  std::vector<std::string> columns{"time", "sensor", "value", "count"};

  void add(const SensorTimes& more) { rows.insert(more.begin(), more.end()); }
  /// By range, and by one key.
  void remove(const DeleteRequest& asked);
  bool operator==(const IssuedTable&) const = default;
  auto operator<=>(const IssuedTable&) const = default;
};
using IssuedState = std::map<std::string, IssuedTable>;

/// What a commit shows.
IssuedState issued_state(const Snapshot& at);
std::vector<Document> documents_of(const SensorTimes& rows);
Batch batch_of_times(const std::shared_ptr<const Schema>& schema, const SensorTimes& rows);

/// An effect on the table that is first called `t` and may be renamed to `v`: where the outcome of
/// a rename is unknown it may have come before, and it is the same table.
IssuedTable& first_table(IssuedState& state);
std::function<bool(IssuedState&)> on_first_table(std::function<void(IssuedTable&)> effect);

/// One commit that was asked for.
struct Issued {
  enum class Fate : std::uint8_t { unknown, relaxed, acknowledged, failed };
  /// False where the state does not have what it names: then it cannot have been accepted there.
  std::function<bool(IssuedState&)> effect;
  Fate fate = Fate::unknown;
};

/// All that was asked for, in order.
class IssuedCommits {
 public:
  explicit IssuedCommits(IssuedState first) : first_(std::move(first)) {}

  std::size_t add(std::function<bool(IssuedState&)> effect) {
    issued_.push_back({std::move(effect)});
    return issued_.size() - 1;
  }
  Issued& at(std::size_t number) { return issued_[number]; }

  /// What may be there by now.
  std::set<IssuedState> states() const;

 private:
  IssuedState first_;
  std::vector<Issued> issued_;
};

}  // namespace otolith::test
