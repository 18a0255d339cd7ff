#include "history/catalog.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/mutant.h"
#include "history/field.h"
#include "history/schema_record.h"

namespace otolith::history {

namespace {

using VersionPointer = std::shared_ptr<const DatasetVersion>;

std::shared_ptr<DatasetVersion> new_version(DatasetId id) {
  auto dataset = std::make_shared<DatasetVersion>();
  dataset->id = id;
  dataset->events = std::make_shared<Growing<DatasetEvent>>();
  dataset->segments = std::make_shared<Growing<StoredSegment>>();
  dataset->tail = std::make_shared<Growing<StoredTail>>();
  dataset->marks = std::make_shared<Marks>();
  dataset->marks_files = std::make_shared<Growing<MarksFile>>();
  return dataset;
}

// The elements a predicate keeps, in an array of their own.
template <typename T, typename Keep>
std::shared_ptr<Growing<T>> kept(const Growing<T>& from, Keep keep) {
  auto out = std::make_shared<Growing<T>>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (keep(from[i])) out->push_back(from[i]);
  }
  return out;
}

DatasetEvent event_of(CommitNumber commit, DatasetEvent::Kind kind, std::string name,
                      const Schema* schema) {
  return {commit, kind, std::move(name),
          schema != nullptr ? std::make_shared<const Schema>(*schema) : nullptr};
}

bool behind(const DatasetVersion& dataset, CommitNumber n) {
  const auto& events = *dataset.events;
  const auto& tail = *dataset.tail;
  const auto& files = *dataset.marks_files;
  const auto& segments = *dataset.segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {  // a join comes last, and is of older commits
    const bool counts = i + 1 == segments.size() || !mutant("catalog-behind-by-its-last");
    if (counts && segments[i].entry.begin_last > n) return true;
  }
  return (!events.empty() && events.back().commit > n) ||
         (!tail.empty() && tail.back().entry.begin > n) ||
         (!files.empty() && files.back().commit > n);
}

std::shared_ptr<DatasetVersion> truncated(const DatasetVersion& dataset, CommitNumber n) {
  auto out = std::make_shared<DatasetVersion>(dataset);
  out->events = kept(*dataset.events, [n](const DatasetEvent& e) { return e.commit <= n; });
  if (mutant("catalog-truncate-keeps-rows")) return out;
  out->segments =
      kept(*dataset.segments, [n](const StoredSegment& s) { return s.entry.begin_last <= n; });
  out->tail = kept(*dataset.tail, [n](const StoredTail& t) { return t.entry.begin <= n; });
  out->marks_files = kept(*dataset.marks_files, [n](const MarksFile& f) { return f.commit <= n; });
  return out;
}

// What some segments hold together.
struct Extent {
  std::size_t segments = 0;
  std::uint64_t rows = 0;
  CommitNumber begin_first{UINT64_MAX};
  CommitNumber begin_last{0};
  Timestamp time_min = kTimestampMax;
  Timestamp time_max = kTimestampMin;

  void add(const SegmentEntry& entry) {
    ++segments;
    rows += entry.ref.rows;
    begin_first = std::min(begin_first, entry.begin_first);
    begin_last = std::max(begin_last, entry.begin_last);
    time_min = std::min(time_min, entry.ref.time_min);
    time_max = std::max(time_max, entry.ref.time_max);
  }
  bool operator==(const Extent&) const = default;
};

}  // namespace

void require_rows(const TailEntry& entry) {
  if (entry.bytes) return;
  throw_error(ErrorCode::corrupt,
              "rows of commit {} were stripped from the log and stand in no segment: restore "
              "the database from a backup",
              value_of(entry.begin));
}

const DatasetVersion* CatalogVersion::find(DatasetId id) const {
  std::size_t first = 0;
  std::size_t last = datasets.size();
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    if (datasets[middle]->id < id) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < datasets.size() && datasets[first]->id == id ? datasets[first].get() : nullptr;
}

Catalog::Catalog() : version_(std::make_shared<CatalogVersion>()) {}

const DatasetVersion& Catalog::get(DatasetId id) const {
  const DatasetVersion* dataset = version_->find(id);
  if (dataset == nullptr) {
    throw_error(ErrorCode::corrupt, "the log names dataset {}.{}, which no commit created",
                value_of(id.created), id.index);
  }
  return *dataset;
}

void Catalog::create(DatasetId id, const CreateDataset& change) {
  const auto dataset = new_version(id);
  dataset->events->push_back(
      event_of(id.created, DatasetEvent::Kind::create, change.name, &change.schema));
  version_->datasets.push_back(dataset);
}

