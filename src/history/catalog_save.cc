// How a checkpoint holds the catalog: datasets with their events and segments, without tail rows.
#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/catalog.h"
#include "history/field.h"
#include "history/schema_record.h"

namespace otolith::history {

namespace {

using Kind = DatasetEvent::Kind;

bool has_name(Kind kind) noexcept { return kind == Kind::create || kind == Kind::rename; }
bool has_schema(Kind kind) noexcept { return kind == Kind::create || kind == Kind::alter; }

void event_write(ByteWriter& out, const DatasetEvent& event) {
  number_write(out, event.commit);
  out.put(event.kind);
  if (has_name(event.kind)) out.put_text(event.name);
  if (has_schema(event.kind)) schema_write(out, *event.schema);
}

DatasetEvent event_read(ByteReader& in) {
  DatasetEvent event;
  event.commit = commit_number_read(in);
  event.kind = in.get<Kind>();
  if (event.kind < Kind::create || event.kind > Kind::drop) in.fail("unknown event of a dataset");
  if (has_name(event.kind)) event.name = in.get_text(kNameBytesMax);
  if (has_schema(event.kind)) event.schema = std::make_shared<const Schema>(schema_read(in));
  return event;
}

// How many at the front of an array that grows are of this commit or before: the rest is newer.
template <typename T, typename CommitOf>
std::size_t count_until(const Growing<T>& of, CommitNumber until, CommitOf commit_of) {
  std::size_t count = of.size();
  if (mutant("checkpoint-holds-later-events")) return count;
  while (count > 0 && commit_of(of[count - 1]) > until) --count;
  return count;
}

// Segments of this version: others come with a later seal or a later commit.
std::vector<const SegmentEntry*> segments_until(const DatasetVersion& dataset, CommitNumber until) {
  std::vector<const SegmentEntry*> out;
  for (std::size_t i = 0; i < dataset.segments->size(); ++i) {
    const auto& [entry, generation] = (*dataset.segments)[i];
    const bool later = generation > dataset.generation || entry.begin_last > until;
    if (!later || mutant("checkpoint-holds-later-segments")) out.push_back(&entry);
  }
  return out;
}

void dataset_write(ByteWriter& out, const DatasetVersion& dataset, CommitNumber until) {
  dataset_id_write(out, dataset.id);
  number_write(out, dataset.sealed);
  const std::size_t events =
      count_until(*dataset.events, until, [](const DatasetEvent& event) { return event.commit; });
  out.put_varint(events);
  for (std::size_t i = 0; i < events; ++i) event_write(out, (*dataset.events)[i]);
  const auto segments = segments_until(dataset, until);
  out.put_varint(segments.size());
  for (const SegmentEntry* entry : segments) segment_entry_write(out, *entry);
  dataset.marks->save(out, until);
  const std::size_t files =
      count_until(*dataset.marks_files, until, [](const MarksFile& file) { return file.commit; });
  out.put_varint(files);
  for (std::size_t i = 0; i < files; ++i) {
    number_write(out, (*dataset.marks_files)[i].commit);
    segment_ref_write(out, (*dataset.marks_files)[i].ref);
  }
}

std::shared_ptr<DatasetVersion> dataset_read(ByteReader& in) {
  auto dataset = std::make_shared<DatasetVersion>();
  dataset->id = dataset_id_read(in);
  dataset->sealed = record_number_read(in);
  dataset->events = std::make_shared<Growing<DatasetEvent>>();
  dataset->segments = std::make_shared<Growing<StoredSegment>>();
  dataset->tail = std::make_shared<Growing<StoredTail>>();
  dataset->marks = std::make_shared<Marks>();
  dataset->marks_files = std::make_shared<Growing<MarksFile>>();
  const std::uint64_t events = in.get_count(2);
  for (std::uint64_t i = 0; i < events; ++i) dataset->events->push_back(event_read(in));
  if (events == 0 || (*dataset->events)[0].kind != Kind::create)
    in.fail("dataset without a beginning");
  const std::uint64_t segments = in.get_count(40);
  for (std::uint64_t i = 0; i < segments; ++i) {
    dataset->segments->push_back({segment_entry_read(in), 0});
  }
  dataset->marks->load(in);
  const std::uint64_t files = in.get_count(40);
  for (std::uint64_t i = 0; i < files; ++i) {
    const CommitNumber commit = commit_number_read(in);
    dataset->marks_files->push_back({commit, segment_ref_read(in)});
  }
  return dataset;
}

// The last commit that did anything to the dataset.
CommitNumber last_of(const DatasetVersion& dataset) {
  CommitNumber last = std::max(dataset.id.created, dataset.marks->last());
  for (std::size_t i = 0; i < dataset.events->size(); ++i) {
    last = std::max(last, (*dataset.events)[i].commit);
  }
  for (std::size_t i = 0; i < dataset.segments->size(); ++i) {
    const SegmentEntry& entry = (*dataset.segments)[i].entry;
    last = std::max({last, entry.begin_last, entry.base});
  }
  return last;
}

}  // namespace

void Catalog::save(ByteWriter& out, CommitNumber until) const {
  const auto created = [](const auto& dataset) { return dataset->id.created; };
  const std::size_t count = count_until(version_->datasets, until, created);
  out.put_varint(count);
  for (std::size_t i = 0; i < count; ++i) dataset_write(out, *version_->datasets[i], until);
}

Catalog Catalog::load(ByteReader& in, CommitNumber last) {
  Catalog catalog;
  const std::uint64_t count = in.get_count(4);
  if (count > kDatasetsMax) in.fail("more datasets than there can be");
  for (std::uint64_t i = 0; i < count; ++i) {
    auto dataset = dataset_read(in);
    if (i > 0 && dataset->id <= catalog.version_->datasets.back()->id)
      in.fail("datasets out of order");
    if (last_of(*dataset) > last) in.fail("a dataset of later commits");
    catalog.version_->datasets.push_back(std::move(dataset));
  }
  return catalog;
}

}  // namespace otolith::history
