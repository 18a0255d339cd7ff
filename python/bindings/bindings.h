// What the binding files share: one function per class, and the handles that cross to Python.
//
// Role:    otolith._core, the compiled half of the Python package; moves buffers, decides nothing.
// Shapes:  times cross as int64 ns UTC, commit numbers as int, buffers without a copy.
// Errors:  otolith::Error becomes otolith.Error in one place, errors.cc.
// Threads: thread-compatible, under the GIL; every call that may touch the disk or compute releases
//          it (`Released`).
// Why:     rules of conversion live in the Python layer, where they can be read; loops live here.
#pragma once

#include <nanobind/nanobind.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/stopping.h"
#include "gil.h"
#include "otolith/otolith.h"

namespace otolith::bindings {

namespace nb = nanobind;

/// Releases the GIL for the length of a call.
using Released = nb::call_guard<WithoutGil>;

/// The same for a call that may be long: signals are looked for at its stop points, so that Ctrl-C
/// ends it. For calls that change nothing.
class Interruptible {
 public:
  Interruptible();

 private:
  WithoutGil released_;
  Stopping signals_;
};
using ReleasedInterruptible = nb::call_guard<Interruptible>;

/// A shared schema as Python holds it: compared by identity, so that its Python view can be kept.
struct SchemaHandle {
  std::shared_ptr<const Schema> schema;
};

/// A recorder as Python holds it. A row that is being set holds no lock of the core's: who is in a
/// call is known here.
struct SharedRecorder {
  explicit SharedRecorder(Recorder recorder) : core(std::move(recorder)) {}
  Recorder core;
  const pid_t process = ::getpid();
  std::atomic<bool> busy{false};
};

/// progress(done, total) of Python; it may raise to stop.
using PythonProgress = nb::typed<nb::callable, void(std::uint64_t, std::uint64_t)>;

/// The same for the core, empty without one. It takes the GIL, and may be copied without it.
Progress progress_of(const std::optional<PythonProgress>& progress);

/// The same for work that tells more often than a person can see: at most each 20 ms, and at its
/// end.
Progress seldom(Progress progress);

/// What a writing verb of Python says about its commit; an absent author means the database's own.
CommitOptions commit_options(std::optional<std::string> author, std::string message,
                             std::string extra, std::optional<std::string> change_id,
                             const std::optional<PythonProgress>& progress);

/// name, type, nullable, codec, metadata
using ColumnTuple =
    std::tuple<std::string, std::string, bool, std::string, std::map<std::string, std::string>>;

/// The column of a tuple; its id is given by the history.
Column column_of(const ColumnTuple& column);

/// A key's value as Python has it; bytes are those of a binary key.
using PythonKey = std::variant<std::int64_t, std::uint64_t, std::string, nb::bytes>;
using KeyTuples = std::vector<std::pair<std::string, std::vector<PythonKey>>>;

/// Key columns and the values asked for.
std::vector<KeyFilter> key_filters(const KeyTuples& keys);

/// nullopt, or the Timestamp of so many ns.
inline std::optional<Timestamp> timestamp_of(std::optional<std::int64_t> ns) {
  return ns ? std::optional(Timestamp{*ns}) : std::nullopt;
}

/// What a document must be: `given` tells "must not be there", None, from "whatever it is".
inline std::optional<ExpectedRevision> expected_of(ExpectedRevision revision, bool given) {
  std::optional<ExpectedRevision> out;
  if (given) out.emplace(std::move(revision));
  return out;
}

/// Text for people, which may hold names of files that are no UTF-8: those bytes as \xe9.
nb::str readable(std::string_view text);

/// readable of each.
nb::typed<nb::list, nb::str> readable_each(const std::vector<std::string>& texts);

void bind_log(nb::module_& module);
void bind_errors(nb::module_& module);
void bind_times(nb::module_& module);
void bind_schema(nb::module_& module);
void bind_array(nb::module_& module);
void bind_text(nb::module_& module);
void bind_decimals(nb::module_& module);
void bind_array_views(nb::class_<Array>& array);
void bind_data_texts(nb::class_<Data>& data);
void bind_data(nb::module_& module);
void bind_arrow(nb::module_& module);
void bind_arrow_import(nb::module_& module);
void bind_commit(nb::module_& module);
void bind_expression(nb::module_& module);
void bind_documents(nb::module_& module);
void bind_table(nb::module_& module);
void bind_collection(nb::module_& module);
void bind_diff(nb::module_& module);
void bind_snapshot(nb::module_& module);
void bind_recorder(nb::module_& module);
void bind_status(nb::module_& module);
void bind_database(nb::module_& module);
void bind_inspect(nb::module_& module);

}  // namespace otolith::bindings
