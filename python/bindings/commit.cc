// Commit: what every writing verb returns. Times cross as ns, numbers as int.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <utility>

#include "bindings.h"

namespace otolith::bindings {

Progress progress_of(const std::optional<PythonProgress>& progress) {
  if (!progress) return {};
  const auto with_gil = [](PythonProgress* held) {
    const WithGil gil;
    delete held;
  };
  return [call = std::shared_ptr<PythonProgress>(new PythonProgress(*progress), with_gil)](
             std::uint64_t done, std::uint64_t total) {
    const WithGil held;
    or_stay([&] { (*call)(done, total); });
  };
}

namespace {

/// Whether so much time has passed since it said so.
class Every {
 public:
  explicit Every(std::chrono::milliseconds time) : time_(time) {}
  bool passed() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < time_) return false;
    last_ = now;
    return true;
  }

 private:
  std::chrono::milliseconds time_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Raises what a signal's handler raises, KeyboardInterrupt for Ctrl-C.
struct Signals {
  Every often{std::chrono::milliseconds(10)};

  void operator()() {
    if (!often.passed()) return;
    const WithGil held;
    if (or_stay(&PyErr_CheckSignals) != 0) throw nb::python_error();
  }
};

}  // namespace

Progress seldom(Progress progress) {
  if (!progress) return {};
  return [told = std::move(progress), often = Every(std::chrono::milliseconds(20))](
             std::uint64_t done, std::uint64_t total) mutable {
    if (often.passed() || done == total) told(done, total);
  };
}

Interruptible::Interruptible() : signals_(Signals()) {}

CommitOptions commit_options(std::optional<std::string> author, std::string message,
                             std::string extra, std::optional<std::string> change_id,
                             const std::optional<PythonProgress>& progress) {
  return {.author = std::move(author),
          .message = std::move(message),
          .extra = std::move(extra),
          .change_id = std::move(change_id),
          .time = {},
          .progress = progress_of(progress)};
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
      .def_ro("ids", &Commit::ids)
      .def_prop_ro("changes", &changes, "By dataset: rows added and ended.");
  nb::class_<CommitOptions>(module, "CommitOptions", "What a writing verb says about its commit.")
      .def_static("make", &commit_options, nb::arg("author").none(), nb::arg("message"),
                  nb::arg("extra"), nb::arg("change_id").none(), nb::arg("progress").none());
}

}  // namespace otolith::bindings