void Catalog::add_event(DatasetId id, DatasetEvent event) {
  get(id).events->push_back(std::move(event));
}

void Catalog::count(const TailEntry& entry) noexcept {
  ++tail_entries_;
  entry.bytes ? tail_bytes_ += entry.bytes->size() : ++tail_stripped_;
}

void Catalog::add_tail(const DatasetVersion& dataset, StoredTail tail) {
  count(tail.entry);
  dataset.tail->push_back(std::move(tail));
}

void Catalog::add_rows(const DatasetRecord& rows, CommitNumber commit, RecordNumber number) {
  const DatasetVersion& dataset = get(rows.dataset);
  if (number <= dataset.sealed) return;
  StoredTail tail{{commit, rows.rows_added, nullptr, rows.time_min, rows.time_max}, number};
  if (!rows.stripped) {
    tail.entry.bytes = std::make_shared<const Bytes>(rows.rows.begin(), rows.rows.end());
  }
  add_tail(dataset, std::move(tail));
}

void Catalog::apply_tail(const CommitRecord& record, RecordNumber number) {
  for (const DatasetRecord& rows : record.datasets) {
    if (rows.rows_added != 0 && !rows.segment) add_rows(rows, record.number, number);
  }
}

void Catalog::apply(const CommitRecord& record, RecordNumber number) {
  using Kind = DatasetEvent::Kind;
  std::uint32_t created = 0;
  for (const CatalogChange& change : record.catalog) {
    if (const auto* create_one = std::get_if<CreateDataset>(&change)) {
      create({record.number, created++}, *create_one);
    } else if (const auto* alter = std::get_if<AlterDataset>(&change)) {
      add_event(alter->dataset, event_of(record.number, Kind::alter, {}, &alter->schema));
    } else if (const auto* rename = std::get_if<RenameDataset>(&change)) {
      add_event(rename->dataset, event_of(record.number, Kind::rename, rename->name, nullptr));
    } else {
      add_event(std::get<DropDataset>(change).dataset,
                event_of(record.number, Kind::drop, {}, nullptr));
    }
  }
  for (const DatasetRecord& rows : record.datasets) {
    const DatasetVersion& dataset = get(rows.dataset);
    if (!rows.marks.empty()) dataset.marks->append(record.number, rows.marks);
    if (rows.marks_segment) {
      dataset.marks_files->push_back({record.number, *rows.marks_segment});
    }
    if (!rows.segment) continue;
    const SegmentEntry entry{*rows.segment, record.number, record.number, false};
    dataset.segments->push_back({entry, dataset.generation});
  }
  apply_tail(record, number);
}

bool Catalog::seal_fits(const SealRecord& seal) const {
  return std::ranges::all_of(seal.datasets, [&](const SealedRecord& sealed) {
    const DatasetVersion* dataset = version_->find(sealed.dataset);
    if (mutant("seal-base-ignored")) return dataset != nullptr;
    return dataset != nullptr && dataset->sealed == sealed.base;
  });
}

void Catalog::replace_versions(const std::vector<VersionPointer>& datasets) {
  const auto next = std::make_shared<CatalogVersion>();
  tail_bytes_ = tail_entries_ = tail_stripped_ = 0;
  for (const VersionPointer& dataset : datasets) {
    next->datasets.push_back(dataset);
    for (std::size_t i = 0; i < dataset->tail->size(); ++i) count((*dataset->tail)[i].entry);
  }
  version_ = next;
}

void Catalog::apply_seal(const SealRecord& seal) {
  std::map<DatasetId, const SealedRecord*> sealed;
  for (const SealedRecord& one : seal.datasets) sealed.emplace(get(one.dataset).id, &one);
  std::vector<VersionPointer> datasets;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    const VersionPointer& old = version_->datasets[i];
    const auto found = sealed.find(old->id);
    if (found == sealed.end()) {
      datasets.push_back(old);
      continue;
    }
    auto dataset = std::make_shared<DatasetVersion>(*old);
    dataset->generation = old->generation + 1;
    dataset->sealed = seal.covers;
    dataset->segments->push_back({found->second->segment, dataset->generation});
    if (!mutant("seal-beside-its-tail")) {
      dataset->tail = kept(*old->tail, [&](const StoredTail& t) { return t.record > seal.covers; });
    }
    datasets.push_back(std::move(dataset));
  }
  replace_versions(datasets);
}

