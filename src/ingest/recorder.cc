#include "ingest/recorder.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "ingest/commit.h"
#include "ingest/document_changes.h"
#include "ingest/removals.h"
#include "ingest/stage.h"
#include "ingest/unique_rows.h"
#include "io/fork.h"
#include "model/align.h"
#include "model/rows_hash.h"
#include "segment/tasks.h"

namespace otolith::ingest {

namespace {

// Joining and sorting a run takes about as much again as its rows, and permutations on top.
constexpr std::uint64_t kRunShare = 3;
// Copies come on top of that, and half of the memory is for caches.
constexpr std::uint64_t kStagedShare = 8;
// Documents stay in memory until the commit, with what they take the place of beside them.
constexpr std::uint64_t kDocumentShare = 2;

// What is being thrown, to be said again. What a callback of the caller throws goes to the caller
// once and as it is; kept are words, for it may belong to another language, or to its moment.
std::exception_ptr kept_failure() {
  try {
    throw;
  } catch (const Error&) {
    return std::current_exception();
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  } catch (...) {
    return std::make_exception_ptr(
        Error(ErrorCode::cancelled,
              "an exception of the caller's, of a callback say, ended this recorder, "
              "and nothing of it was committed")
            .with_outcome(Outcome::failed));
  }
}

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
  std::map<std::string, DocumentStage> documents;  // by the collection's name
  std::uint64_t document_bytes = 0;
  Blake3 asked;                    // what remove() and write() were asked, for who may be a retry
  std::optional<FileOwner> owner;  // of the files, from the first one on

