#include "ingest/document_stage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "document/patch.h"
#include "document/path.h"
#include "document/value.h"
#include "model/array.h"
#include "scan/document_scan.h"

namespace otolith::ingest {

namespace {

using Kind = DocumentOperation::Kind;

constexpr std::uint64_t kOperationBytes = 128;  // beside its texts

// A document that operations are about, as they leave it.
struct Touched {
  std::optional<scan::FoundRow> base{};
  Timestamp base_time{};    // resolved
  std::string base_body{};  // of the base
  bool there = false;
  std::optional<Timestamp> time{};  // stated or carried over; nullopt: the commit's own
  std::string body{};
  bool put = false;  // by the commit, which may have changed nothing
};

bool unchanged(const Touched& document) {
  if (!document.base) return !document.there;
  if (mutant("identical-document-put")) return document.there && !document.put;
  return document.there && document.time == document.base_time &&
         document.body == document.base_body;
}

class Evaluation {
 public:
  Evaluation(const scan::ScanContext& context, const history::ChangeState& state,
             const history::DatasetEntry& dataset, bool exists, const DocumentTime& time)
      : context_(context), state_(state), dataset_(dataset), exists_(exists), time_(time) {}

  /// Looks up the documents that are named, all at once.
  void load(const std::vector<DocumentOperation>& operations) {
    std::vector<std::string> ids;
    for (const DocumentOperation& operation : operations) {
      if (operation.kind != Kind::remove_where) ids.push_back(operation.id);
    }
    std::ranges::sort(ids);
    const auto again = std::ranges::unique(ids);
    ids.erase(again.begin(), again.end());
    std::vector<std::optional<scan::FoundRow>> found(ids.size());
    if (exists_) found = scan::IdLookup(context_, state_.snapshot, dataset_).find(ids);
    scan::BodyReader bodies(*dataset_.schema);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      Touched& document = documents_.emplace_hint(documents_.end(), ids[i], Touched{})->second;
      if (found[i]) set_base(document, *std::move(found[i]), bodies);
    }
  }

  void run(const DocumentOperation& operation) {
    if (operation.kind == Kind::remove_where) return remove_where(operation);
    Touched& document = documents_.at(operation.id);
    check_revision(document, operation);
    switch (operation.kind) {
      case Kind::insert:
        if (document.there && !mutant("insert-replaces")) refuse_insert(operation);
        [[fallthrough]];
      case Kind::put:
        return put(document, operation.id, operation.body);
      case Kind::patch:
        return patch(document, operation);
      case Kind::remove:
      case Kind::remove_where:
        return remove(document);
    }
  }

  DocumentOutcome finish() {
    DocumentOutcome out;
    std::vector<RowId> ended;
    model::ArrayBuilder ids({TypeKind::string});
    model::ArrayBuilder times({TypeKind::timestamp});
    model::ArrayBuilder bodies({TypeKind::binary});
    for (const auto& [id, document] : documents_) {
      const auto row = document.base ? std::optional(document.base->id()) : std::nullopt;
      out.seen.push_back({id, row});
      if (unchanged(document)) continue;
      if (row) ended.push_back(*row);
      if (!document.there) continue;
      ids.append_text(id);
      times.append_value(document.time.value_or(kTimeOfCommit).ns);
      bodies.append_text(document.body);
    }
    std::ranges::sort(ended);
    for (const RowId& row : ended) out.ended.append({row.begin, row.ordinal, 1, false});
    out.rows.rows = ids.length();
    out.rows.schema = dataset_.schema;
    for (model::ArrayBuilder* column : {&ids, &times, &bodies})
      out.rows.columns.push_back(column->finish());
    return out;
  }

 private:
  Timestamp resolved(CommitNumber begin, Timestamp stored) const {
    if (stored != kTimeOfCommit) return stored;
    return begin > state_.snapshot->number() ? kTimeOfCommit : state_.time_of(begin);
  }

  void set_base(Touched& document, scan::FoundRow row, scan::BodyReader& bodies) const {
    document.there = true;
    document.base_time = resolved(row.begin, row.time);
    document.time = document.base_time;
    document.base_body = bodies.body(row);
    document.body = document.base_body;
    document.base = std::move(row);
  }

  // What is there keeps its time; what is not begins with the commit.
  void put(Touched& document, const std::string& id, std::string body) {
    if (!document.there || mutant("time-moves-with-puts")) document.time.reset();
    if (const auto stated = stated_time(id, body, time_)) document.time = stated;
    document.there = true;
    document.put = true;
    document.body = std::move(body);
  }

