#include "ingest/spilled.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "scan/matches.h"
#include "scan/store.h"
#include "scan/unit.h"
#include "scan/visible.h"
#include "segment/tasks.h"

namespace otolith::ingest {

using history::VisibleRows;

SpilledRows::SpilledRows(IngestContext context, const Id128& recorder,
                         history::DatasetEntry dataset)
    : context_(std::move(context)), recorder_(recorder), dataset_(std::move(dataset)) {}

SegmentEncoder& SpilledRows::encoder() {
  if (encoder_ == nullptr) {
    encoder_ = std::make_unique<SegmentEncoder>(context_, recorder_, dataset_);
  }
  return *encoder_;
}

void SpilledRows::add(std::vector<Batch> parts, std::uint64_t run_bytes,
                      const SegmentEncoder::Written& written) {
  if (parts.empty()) return;
  encoder().add_run(std::move(parts), run_bytes, written);
}

void SpilledRows::remove(const ReadRequest& rows) {
  removals_.push_back({rows, files_.size(), encoder_ ? encoder_->rows() : 0});
}

void SpilledRows::close_file() {
  if (encoder_ == nullptr) return;
  File file{encoder_->finish(), {}};
  encoder_.reset();
  const history::DatasetChange& change = file.encoded.change;
  file.staged.rows = change.rows_added;
  file.staged.time_min = change.time_min;
  file.staged.time_max = change.time_max;
  file.staged.segment = change.segment;
  file.staged.reader = context_.store->lend(dataset_.id, {*change.segment, {}, {}, false});
  files_.push_back(std::move(file));
}

std::vector<StagedRows> SpilledRows::rows() {
  OTO_INVARIANT(encoder_ == nullptr);
  find_removed();
  std::vector<StagedRows> out;
  for (const File& file : files_) out.push_back(file.staged);
  return out;
}

// All of them or, where one throws, none.
void SpilledRows::find_removed() {
  if (removals_.empty()) return;
  std::vector<StagedRows> places;
  for (const File& file : files_) places.push_back(file.staged);
  for (const Removal& removal : removals_) take_out(removal, places);
  for (std::size_t i = 0; i < files_.size(); ++i) files_[i].staged.left = places[i].left;
  removals_.clear();
}

void SpilledRows::take_out(const Removal& removal, std::vector<StagedRows>& places) const {
  StagedChange before{.dataset = dataset_, .rows = places};
  const bool part = removal.rows_of_another != 0;
  if (!mutant("spilled-delete-of-later-rows")) before.rows.resize(removal.files + (part ? 1 : 0));
  const auto staged = std::make_shared<const StagedSnapshot>(nullptr, std::move(before));
  const history::MarkList found = scan::matching_ids(
      {.store = context_.store, .threads = context_.threads}, staged, dataset_, removal.rows, {});
  for (const history::MarkSet& set : found.sets()) {
    const std::size_t place = staged->place_of(set.begin);
    RowSet gone = set.rows;
    if (place == removal.files && !mutant("spilled-delete-of-later-rows"))
      gone = gone.within({0, removal.rows_of_another});
    places[place].left = without(places[place].left, places[place].rows, gone);
  }
}

namespace {

// The rows of a file that are left, run by run in their order.
void copy_rows(const scan::RowSource& source, scan::Visibility& left,
               const std::shared_ptr<const Schema>& schema, unsigned threads, SegmentEncoder& to) {
  const std::vector<scan::Piece>& pieces = source.pieces();
  for (std::size_t piece = 0; piece < pieces.size();) {
    const std::uint32_t number = pieces[piece].run;
    model::Run run;
    std::vector<scan::Selected> parts;
    for (; piece < pieces.size() && pieces[piece].run == number; ++piece) {
      RowSet ranges = left.of(source, piece);
      if (ranges.empty()) continue;
      const std::int64_t bucket = pieces[piece].bucket;
      if (run.empty() || run.back().bucket != bucket) run.push_back({bucket, 0});
      run.back().rows += ranges.rows();
      parts.push_back({piece, std::move(ranges)});
    }
    if (parts.empty()) continue;
    to.begin_run(run);
    for (const scan::Selected& part : parts) {
      Batch batch{.schema = schema, .rows = part.ranges.rows(), .columns = {}};
      batch.columns.resize(schema->columns.size());
      segment::run_tasks(segment::threads_worth(threads, batch.rows), batch.columns.size(),
                         [&](unsigned, std::size_t column) {
                           batch.columns[column] =
                               scan::selected_values(source, part, schema->columns[column]);
                         });
      to.append(batch);
    }
    to.end_run();
  }
}

}  // namespace

Encoded SpilledRows::joined() const {
  StagedChange all{.dataset = dataset_};
  for (const File& file : files_) all.rows.push_back(file.staged);
  const auto staged = std::make_shared<const StagedSnapshot>(nullptr, std::move(all));
  scan::Visibility left(staged, dataset_.id);
  SegmentEncoder whole(context_, recorder_, dataset_);
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const StagedRows& rows = files_[i].staged;
    const CommitNumber begin = staged->begin_of(i);
    const auto source = scan::segment_source(rows.reader, {*rows.segment, begin, begin, false});
    copy_rows(*source, left, dataset_.schema, context_.threads, whole);
  }
  return whole.finish();
}

std::optional<Encoded> SpilledRows::finish() {
  if (files_.empty() && removals_.empty() && encoder_) {
    return std::exchange(encoder_, nullptr)->finish();
  }
  close_file();
  if (!mutant("spilled-rows-stay")) find_removed();
  const auto is = [](VisibleRows::Kind kind) {
    return [kind](const File& file) { return file.staged.left.kind() == kind; };
  };
  std::optional<Encoded> out;
  if (files_.size() == 1 && is(VisibleRows::Kind::all)(files_.front())) {
    out.emplace(std::move(files_.front().encoded));
  } else if (!std::ranges::all_of(files_, is(VisibleRows::Kind::none))) {
    out.emplace(joined());
  }
  files_.clear();
  return out;
}

}  // namespace otolith::ingest
