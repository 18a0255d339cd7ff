#include "ingest/recorder.h"

#include <algorithm>
#include <exception>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "ingest/commit.h"
#include "ingest/removals.h"
#include "ingest/stage.h"
#include "io/fork.h"
#include "model/align.h"
#include "model/rows_hash.h"
#include "segment/tasks.h"

namespace otolith::ingest {

namespace {

// Joining and sorting a run takes about as much again as its rows, and permutations on top.
constexpr std::uint64_t kRunShare = 3;

std::string what(const std::exception_ptr& failure) try {
  std::rethrow_exception(failure);
} catch (const std::exception& error) {
  return error.what();
} catch (...) {
  return "an unknown error";
}

void check_same_schema(const history::DatasetEntry& staged, const history::DatasetEntry& now) {
  if (staged.schema == now.schema || *staged.schema == *now.schema) return;
  throw_error(ErrorCode::conflict,
              "the schema of {} changed since rows were staged; discard and begin again",
              quoted(now.name));
}

}  // namespace

struct Recorder::State {
  State(IngestContext of, bool may_retry) : context(std::move(of)), may_be_retry(may_retry) {}

  IngestContext context;
  bool may_be_retry;
  std::uint64_t fork_generation = io::fork_generation();
  bool open = true;
  std::exception_ptr failure;  // what ended it; null where commit or discard did
  std::map<DatasetId, Stage> stages;
  std::map<DatasetId, Removals> removals;
  Blake3 asked;                    // what remove() was asked, for who may be a retry
  std::optional<FileOwner> owner;  // of the files, from the first one on

