// Database: open, tables, recorders, history, care.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace otolith::bindings {

namespace {

Database open(const nb::bytes& path_bytes, bool create, bool read_only, Durability durability,
              unsigned threads, std::uint64_t memory_bytes, bool mmap, const std::string& author,
              std::uint64_t lock_wait_ns) {
  const std::string path(path_bytes.c_str(), path_bytes.size());
  const WithoutGil released;
  return Database::open(path, {.create = create,
                               .read_only = read_only,
                               .durability = durability,
                               .threads = threads,
                               .memory_bytes = memory_bytes,
                               .mmap = mmap,
                               .author = author,
                               .lock_wait_ns = lock_wait_ns});
}

Table create_table(Database& self, const std::string& name, const SchemaHandle& schema,
                   bool exist_ok, const CommitOptions& options) {
  return self.create_table(name, *schema.schema, {.exist_ok = exist_ok, .commit = options});
}

std::vector<Commit> log(const Database& self, std::optional<std::string> dataset,
                        std::optional<std::string> author, std::optional<std::int64_t> since,
                        std::optional<std::int64_t> until, std::optional<std::uint64_t> limit,
                        bool reverse) {
  return self.log({.dataset = std::move(dataset),
                   .author = std::move(author),
                   .since = timestamp_of(since),
                   .until = timestamp_of(until),
                   .limit = limit,
                   .reverse = reverse});
}

Commit revert(Database& self, std::string_view reference, std::optional<std::string> dataset,
              const CommitOptions& options) {
  return self.revert(reference, {.dataset = std::move(dataset)}, options);
}

Diff revert_diff(const Database& self, std::string_view reference,
                 std::optional<std::string> dataset) {
  return self.revert_diff(reference, {.dataset = std::move(dataset)});
}

std::optional<Commit> wait(const Database& self, std::optional<std::uint64_t> after,
                           std::optional<std::uint64_t> timeout_ns) {
  WaitOptions options{.after = {}, .timeout_ns = timeout_ns, .now_and_then = [] {
                        const WithGil held;
                        if (PyErr_CheckSignals() != 0) throw nb::python_error();
                      }};
  if (after) options.after = CommitNumber{*after};
  const WithoutGil released;
  return self.wait(options);
}

VerifyReport verify(const Database& self, const std::optional<PythonProgress>& progress,
                    bool history) {
  const Progress told = progress_of(progress);
  const Interruptible released;
  return self.verify(told, history);
}

CompactReport compact(Database& self, const std::optional<PythonProgress>& progress,
                      std::uint64_t bytes_per_second) {
  const Progress told = progress_of(progress);
  const Interruptible released;
  return self.compact(told, bytes_per_second);
}

void bind_history(nb::class_<Database>& database) {
  database.def("head", &Database::head, Released())
      .def(
          "at", [](const Database& self, std::string_view reference) { return self.at(reference); },
          nb::arg("reference"), Released())
      .def(
          "at_number",
          [](const Database& self, std::uint64_t number) { return self.at(CommitNumber{number}); },
          nb::arg("number"), Released())
      .def(
          "at_time",
          [](const Database& self, std::int64_t ns) { return self.at_time(Timestamp{ns}); },
          nb::arg("ns"), Released())
      .def("log", &log, nb::arg("dataset").none(), nb::arg("author").none(),
           nb::arg("since").none(), nb::arg("until").none(), nb::arg("limit").none(),
           nb::arg("reverse"), Released())
      .def("wait", &wait, nb::arg("after").none(), nb::arg("timeout_ns").none(),
           "Signals are looked for every 50 ms.")
      .def("rollback", &Database::rollback, nb::arg("to"), nb::arg("rows"), nb::arg("options"),
           Released())
      .def("rollback_diff", &Database::rollback_diff, nb::arg("to"), nb::arg("rows"),
           ReleasedInterruptible())
      .def("revert", &revert, nb::arg("reference"), nb::arg("dataset").none(), nb::arg("options"),
           Released())
      .def("revert_diff", &revert_diff, nb::arg("reference"), nb::arg("dataset").none(),
           ReleasedInterruptible())
      .def("diff", &Database::diff, nb::arg("first"), nb::arg("second"), nb::arg("dataset").none(),
           ReleasedInterruptible())
      .def("tag", &Database::tag, nb::arg("name"), nb::arg("reference"), Released())
      .def("untag", &Database::untag, nb::arg("name"), Released())
      .def("tags", &Database::tags, Released());
}

}  // namespace

void bind_database(nb::module_& module) {
  nb::enum_<Durability>(module, "Durability")
      .value("durable", Durability::durable)
      .value("relaxed", Durability::relaxed);
  nb::class_<Database> database(module, "Database", "An open database.");
  database
      .def_static("open", &open, nb::arg("path"), nb::arg("create"), nb::arg("read_only"),
                  nb::arg("durability"), nb::arg("threads"), nb::arg("memory_bytes"),
                  nb::arg("mmap"), nb::arg("author"), nb::arg("lock_wait_ns"))
      .def("create_table", &create_table, nb::arg("name"), nb::arg("schema"), nb::arg("exist_ok"),
           nb::arg("options"), Released())
      .def("table", &Database::table, nb::arg("name"), Released())
      .def("kind", &Database::kind, nb::arg("name"), Released())
      .def(
          "collection",
          [](const Database& self, std::string_view name, std::optional<std::string> path,
             TimeUnit unit, std::optional<std::string> codec,
             std::optional<std::pair<std::uint64_t, std::uint32_t>> segments) {
            CollectionOptions options{.time = {}, .codec = std::move(codec), .segments = {}};
            if (path) options.time = DocumentTime{*std::move(path), unit};
            if (segments) options.segments = SegmentSizes{segments->first, segments->second};
            return self.collection(name, options);
          },
          nb::arg("name"), nb::arg("time").none(), nb::arg("unit"), nb::arg("codec").none(),
          nb::arg("segments").none(), Released())
      .def("datasets", &Database::datasets, Released())
      .def("contains", &Database::contains, nb::arg("name"), Released())
      .def("metadata", &Database::metadata, Released())
      .def("alter", &Database::alter, nb::arg("metadata"), nb::arg("options"), Released())
      .def("drop", &Database::drop, nb::arg("name"), nb::arg("options"), Released())
      .def("rename", &Database::rename, nb::arg("name"), nb::arg("to"), nb::arg("options"),
           Released())
      .def(
          "recorder",
          [](Database& self, const CommitOptions& options) {
            return std::make_shared<SharedRecorder>(self.recorder(options));
          },
          nb::arg("options"), Released())
      .def("status", &Database::status, Released())
      .def("verify", &verify, nb::arg("progress").none(), nb::arg("history"),
           "progress(bytes done, bytes in all); may raise to stop.")
      .def("compact", &compact, nb::arg("progress").none(), nb::arg("bytes_per_second"),
           "progress(bytes done, bytes in all); may raise to stop.")
      .def("sync", &Database::sync, Released())
      .def("close", &Database::close, Released())
      .def("closed", &Database::closed)
      .def("path", [](const Database& self) {
        const auto path = self.path();
        return nb::bytes(path.data(), path.size());
      });
  bind_history(database);
  module.attr("MEMORY_BYTES") = OpenOptions{}.memory_bytes;
}

}  // namespace otolith::bindings
