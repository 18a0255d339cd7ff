// Commit: what every writing verb returns. Times cross as ns, numbers as int.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include <utility>

#include "bindings.h"

namespace otolith::bindings {

CommitOptions commit_options(std::optional<std::string> author, std::string message,
                             std::string extra, std::optional<std::string> change_id) {
  return {.author = std::move(author),
          .message = std::move(message),
          .extra = std::move(extra),
          .change_id = std::move(change_id),
          .time = {}};
}

namespace {

std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> changes(const Commit& self) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> out;
  for (const auto& [name, count] : self.changes)
    out.emplace(name, std::pair(count.added, count.ended));
  return out;
}

}  // namespace

void bind_commit(nb::module_& module) {
  nb::class_<Commit>(module, "Commit", "One atomic change.")
      .def_prop_ro("number", [](const Commit& self) { return std::to_underlying(self.number); })
      .def_prop_ro("time_ns", [](const Commit& self) { return self.time.ns; })
      .def_ro("hash", &Commit::hash)
      .def_ro("parent", &Commit::parent)
      .def_ro("author", &Commit::author)
      .def_ro("message", &Commit::message)
      .def_ro("extra", &Commit::extra)
      .def_ro("change_id", &Commit::change_id)
      .def_ro("durable", &Commit::durable)
      .def_prop_ro("changes", &changes, "By dataset: rows added and ended.");
  nb::class_<CommitOptions>(module, "CommitOptions", "What a writing verb says about its commit.")
      .def_static("make", &commit_options, nb::arg("author").none(), nb::arg("message"),
                  nb::arg("extra"), nb::arg("change_id").none());
}

}  // namespace otolith::bindings