  void patch(Touched& document, const DocumentOperation& operation) {
    if (!document.there) {
      throw_error(ErrorCode::not_found,
                  "there is no document {} in {} to patch; put one, or look which there are",
                  quoted(operation.id), quoted(dataset_.name));
    }
    const Bytes patched =
        document::merge_patch(as_bytes_view(document.body), as_bytes_view(operation.body));
    put(document, operation.id, std::string(as_text(patched)));
  }

  static void remove(Touched& document) {
    document.there = false;
    document.body.clear();
  }

  void check_revision(const Touched& document, const DocumentOperation& operation) const {
    if (!operation.if_revision) return;
    const ExpectedRevision& expected = *operation.if_revision;
    const bool same = expected ? document.base && revision_text(document.base->id()) == *expected
                               : !document.there;
    if (same || mutant("revision-unchecked")) return;
    const std::string now = !document.base ? std::string("it is not there")
                                           : fmt::format("it is {} now, put by commit {}",
                                                         quoted(revision_text(document.base->id())),
                                                         value_of(document.base->begin));
    ErrorWhere where;
    if (document.base) where.commits = {value_of(document.base->begin)};
    throw Error(ErrorCode::conflict,
                fmt::format("the document {} of {} has not the revision {}: {}; read it again",
                            quoted(operation.id), quoted(dataset_.name),
                            expected ? quoted(*expected) : "None", now),
                std::move(where));
  }

  [[noreturn]] void refuse_insert(const DocumentOperation& operation) const {
    ErrorWhere where;
    const Touched& document = documents_.at(operation.id);
    if (document.base) where.commits = {value_of(document.base->begin)};
    throw Error(ErrorCode::conflict,
                fmt::format("the document {} is in {} already; put replaces it, patch changes it",
                            quoted(operation.id), quoted(dataset_.name)),
                std::move(where));
  }

  // Those of the state, as operations before this one left them, and those that they made.
  void remove_where(const DocumentOperation& operation) {
    for (auto& [id, document] : documents_) {
      const bool passes =
          document.there && operation.where->holds(id, document.time.value_or(kTimeOfCommit),
                                                   document::Value(as_bytes_view(document.body)));
      if (passes) remove(document);
    }
    if (!exists_) return;
    scan::DocumentScan scan(context_, state_.snapshot, dataset_, {.where = {*operation.where}});
    while (const auto rows = scan.next()) {
      for (std::uint64_t row = 0; row < rows->rows; ++row) {
        const std::string_view id = rows->ids.text(row);
        const std::string_view body = rows->bodies.text(row);
        const RowId& row_id = rows->row_ids[row];
        const Timestamp time = resolved(row_id.begin, {rows->times.value<std::int64_t>(row)});
        const document::Value document_body(as_bytes_view(body));
        if (documents_.contains(std::string(id)) ||
            !operation.where->holds(id, time, document_body)) {
          continue;
        }
        Touched& document = documents_[std::string(id)];
        document.base.emplace();
        document.base->begin = row_id.begin;
        document.base->ordinal = row_id.ordinal;
        document.base_time = time;
      }
    }
  }

  const scan::ScanContext& context_;
  const history::ChangeState& state_;
  const history::DatasetEntry& dataset_;
  const bool exists_;
  const DocumentTime& time_;
  std::map<std::string, Touched> documents_;
};

std::int64_t unit_ns(TimeUnit unit) noexcept {
  switch (unit) {
    case TimeUnit::second:
      return 1'000'000'000;
    case TimeUnit::millisecond:
      return 1'000'000;
    case TimeUnit::microsecond:
      return 1'000;
    default:
      return 1;
  }
}

std::optional<Timestamp> time_of(const document::Value& value, TimeUnit unit) {
  if (value.kind() == document::Kind::timestamp) return value.timestamp();
  if (value.kind() == document::Kind::string) return timestamp_parse(value.string());
  if (value.kind() != document::Kind::integer || unit == TimeUnit::none) return std::nullopt;
  std::int64_t ns = 0;
  const bool beyond = __builtin_mul_overflow(value.integer(), unit_ns(unit), &ns);
  return beyond || ns < kTimestampMin.ns ? std::nullopt : std::optional(Timestamp{ns});
}

}  // namespace

