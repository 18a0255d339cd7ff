// What status() and verify() tell.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <utility>

#include "bindings.h"

namespace otolith::bindings {

void bind_status(nb::module_& module) {
  nb::class_<DatasetStatus>(module, "DatasetStatus", "Rows and bytes of one dataset.")
      .def_ro("rows", &DatasetStatus::rows)
      .def_ro("segments", &DatasetStatus::segments)
      .def_ro("past_segments", &DatasetStatus::past_segments)
      .def_ro("segment_bytes", &DatasetStatus::segment_bytes)
      .def_ro("tail_rows", &DatasetStatus::tail_rows);
  nb::class_<Status>(module, "Status", "Rows, bytes and findings of a database.")
      .def_prop_ro("path",
                   [](const Status& self) { return nb::bytes(self.path.data(), self.path.size()); })
      .def_ro("database_id", &Status::database_id)
      .def_ro("format", &Status::format)
      .def_prop_ro("head", [](const Status& self) { return std::to_underlying(self.head); })
      .def_ro("read_only", &Status::read_only)
      .def_ro("datasets", &Status::datasets)
      .def_ro("log_files", &Status::log_files)
      .def_ro("log_bytes", &Status::log_bytes)
      .def_ro("segment_bytes", &Status::segment_bytes)
      .def_ro("tail_commits", &Status::tail_commits)
      .def_ro("unnamed_files", &Status::unnamed_files)
      .def_ro("unnamed_bytes", &Status::unnamed_bytes)
      .def_prop_ro("torn_tails", [](const Status& self) { return readable_each(self.torn_tails); })
      .def_ro("lost", &Status::lost)
      .def_prop_ro("damage", [](const Status& self) { return readable_each(self.damage); })
      .def_prop_ro("foreign", [](const Status& self) { return readable_each(self.foreign); });
  nb::class_<CompactReport>(module, "CompactReport", "What compact did.")
      .def_ro("sealed_rows", &CompactReport::sealed_rows)
      .def_ro("joined_segments", &CompactReport::joined_segments)
      .def_ro("joined_rows", &CompactReport::joined_rows)
      .def_ro("joined_bytes", &CompactReport::joined_bytes)
      .def_ro("present_segments", &CompactReport::present_segments)
      .def_ro("present_rows", &CompactReport::present_rows)
      .def_ro("past_segments", &CompactReport::past_segments)
      .def_ro("past_rows", &CompactReport::past_rows)
      .def_ro("swept_files", &CompactReport::swept_files)
      .def_ro("swept_bytes", &CompactReport::swept_bytes)
      .def_ro("stripped_files", &CompactReport::stripped_files)
      .def_ro("stripped_bytes", &CompactReport::stripped_bytes);
  nb::class_<Problem>(module, "Problem", "One finding of verify.")
      .def_prop_ro("what", [](const Problem& self) { return readable(self.what); })
      .def_prop_ro("file", [](const Problem& self) { return readable(self.where.file); })
      .def_prop_ro("offset", [](const Problem& self) { return self.where.offset; })
      .def_prop_ro("commits", [](const Problem& self) { return self.where.commits; });
  nb::class_<VerifyReport>(module, "VerifyReport", "What verify found.")
      .def_ro("problems", &VerifyReport::problems)
      .def_ro("segments", &VerifyReport::segments)
      .def_ro("bytes", &VerifyReport::bytes)
      .def_ro("commits", &VerifyReport::commits)
      .def_ro("commits_unknown", &VerifyReport::commits_unknown);
}

}  // namespace otolith::bindings
