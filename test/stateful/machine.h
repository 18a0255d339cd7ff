// Runs a program on one database with several handles, and on plain tables beside it.
//
// Role:    after each step HEAD, and a commit of before, are read and compared; at the end all of
//          them, by a fresh handle, before and after all was moved into segments.
// Shapes:  three handles of one simulated disk, each as a process of its own, some relaxed; sizes
//          so small that a few steps cross every limit.
// Errors:  throws Differs where a database does not do what the plain tables do.
// Threads: thread-compatible.
// Why:     the handles take turns in one thread, so that a seed repeats what it found; processes
//          and threads at once are tested in test/processes and test/upkeep.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/stateful/chance.h"
#include "test/stateful/program.h"

namespace otolith::stateful {

/// What a run found wrong.
struct Differs {
  std::string what;
};

/// A deliberate error of the plain side, to show that it would be noticed.
enum class Lie : std::uint8_t { none, keeps_a_deleted_row, forgets_a_rename };

/// What the runs did.
struct Tally {
  std::map<std::string_view, std::uint64_t> steps;  // by verb
  std::uint64_t commits = 0;
  std::uint64_t conflicts = 0;  // of recorders
  std::uint64_t retried = 0;    // commits that came back under their change id
  std::uint64_t spilled = 0;    // recorders with rows in a file before the commit
  std::uint64_t lost = 0;       // relaxed commits that went with the power
  std::uint64_t full = 0;       // commits that found no space
  std::uint64_t segments = 0;   // at the end
};

class Machine {
 public:
  Machine(std::uint64_t seed, Tally& tally, Lie lie = Lie::none);
  ~Machine();
  void run(const Program& program);
  /// What was done, a line a step.
  const std::string& trace() const noexcept { return trace_; }

 private:
  using Digests = std::map<std::string, model::StateDigest>;
  using Changes = std::map<std::string, ChangeCount>;
  using Codes = std::set<ErrorCode>;
  struct Committed {
    PlainState state;
    std::string hash;
    Timestamp time;
    std::string author;
    Digests digests;
  };
  /// A commit that can be asked for again.
  struct Request {
    CommitOptions options{};
    std::function<std::optional<Commit>(Database&, const CommitOptions&)> call{};
    std::map<std::string, PlainTable> tables{};  // that it names, as they have to be
    std::uint64_t number = 0;
  };
  /// What a recorder was told.
  struct Staged {
    PlainTable table;  // as it was then
    Rows rows{};
    std::vector<Choice> removed{};
    bool is_long = false;
  };
  struct Recording {
    Recorder recorder;
    CommitOptions options;
    std::map<std::string, int> names{};
    std::map<int, Staged> tables{};
    std::vector<std::function<void(Recorder&)>> told{};
  };
  struct Handle {
    std::shared_ptr<io::Vfs> vfs{};
    std::optional<Database> db{};
    std::optional<Recording> recording{};
    std::vector<std::pair<Snapshot, std::uint64_t>> held{};
  };