std::string revision_text(const RowId& row) {
  return fmt::format("{}.{}", value_of(row.begin), row.ordinal);
}

std::optional<Timestamp> stated_time(std::string_view id, std::string_view body,
                                     const DocumentTime& where) {
  if (where.path.empty()) return std::nullopt;
  const auto value = document::at_path(document::Value(as_bytes_view(body)), where.path);
  const auto time = value ? time_of(*value, where.unit) : std::nullopt;
  if (time && *time != kTimeOfCommit) return time;
  const bool number = value && value->kind() == document::Kind::integer;
  throw_error(ErrorCode::invalid_argument,
              "the document {} states no time at {}, where its collection has it: it is {}; give a "
              "time, or text such as 2026-01-05T12:00:00Z{}",
              quoted(id), quoted(where.path),
              value ? document::kind_name(value->kind()) : std::string_view("not there"),
              number && where.unit == TimeUnit::none
                  ? "; numbers need a unit, declared with the collection"
                  : "");
}

void check_operation(const DocumentOperation& operation, const DocumentTime& where) {
  const bool written = operation.kind == Kind::put || operation.kind == Kind::insert;
  if (written) (void)stated_time(operation.id, operation.body, where);
}

void check_document_time(const DocumentTime& time) {
  if (!time.path.empty()) (void)document::Path(time.path);
  if (time.path.empty() && time.unit != TimeUnit::none) {
    throw_error(ErrorCode::invalid_argument,
                "a unit is of numbers that state a time: say where they stand, time=");
  }
}

bool same_rows(const scan::ScanContext& context,
               const std::shared_ptr<const history::Snapshot>& state,
               const history::DatasetEntry& dataset,
               const std::vector<DocumentOutcome::Seen>& seen) {
  std::vector<std::string> ids;
  for (const DocumentOutcome::Seen& one : seen) ids.push_back(one.id);
  const auto now = scan::IdLookup(context, state, dataset).find(ids);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto row = now[i] ? std::optional(now[i]->id()) : std::nullopt;
    if (row != seen[i].row) return false;
  }
  return true;
}

DocumentStage::DocumentStage(std::string name, std::optional<DatasetId> dataset, Schema schema)
    : name_(std::move(name)), dataset_(dataset), schema_(std::move(schema)) {}

std::uint64_t DocumentStage::bytes_of(const DocumentOperation& operation) noexcept {
  return kOperationBytes + operation.id.size() + operation.body.size();
}

void DocumentStage::add(std::vector<DocumentOperation> operations) {
  for (const DocumentOperation& operation : operations) {
    bytes_ += bytes_of(operation);
    by_condition_ = by_condition_ || operation.kind == Kind::remove_where;
  }
  if (operations_.empty()) {
    operations_ = std::move(operations);
    return;
  }
  std::ranges::move(operations, std::back_inserter(operations_));
}

std::optional<history::DatasetEntry> DocumentStage::dataset_in(
    const history::Snapshot& state) const {
  auto entry = dataset_ ? state.find(*dataset_) : state.find(name_);
  if (!entry && dataset_) {
    throw_error(ErrorCode::conflict,
                "the collection {} does not exist any more; look which datasets there are",
                quoted(name_));
  }
  if (entry && entry->schema->kind != DatasetKind::collection) {
    throw_error(ErrorCode::conflict, "{} is a table by now, and takes rows, not documents",
                quoted(name_));
  }
  const DocumentTime& time = schema_.document_time;
  if (entry && entry->schema->document_time != time && !dataset_ && time != DocumentTime{}) {
    throw_error(ErrorCode::conflict, "{} was made with time {} meanwhile; take it again",
                quoted(name_), quoted(entry->schema->document_time.path));
  }
  return entry;
}

history::DatasetEntry DocumentStage::new_dataset(std::uint32_t index) const {
  Schema schema = schema_;
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  return {{CommitNumber{0}, index}, name_, std::make_shared<const Schema>(std::move(schema))};
}

DocumentOutcome DocumentStage::evaluate(const scan::ScanContext& context,
                                        const history::ChangeState& state,
                                        const history::DatasetEntry& dataset, bool exists) const {
  Evaluation evaluation(context, state, dataset, exists, dataset.schema->document_time);
  evaluation.load(operations_);
  for (const DocumentOperation& operation : operations_) evaluation.run(operation);
  DocumentOutcome out = evaluation.finish();
  out.by_condition = by_condition_;
  return out;
}

}  // namespace otolith::ingest