  std::uint64_t run_bytes() const {
    return std::max<std::uint64_t>(context.memory_bytes / kRunShare, 1);
  }
  void check_usable() const;
  std::uint64_t hash_of(const Batch& batch) const;
  Stage& stage_of(const history::DatasetEntry& dataset);
  void copy(Stage& stage, const Batch& batch);
  void spill_over();
  void spill(Stage& stage);
  void close() noexcept;
  std::vector<Encoded> encode();
  std::vector<Stage*> inlined();
  void remove(const history::DatasetEntry& dataset, const ReadRequest& rows);
  static void check_staged(const Stage& stage, const Removals& asked_for);
  void add_endings(history::CommitRequest& request);
};

void Recorder::State::check_usable() const {
  if (fork_generation != io::fork_generation()) {
    throw_error(ErrorCode::invalid_argument,
                "this recorder was made before the process forked; make one in the child from a "
                "database opened there");
  }
  if (open) return;
  if (failure == nullptr) {
    throw_error(ErrorCode::invalid_argument,
                "this recorder has committed or discarded; take a new one from the database");
  }
  throw_error(ErrorCode::invalid_argument,
              "this recorder was ended by an error, and what was staged is gone; take a new one "
              "from the database: {}",
              what(failure));
}

// Of the rows as they came; 0 where nobody will ask.
std::uint64_t Recorder::State::hash_of(const Batch& batch) const {
  constexpr std::uint64_t piece = 1 << 16;
  if (!may_be_retry) return 0;
  std::vector<std::uint64_t> sums((batch.rows + piece - 1) / piece);
  const unsigned threads = segment::threads_worth(context.threads, batch.rows);
  segment::run_tasks(threads, sums.size(), [&](unsigned, std::size_t task) {
    const std::uint64_t first = task * piece;
    sums[task] =
        model::rows_hash(model::batch_slice(batch, first, std::min(piece, batch.rows - first)));
  });
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

Stage& Recorder::State::stage_of(const history::DatasetEntry& dataset) {
  const auto removed = removals.find(dataset.id);
  if (removed != removals.end()) check_same_schema(removed->second.dataset(), dataset);
  Stage& stage = stages.try_emplace(dataset.id, dataset).first->second;
  check_same_schema(stage.dataset(), dataset);
  return stage;
}

// Rows staged before it are dropped here, rows staged behind it stay: so the order is kept.
void Recorder::State::remove(const history::DatasetEntry& dataset, const ReadRequest& rows) {
  const auto removed = removals.find(dataset.id);
  if (removed != removals.end()) check_same_schema(removed->second.dataset(), dataset);
  const auto staged = stages.find(dataset.id);
  std::uint64_t hash_before = 0;
  Removals known(dataset);
  known.add(rows);  // refuses what the schema does not have
  if (staged != stages.end()) {
    check_same_schema(staged->second.dataset(), dataset);
    check_staged(staged->second, known);
    staged->second.remove(rows);
    hash_before = staged->second.rows_hash();
  }
  if (removed == removals.end()) {
    removals.emplace(dataset.id, std::move(known));
  } else {
    removed->second.add(rows);
  }
  hash_request(asked, dataset.id, hash_before, rows);
}

void Recorder::State::check_staged(const Stage& stage, const Removals& asked_for) {
  if (stage.spilled()) {
    throw_error(ErrorCode::limit,
                "rows of {} staged here were too many for memory and stand in a file, from which "
                "none can be deleted: commit them first, or open with more memory_bytes",
                quoted(stage.dataset().name));
  }
  if (asked_for.by_row() || stage.plain_bytes() == 0) return;
  throw_error(ErrorCode::invalid_argument,
              "{} shows one row of those that share keys and time, and rows of it are staged here: "
              "commit them before you delete by a condition on other columns",
              quoted(stage.dataset().name));
}

void Recorder::State::add_endings(history::CommitRequest& request) {
  if (removals.empty()) return;
  for (auto& [dataset, of] : removals) {
    request.endings.push_back(of.ending({.store = context.store, .threads = context.threads}));
  }
  asked.add(request.request_hash.view());
  request.request_hash = asked.finish();
}

// In pieces, so that no more than one of them stands above the budget.
void Recorder::State::copy(Stage& stage, const Batch& batch) {
  const std::uint64_t row_bytes = model::batch_plain_bytes(batch) / batch.rows + 1;
  const std::uint64_t piece_bytes = std::min<std::uint64_t>(kStagePartBytes, run_bytes());
  const std::uint64_t piece = std::max<std::uint64_t>(piece_bytes / row_bytes, 1);
  for (std::uint64_t at = 0; at < batch.rows; at += piece) {
    stage.copy(batch, at, std::min(piece, batch.rows - at));
    spill_over();
  }
}

void Recorder::State::spill_over() {
  std::uint64_t bytes = 0;
  Stage* largest = nullptr;
  for (auto& [dataset, stage] : stages) {
    bytes += stage.bytes();
    if (largest == nullptr || stage.bytes() > largest->bytes()) largest = &stage;
  }
  if (bytes >= run_bytes()) spill(*largest);
}

// What is staged of one dataset becomes a run in its file.
void Recorder::State::spill(Stage& stage) {
  if (!stage.spilled()) {
    if (!owner) owner.emplace(*context.vfs, *context.environment);
    stage.encoder() = std::make_unique<SegmentEncoder>(context, owner->id(), stage.dataset());
  }
  stage.encoder()->add_run(stage.take(), run_bytes());
}

void Recorder::State::close() noexcept {
  open = false;
  stages.clear();
  removals.clear();
  owner.reset();
}

// The datasets whose rows go into the frame: the smallest first, as many as fit.
std::vector<Stage*> Recorder::State::inlined() {
  std::vector<Stage*> small;
  for (auto& [dataset, stage] : stages) {
    if (!stage.spilled()) small.push_back(&stage);
  }
  std::ranges::sort(small, {}, &Stage::plain_bytes);
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < small.size() && bytes + small[count]->plain_bytes() <= context.inline_bytes_max) {
    bytes += small[count++]->plain_bytes();
  }
  small.resize(count);
  return small;
}

std::vector<Encoded> Recorder::State::encode() {
  std::erase_if(stages, [](auto& entry) {
    return entry.second.plain_bytes() == 0 && !entry.second.spilled();
  });
  const std::vector<Stage*> small = inlined();
  std::vector<Encoded> out;
  for (auto& [dataset, stage] : stages) {
    if (std::ranges::find(small, &stage) != small.end()) {
      out.push_back(encode_inline(context, stage.dataset(), stage.take()));
    } else {
      spill(stage);
      out.push_back(stage.encoder()->finish());
    }
    out.back().rows_hash = stage.rows_hash();
  }
  return out;
}

Recorder::Recorder(IngestContext context, bool may_be_retry)
    : state_(std::make_unique<State>(std::move(context), may_be_retry)) {}
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder::~Recorder() = default;

void Recorder::append(const history::DatasetEntry& dataset, const Batch& batch) {
  state_->check_usable();
  const Batch aligned = model::align(batch, dataset.schema);
  batch_check(aligned);
  if (aligned.rows == 0) return;
  Stage& stage = state_->stage_of(dataset);
  const std::uint64_t hash = state_->hash_of(aligned);
  try {
    state_->copy(stage, aligned);
    stage.add_hash(hash);
  } catch (...) {
    state_->failure = std::current_exception();
    state_->close();
    throw;
  }
}

void Recorder::append_borrowed(const history::DatasetEntry& dataset, const Batch& batch) {
  state_->check_usable();
  Batch aligned = model::align(batch, dataset.schema);
  batch_check(aligned);
  if (aligned.rows == 0) return;
  Stage& stage = state_->stage_of(dataset);
  stage.add_hash(state_->hash_of(aligned));
  stage.borrow(std::move(aligned));
}

void Recorder::remove(const history::DatasetEntry& dataset, const ReadRequest& rows) {
  state_->check_usable();
  state_->remove(dataset, rows);
}

Commit Recorder::commit(history::CommitRequest request) {
  if (state_->failure != nullptr) std::rethrow_exception(state_->failure);
  state_->check_usable();
  OTO_INVARIANT(state_->may_be_retry || !request.change_id);
  const std::unique_ptr<State> ending =
      std::exchange(state_, std::make_unique<State>(state_->context, state_->may_be_retry));
  state_->open = false;
  try {
    std::vector<Encoded> encoded = ending->encode();
    if (ending->owner) ending->owner->check();
    ending->add_endings(request);
    return commit_encoded(ending->context, std::move(request), std::move(encoded));
  } catch (...) {
    state_->failure = std::current_exception();
    throw;
  }
}

void Recorder::discard() noexcept {
  state_->close();
  state_->failure = nullptr;
}

void Recorder::check_usable() const { state_->check_usable(); }

bool Recorder::failed() const noexcept { return state_ != nullptr && state_->failure != nullptr; }

bool Recorder::open() const noexcept { return state_ != nullptr && state_->open; }

}  // namespace otolith::ingest