  std::uint64_t run_bytes() const {
    return std::max<std::uint64_t>(context.memory_bytes / kRunShare, 1);
  }
  std::uint64_t staged_bytes_max() const {
    return std::max<std::uint64_t>(context.memory_bytes / kStagedShare, 1);
  }
  void check_usable() const;
  std::uint64_t hash_of(const Batch& batch) const;
  Stage& stage_of(const history::DatasetEntry& dataset);
  void copy(Stage& stage, const Batch& batch);
  void spill_over();
  void spill(Stage& stage, const SegmentEncoder::Written& written = {});
  void close() noexcept;
  SegmentEncoder::Written teller() const;
  std::vector<Encoded> encode();
  std::vector<Stage*> inlined();
  void remove(const history::DatasetEntry& dataset, const ReadRequest& rows);
  static void check_staged(const Stage& stage, const Removals& asked_for);
  std::shared_ptr<const history::Snapshot> look(const history::DatasetEntry& dataset);
  std::vector<StagedRows> rows_of(Stage& stage);
  template <typename Call>
  void ending_where_it_throws(Call call);
  void add_markings(history::CommitRequest& request);
  void write(const CollectionName& collection, std::vector<DocumentOperation> operations);
  Look look_documents(const CollectionName& collection);
  std::shared_ptr<DocumentChanges> add_documents(history::CommitRequest& request,
                                                 const std::vector<Encoded>& encoded);
  std::vector<Encoded> prepare(history::CommitRequest& request);
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
    if (!mutant("recorder-keeps-staged")) staged->second.remove(rows);
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
  if (asked_for.by_row() || (stage.plain_bytes() == 0 && !stage.spilled())) return;
  throw_error(ErrorCode::invalid_argument,
              "{} shows one row of those that share keys and time, and rows of it are staged here: "
              "commit them before you delete by a condition on other columns",
              quoted(stage.dataset().name));
}

void Recorder::State::add_markings(history::CommitRequest& request) {
  if (removals.empty() && documents.empty()) return;
  for (auto& [dataset, of] : removals) {
    request.markings.push_back(of.marking({.store = context.store, .threads = context.threads}));
  }
  asked.add(request.request_hash.view());
  request.request_hash = asked.finish();
}

void Recorder::State::write(const CollectionName& collection,
                            std::vector<DocumentOperation> operations) {
  std::uint64_t bytes = document_bytes;
  for (const DocumentOperation& operation : operations) {
    check_operation(operation, collection.schema.document_time);
    bytes += DocumentStage::bytes_of(operation);
  }
  const std::uint64_t bytes_max = context.memory_bytes / kDocumentShare;
  if (bytes > bytes_max) {
    throw_error(ErrorCode::limit,
                "{} bytes of documents would be staged, and half of memory_bytes, {}, are the most "
                "of one commit: commit them in parts, or open the database with more memory_bytes",
                bytes, bytes_max);
  }
  if (operations.empty()) return;
  const auto stage =
      documents.try_emplace(collection.name, collection.name, collection.dataset, collection.schema)
          .first;
  for (const DocumentOperation& operation : operations)
    hash_operation(asked, collection.name, operation);
  stage->second.add(std::move(operations));
  document_bytes = bytes;
}

// What is staged stands on HEAD as it would be committed now.
Recorder::Look Recorder::State::look_documents(const CollectionName& collection) {
  auto head = context.history->head();
  const auto staged = documents.find(collection.name);
  if (staged == documents.end()) {
    auto dataset =
        collection.dataset ? head->find(*collection.dataset) : head->find(collection.name);
    return {std::move(head), std::move(dataset)};
  }
  const auto there = staged->second.dataset_in(*head);
  StagedChange change{.dataset = there ? *there : staged->second.new_dataset(0)};
  const history::ChangeState state{
      head, [this](CommitNumber number) { return context.history->commit_time(number); }, {}};
  DocumentOutcome outcome =
      staged->second.evaluate({.store = context.store, .threads = context.threads}, state,
                              change.dataset, there.has_value());
  if (outcome.rows.rows != 0) {
    Encoded encoded = encode_inline(context, change.dataset, {outcome.rows});
    change.rows.push_back({.rows = encoded.change.rows_added,
                           .time_min = encoded.change.time_min,
                           .time_max = encoded.change.time_max,
                           .bytes = std::make_shared<const Bytes>(std::move(encoded.change.rows))});
  }
  change.ended = std::move(outcome.ended);
  const history::DatasetEntry dataset = change.dataset;
  if (!there && change.rows.empty()) return {std::move(head), std::nullopt};
  return {std::make_shared<StagedSnapshot>(std::move(head), std::move(change)), dataset};
}

// Beside the rows of tables that stand in the frame.
std::shared_ptr<DocumentChanges> Recorder::State::add_documents(
    history::CommitRequest& request, const std::vector<Encoded>& encoded) {
  if (documents.empty()) return nullptr;
  std::uint64_t room = context.inline_bytes_max;
  for (const Encoded& rows : encoded)
    room -= std::min<std::uint64_t>(room, rows.change.rows.size());
  auto out = std::make_shared<DocumentChanges>(context, std::move(documents), room);
  request.dependent = out;
  return out;
}

// In pieces, so that no more than one of them stands above the budget.
void Recorder::State::copy(Stage& stage, const Batch& batch) {
  const std::uint64_t row_bytes = model::batch_plain_bytes(batch) / batch.rows + 1;
  const std::uint64_t piece_bytes = std::min<std::uint64_t>(kStagePartBytes, staged_bytes_max());
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
  if (bytes >= staged_bytes_max() && !mutant("recorder-never-spills")) spill(*largest);
}

// What is staged of one dataset becomes a run in its file.
void Recorder::State::spill(Stage& stage, const SegmentEncoder::Written& written) {
  if (!stage.spilled()) {
    if (!owner) owner.emplace(*context.vfs, *context.environment);
    stage.spilled() = std::make_unique<SpilledRows>(context, owner->id(), stage.dataset());
  }
  stage.spilled()->add(stage.take(), run_bytes(), written);
}

// HEAD as of now, with what was staged of the dataset.
std::shared_ptr<const history::Snapshot> Recorder::State::look(
    const history::DatasetEntry& dataset) {
  auto head = context.history->head();
  const auto staged = stages.find(dataset.id);
  const auto removed = removals.find(dataset.id);
  if (staged == stages.end() && removed == removals.end()) return head;
  const auto now = head->find(dataset.id);
  if (!now || !history::same_for_rows(*now->schema, *dataset.schema)) {
    throw_error(ErrorCode::conflict,
                "{} was {} since it was staged for here; discard and begin again",
                quoted(dataset.name), now ? "altered" : "dropped");
  }
  StagedChange change{.dataset = dataset};
  if (staged != stages.end()) change.rows = rows_of(staged->second);
  if (removed != removals.end() && !mutant("staged-look-forgets-deletes")) {
    change.ended =
        removed->second.found({.store = context.store, .threads = context.threads}, head);
  }
  return std::make_shared<StagedSnapshot>(std::move(head), std::move(change));
}

// A file is closed once: the rows in memory go with it, so that a commit behind a read finds
// nothing to join.
std::vector<StagedRows> Recorder::State::rows_of(Stage& stage) {
  std::vector<StagedRows> out;
  if (stage.spilled()) {
    if (stage.spilled()->writing()) {
      ending_where_it_throws([&] {
        spill(stage);
        stage.spilled()->close_file();
      });
    }
    out = stage.spilled()->rows();
  }
  std::ranges::move(stage.sorted(), std::back_inserter(out));
  return out;
}

// What could not be written leaves nothing that a commit could rest on.
template <typename Call>
void Recorder::State::ending_where_it_throws(Call call) {
  try {
    call();
  } catch (...) {
    failure = kept_failure();
    close();
    throw;
  }
}

void Recorder::State::close() noexcept {
  open = false;
  stages.clear();
  removals.clear();
  documents.clear();
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

// Adds up the rows that are encoded, and tells of them; empty where nobody asks.
SegmentEncoder::Written Recorder::State::teller() const {
  if (!context.progress) return {};
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  for (const auto& [dataset, stage] : stages) {
    done += stage.taken_rows();
    total += stage.rows();
  }
  if (total == 0) return {};
  context.progress(done, total);
  return [progress = context.progress, done, total](std::uint64_t rows) mutable {
    progress(done += rows, total);
  };
}

std::vector<Encoded> Recorder::State::encode() {
  std::erase_if(stages, [](auto& entry) {
    return entry.second.plain_bytes() == 0 && !entry.second.spilled();
  });
  const std::vector<Stage*> small = inlined();
  const SegmentEncoder::Written told = teller();
  std::vector<Encoded> out;
  for (auto& [dataset, stage] : stages) {
    if (std::ranges::find(small, &stage) != small.end()) {
      out.push_back(encode_inline(context, stage.dataset(), stage.take()));
      if (told) told(stage.rows());
    } else {
      spill(stage, told);
      std::optional<Encoded> left = stage.spilled()->finish();
      if (!left) continue;
      out.push_back(*std::move(left));
    }
    out.back().rows_hash = stage.rows_hash();
    if (stage.dataset().schema->duplicates == Duplicates::error) {
      ask_unique(context, stage.dataset(), out.back());
    }
  }
  return out;
}

// All that is done before the log is asked.
std::vector<Encoded> Recorder::State::prepare(history::CommitRequest& request) {
  try {
    std::vector<Encoded> encoded = encode();
    if (owner) owner->check();
    add_markings(request);
    return encoded;
  } catch (const Error& error) {
    if (mutant("prepare-outcome-untold")) throw;
    throw error.with_outcome(Outcome::failed);
  }
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
  state_->ending_where_it_throws([&] {
    state_->copy(stage, aligned);
    stage.add_hash(hash);
  });
}

void Recorder::append_built(const history::DatasetEntry& dataset, Batch batch) {
  state_->check_usable();
  if (batch.rows == 0) return;
  state_->ending_where_it_throws([&] {  // nobody else has the rows any more
    Stage& stage = state_->stage_of(dataset);
    stage.add_hash(state_->hash_of(batch));
    stage.take_over(std::move(batch));
    state_->spill_over();
  });
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

void Recorder::write(const CollectionName& collection, std::vector<DocumentOperation> operations) {
  state_->check_usable();
  state_->write(collection, std::move(operations));
}

Recorder::Look Recorder::look_documents(const CollectionName& collection) {
  state_->check_usable();
  return state_->look_documents(collection);
}

std::shared_ptr<const history::Snapshot> Recorder::look(const history::DatasetEntry& dataset) {
  state_->check_usable();
  return state_->look(dataset);
}

Commit Recorder::commit(history::CommitRequest request) {
  if (state_->failure != nullptr) std::rethrow_exception(state_->failure);
  state_->check_usable();
  OTO_INVARIANT(state_->may_be_retry || !request.change_id);
  const std::unique_ptr<State> ending =
      std::exchange(state_, std::make_unique<State>(state_->context, state_->may_be_retry));
  state_->open = false;
  try {
    std::vector<Encoded> encoded = ending->prepare(request);
    const auto documents = ending->add_documents(request, encoded);
    return commit_encoded(ending->context, std::move(request), std::move(encoded), documents.get());
  } catch (...) {
    state_->failure = kept_failure();
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
