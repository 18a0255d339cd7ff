// Spilled rows: those of one dataset that a recorder has no memory for, in files only it knows.
//
// Role:    stage -> encode: runs go into one file, which becomes the commit's segment; where rows
//          are read or taken out again, files are closed and joined anew at the commit.
// Shapes:  files in the order of arrival; at the commit one, with the rows that are left.
// Errors:  io, no_space from the files; limit. After one of add, close_file or finish what was
//          spilled is worthless. Those of looking for rows leave all as it was.
// Threads: thread-compatible.
// Why:     requests wait until somebody looks: a loop of a thousand replaces closes no file before
//          the commit. Then each is asked of what was spilled before it and of nothing behind it.
//          The rewrite copies row groups in their order: memory stays bounded, runs stay sorted,
//          and ordinals number the rows that remain.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ingest/encode.h"
#include "ingest/staged_snapshot.h"
#include "otolith/read.h"

namespace otolith::ingest {

class SpilledRows {
 public:
  /// `recorder` owns the files.
  SpilledRows(IngestContext context, const Id128& recorder, history::DatasetEntry dataset);

  /// Writes the rows behind all others, as SegmentEncoder::add_run.
  void add(std::vector<Batch> parts, std::uint64_t run_bytes,
           const SegmentEncoder::Written& written = {});
  /// Takes out the rows added so far that match, each judged by itself.
  void remove(const ReadRequest& rows);
  /// Whether a file is being written, whose rows cannot be read yet.
  bool writing() const noexcept { return encoder_ != nullptr; }
  /// Closes the file that is being written.
  void close_file();
  /// Rows of the files that are closed, without those taken out. No file is being written.
  std::vector<StagedRows> rows();
  /// The rows that are left, in one file; nullopt where none is. Nothing is left here.
  std::optional<Encoded> finish();

 private:
  struct File {
    Encoded encoded;
    StagedRows staged;
  };
  struct Removal {
    ReadRequest rows;
    std::size_t files = 0;              // closed before it
    std::uint64_t rows_of_another = 0;  // of the file that was being written then
  };

  SegmentEncoder& encoder();
  void find_removed();
  void take_out(const Removal& removal, std::vector<StagedRows>& places) const;
  Encoded joined() const;

  const IngestContext context_;
  const Id128 recorder_;
  const history::DatasetEntry dataset_;
  std::vector<File> files_;
  std::unique_ptr<SegmentEncoder> encoder_;
  std::vector<Removal> removals_;  // not looked for yet
};

}  // namespace otolith::ingest
