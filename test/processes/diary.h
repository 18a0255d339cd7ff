// A writer whose every step is told by its number alone, by all writing verbs.
//
// Role:    processes that are killed write it; who looks at a commit knows what it has to show.
// Shapes:  two tables of `sensors()` a writer; steps count from 1 and each is one commit, or none
//          where it compacts. The message of a commit is its step, the author its writer.
// Errors:  those of the verbs.
// Threads: thread-compatible.
// Why:     a killed process can tell nothing: so what stands in the log has to say how far it came.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "otolith/otolith.h"

namespace otolith::test {

/// What a writer's tables hold behind a step.
class Diary {
 public:
  explicit Diary(std::string writer);

  const std::string& writer() const noexcept { return writer_; }
  std::int64_t step() const noexcept { return step_; }
  /// Makes both tables; before the first step.
  void begin(Database& db) const;
  /// The next step: here, and with a database there too.
  void go_on(Database* db = nullptr);
  /// Goes on until behind this step, without a database.
  void reach(std::int64_t step);
  /// What is wrong with the tables of a snapshot; empty where nothing is.
  std::string wrong(const Snapshot& at) const;

 private:
  enum class Verb : std::uint8_t;
  struct Entry {
    std::string sensor;
    double value = 0;
  };
  CommitOptions options() const;
  Verb verb() const;
  std::int64_t now() const noexcept { return step_ * 10; }
  Batch batch(const std::shared_ptr<const Schema>& schema,
              const std::map<std::int64_t, Entry>& rows) const;
  void append(Database* db, std::int64_t first, std::int64_t count);
  void remove(Database* db);
  void replace(Database* db);
  void record(Database* db);
  void alter(Database* db);
  void rename(Database* db);
  void erase(std::int64_t start, std::int64_t stop);

  const std::string writer_;
  std::int64_t step_ = 0;
  std::string name_;            // of the first table
  std::string column_;          // that was `value`
  bool extra_ = false;          // whether it has one column more
  std::int64_t long_step_ = 0;  // that the long rows of the second table are of; 0: none
  std::map<std::int64_t, Entry> rows_;
};

/// The last step of a writer that stands at this commit or before it; -1 where the log has gone too
/// far to tell.
std::int64_t step_at(const Database& db, const std::string& writer, CommitNumber number);

}  // namespace otolith::test
