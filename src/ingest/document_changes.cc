#include "ingest/document_changes.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "model/array.h"

namespace otolith::ingest {

namespace {

constexpr std::size_t kLittleOperations = 1024;  // looked up, and encoded, under the append lock

}  // namespace

DocumentChanges::DocumentChanges(IngestContext context, std::map<std::string, DocumentStage> stages,
                                 std::uint64_t inline_bytes)
    : context_(std::move(context)), stages_(std::move(stages)), inline_bytes_(inline_bytes) {}

scan::ScanContext DocumentChanges::scan_context() const {
  return {.store = context_.store, .threads = context_.threads};
}

// What was not touched since costs nothing, however much it is.
bool DocumentChanges::little(const history::ChangeState& state) const {
  std::uint64_t bytes = 0;
  std::size_t operations = 0;
  bool all = false;
  for (const auto& [name, made] : made_) {
    if (made.dataset && !state.touched(*made.dataset)) continue;
    const DocumentStage& stage = stages_.at(name);
    bytes += stage.bytes();
    operations += stage.operations();
    all = all || stage.by_condition();
  }
  return !all && operations <= kLittleOperations && bytes <= inline_bytes_;
}

bool DocumentChanges::holds(const Made& made, const std::string& name,
                            const history::ChangeState& state) const {
  const auto dataset = stages_.at(name).dataset_in(*state.snapshot);
  if (dataset.has_value() != made.dataset.has_value()) return false;
  if (!dataset) return true;
  if (dataset->id != *made.dataset) return false;
  if (!state.touched(dataset->id)) return true;
  return !made.by_condition && same_rows(scan_context(), state.snapshot, *dataset, made.seen);
}

bool DocumentChanges::hold(const history::ChangeState& state) {
  return std::ranges::all_of(
      made_, [&](const auto& made) { return holds(made.second, made.first, state); });
}

Encoded DocumentChanges::encode(const history::DatasetEntry& dataset, const Batch& rows,
                                std::uint64_t& room) {
  const std::uint64_t bytes = model::batch_plain_bytes(rows);
  if (bytes <= room) {
    room -= bytes;
    return encode_inline(context_, dataset, {rows});
  }
  if (!owner_) owner_.emplace(*context_.vfs, *context_.environment);
  SegmentEncoder encoder(context_, owner_->id(), dataset, Shredding(rows, context_.threads));
  encoder.add_run({rows}, context_.memory_bytes);
  Encoded out = encoder.finish();
  io::File* const file = &out.file->file();
  const Id128 id = out.file->id();
  sync_segments(*context_.vfs, std::span(&file, 1), std::span(&id, 1));
  owner_->check();
  return out;
}

void DocumentChanges::make(const history::ChangeState& state, history::CommitRequest& request) {
  for (const auto& [name, made] : made_) {
    std::erase_if(request.datasets, [&](const history::DatasetChange& change) {
      return change.dataset == made.in_request;
    });
  }
  made_.clear();
  request.catalog.clear();  // nobody else puts any there beside documents
  std::uint64_t room = inline_bytes_;
  std::uint32_t created = 0;
  for (const auto& [name, stage] : stages_) {
    const auto there = stage.dataset_in(*state.snapshot);
    const history::DatasetEntry dataset = there ? *there : stage.new_dataset(created);
    DocumentOutcome outcome = stage.evaluate(scan_context(), state, dataset, there.has_value());
    Made& made = made_[name];
    if (there) made.dataset = there->id;
    made.in_request = dataset.id;
    made.seen = std::move(outcome.seen);
    made.by_condition = outcome.by_condition;
    if (outcome.empty()) continue;
    history::DatasetChange change;
    change.dataset = dataset.id;
    if (outcome.rows.rows != 0) {
      Encoded encoded = encode(dataset, outcome.rows, room);
      change = std::move(encoded.change);
      if (encoded.file) made.file.emplace(*std::move(encoded.file));
    }
    change.marks = std::move(outcome.ended);
    request.datasets.push_back(std::move(change));
    if (there) continue;
    ++created;
    request.catalog.push_back(history::CreateDataset{name, *dataset.schema});
  }
}

std::vector<DocumentChanges::File> DocumentChanges::files() {
  std::vector<File> out;
  for (auto& [name, made] : made_) {
    if (made.file) out.push_back({&*made.file, made.in_request});
  }
  return out;
}

}  // namespace otolith::ingest