bool Catalog::compact_fits(const CompactRecord& compact) const {
  const DatasetVersion* dataset = version_->find(compact.dataset);
  if (dataset == nullptr) return false;
  Extent replaced;
  for (std::size_t i = 0; i < dataset->segments->size(); ++i) {
    const SegmentEntry& entry = (*dataset->segments)[i].entry;
    if (std::ranges::binary_search(compact.replaced, entry.ref.id)) replaced.add(entry);
  }
  if (replaced.segments != compact.replaced.size() && !mutant("compact-base-ignored")) return false;
  Extent joined;
  for (const SegmentEntry& entry : compact.segments) joined.add(entry);
  joined.segments = replaced.segments;
  if (joined != replaced && !mutant("compact-base-ignored")) {
    throw_error(ErrorCode::corrupt, "segments of dataset {}.{} are joined into others than theirs",
                value_of(compact.dataset.created), compact.dataset.index);
  }
  return true;
}

// In an array of their own: older versions keep what they show.
void Catalog::apply_compact(const CompactRecord& compact) {
  std::vector<VersionPointer> datasets;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    const VersionPointer& old = version_->datasets[i];
    if (old->id != compact.dataset) {
      datasets.push_back(old);
      continue;
    }
    auto dataset = std::make_shared<DatasetVersion>(*old);
    dataset->generation = old->generation + 1;
    dataset->segments = kept(*old->segments, [&](const StoredSegment& stored) {
      return mutant("compact-keeps-replaced") ||
             !std::ranges::binary_search(compact.replaced, stored.entry.ref.id);
    });
    for (const SegmentEntry& entry : compact.segments) {
      dataset->segments->push_back({entry, dataset->generation});
    }
    datasets.push_back(std::move(dataset));
  }
  replace_versions(datasets);
}

void Catalog::forget_tail(RecordNumber stands) {
  std::vector<VersionPointer> datasets;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    auto dataset = std::make_shared<DatasetVersion>(*version_->datasets[i]);
    dataset->tail = kept(*dataset->tail, [&](const StoredTail& t) { return t.record <= stands; });
    datasets.push_back(std::move(dataset));
  }
  replace_versions(datasets);
}

void Catalog::truncate(CommitNumber n) {
  std::vector<VersionPointer> datasets;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    const VersionPointer& dataset = version_->datasets[i];
    if (dataset->id.created > n) break;
    dataset->marks->truncate(n);
    datasets.push_back(behind(*dataset, n) ? truncated(*dataset, n) : dataset);
  }
  replace_versions(datasets);
}

void Catalog::part(CommitNumber n) {
  if (mutant("lost-snapshot-changes")) return truncate(n);
  std::vector<VersionPointer> datasets;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    const VersionPointer& dataset = version_->datasets[i];
    if (dataset->id.created > n) break;
    auto out = truncated(*dataset, n);
    out->marks = dataset->marks->copy(n);
    datasets.push_back(std::move(out));
  }
  replace_versions(datasets);
}

std::uint32_t Catalog::next_column(DatasetId id) const {
  const Growing<DatasetEvent>& events = *get(id).events;
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].schema) continue;
    for (const Column& column : events[i].schema->columns) last = std::max(last, column.id);
  }
  return last + 1;
}

std::optional<RecordNumber> Catalog::tail_first() const {
  std::optional<RecordNumber> first;
  for (std::size_t i = 0; i < version_->datasets.size(); ++i) {
    const Growing<StoredTail>& tail = *version_->datasets[i]->tail;
    if (!tail.empty()) first = std::min(first.value_or(tail[0].record), tail[0].record);
  }
  return first;
}

Schema every_column(const DatasetVersion& dataset) {
  std::map<std::uint32_t, Column> columns;
  Schema schema;
  for (std::size_t i = 0; i < dataset.events->size(); ++i) {
    const auto& stated = (*dataset.events)[i].schema;
    if (!stated) continue;
    schema = *stated;
    for (const Column& column : stated->columns) columns.insert_or_assign(column.id, column);
  }
  const std::vector<Column> newest = std::exchange(schema.columns, {});
  std::set<std::string> names;
  for (const Column& column : newest) names.insert(column.name);
  for (auto& [id, column] : columns) {
    const bool shown = std::ranges::find(newest, id, &Column::id) != newest.end();
    // Keys and time are found by name: they must not be mistaken for a column that was dropped.
    while (!shown && !mutant("dropped-name-taken") && !names.insert(column.name).second)
      column.name += " (dropped)";
    const bool key = std::ranges::find(schema.keys, column.name) != schema.keys.end();
    column.nullable = !key && column.name != schema.time;  // rows of some commits have no value
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace otolith::history