  // machine.cc
  void take(const Step& step);
  Handle& open(Handle& handle);
  Database open_database(const std::shared_ptr<io::Vfs>& vfs, const OpenOptions& options);
  Handle& some_handle();
  void close(Handle& handle);
  void kill(Handle& handle);
  void cut(Handle& handle);
  void end();
  [[noreturn]] void differ(const std::string& what) const;
  void require(bool holds, const std::string& what) const;
  void say(const std::string& what);
  template <typename Work>
  std::optional<Error> attempt(Work work) const {
    try {
      work();
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }
  /// Whether it was refused, with one of these codes; every other error is a difference.
  template <typename Work>
  bool refused(const Codes& codes, Work work) const {
    const std::optional<Error> error = attempt(work);
    if (error && !codes.contains(error->code())) differ(std::string("refused: ") + error->what());
    return error.has_value();
  }
  template <typename Work>
  void must_refuse(const Codes& codes, const std::string& what, Work work) const {
    require(refused(codes, work), what + " was not refused");
  }

  const PlainState& now() const { return committed_.back().state; }
  std::uint64_t head() const { return committed_.size() - 1; }
  std::string some_table();    // made where there is none
  std::string some_dataset();  // a table or a collection
  CommitOptions some_options(bool of_a_recorder = false);
  std::string some_change_id();

  // machine_verbs.cc
  void create(Handle& handle);
  void append(Handle& handle);
  void remove(Handle& handle);
  void replace(Handle& handle);
  void alter(Handle& handle);
  void full(Handle& handle);
  void rename(Handle& handle);
  void drop(Handle& handle);
  void retry(Handle& handle);
  void reuse(Handle& handle);
  void tag(Handle& handle);
  void hold(Handle& handle);
  void wait(Handle& handle);
  void refuse(Handle& handle);
  Batch batch(const PlainTable& table, const std::shared_ptr<const Schema>& schema,
              const Rows& rows);
  Rows rows_within(const PlainTable& table, const Choice& choice);
  std::string some_reference(std::uint64_t number);
  void perform(Handle& handle, Request request, PlainState next, const Changes& changes);
  /// What a commit that was made has to be; `next` equal to HEAD: none was made, `though_same`: or
  /// one that shows the same.
  void follow(Handle& handle, const Commit& commit, PlainState next, const Changes& changes,
              bool though_same = false);

  // machine_recorder.cc
  void stage(Handle& handle);
  void stage_one(Handle& handle, Recording& recording);
  static PlainTable with_staged(const Staged& staged);
  void check_staged(const Recording& recording, const std::string& name, const Staged& staged);
  void settle(Handle& handle);
  void stage_rows(Recording& recording, const std::string& name, Staged& staged);
  void stage_removal(Recording& recording, const std::string& name, Staged& staged);
  void stage_replacement(Recording& recording, const std::string& name, Staged& staged);
  void commit_recording(Handle& handle, Recording recording);
  bool stands_against(const Recording& recording) const;

  // machine_undo.cc
  void rollback(Handle& handle);
  void rollback_some(Handle& handle);
  void revert(Handle& handle);
  void undo(Handle& handle, Request request, PlainState next);
  PlainState reverted(std::uint64_t number, std::optional<int> only) const;
  PlainState state_again(PlainState state);
  Rows in_order(int id, Rows rows) const;
  void check_difference(const Database& db);

  // machine_documents.cc
  struct Written;
  void put(Handle& handle);
  void patch(Handle& handle);
  void remove_documents(Handle& handle);
  void rollback_documents(Handle& handle, const std::string& name);
  std::optional<std::string> some_collection();
  void write(Handle& handle, Written written, Request request);
  void check_documents(const Collection& documents, const PlainTable& plain);
  void check_find(const Collection& documents, const PlainTable& plain);
  void check_one(const Collection& documents, const PlainTable& plain);

  // machine_check.cc
  template <typename At>
  void check_dataset(const At& at, const std::string& name, const PlainTable& plain) {
    if (plain.documents) return check_documents(at.collection(name), plain);
    check_table(at.table(name), plain);
  }
  void check_head(Handle& handle);
  void check_old(Handle& handle);
  void check_commit(const Snapshot& at, std::uint64_t number, bool in_full);
  void check_table(const Table& table, const PlainTable& plain);
  void check_schema(const Schema& schema, const PlainTable& plain) const;
  void check_read(const Table& table, const PlainTable& plain);
  void compare(const Table& table, const ReadRequest& request, const PlainTable& plain,
               const Rows& wanted) const;
  void check_tags(const Database& db) const;
  void check_time(const Database& db);
  void check_log(const Database& db);
  void check_held(const Handle& handle);
  void check_all(Database& db);

  // Constant.
  const std::uint64_t seed_;
  const Lie lie_;
  Tally& tally_;

  Random random_;  // of the step that is taken
  Chance chance_{random_};
  history::HistoryOptions sizes_;
  io::SimDisk disk_;
  std::array<Handle, 3> handles_;
  std::vector<Committed> committed_{1};
  std::vector<Request> requests_;
  std::map<std::string, std::uint64_t> tags_;
  std::set<int> undone_;  // tables whose columns went back: a widening may meet types of before
  std::uint64_t durable_ = 0;  // the newest commit that is known to be
  bool lost_ = false;          // whether a relaxed commit went with the power
  std::uint64_t processes_ = 0;
  std::uint64_t boots_ = 1;
  std::uint64_t change_ids_ = 0;
  int numbers_ = 0;
  int ids_ = 0;
  std::string trace_;
};

}  // namespace otolith::stateful
