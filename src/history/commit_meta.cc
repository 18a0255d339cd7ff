#include "history/commit_meta.h"

#include <algorithm>

#include "base/limits.h"
#include "history/field.h"

namespace otolith::history {

namespace {

constexpr std::uint32_t kRelaxed = 1;

DatasetId dataset_of(const CatalogChange& change, CommitNumber number, std::uint32_t& created) {
  if (std::holds_alternative<CreateDataset>(change)) return {number, created++};
  if (const auto* alter = std::get_if<AlterDataset>(&change)) return alter->dataset;
  if (const auto* rename = std::get_if<RenameDataset>(&change)) return rename->dataset;
  return std::get<DropDataset>(change).dataset;
}

// The change of this dataset, made if it is not there.
MetaChange& change_of(std::vector<MetaChange>& changes, DatasetId dataset) {
  const auto at = std::ranges::lower_bound(changes, dataset, {}, &MetaChange::dataset);
  if (at != changes.end() && at->dataset == dataset) return *at;
  return *changes.insert(at, MetaChange{.dataset = dataset});
}

}  // namespace

void meta_entry_write(std::byte* out, const MetaEntry& entry) {
  std::ranges::copy(entry.hash.bytes, out);
  std::ranges::copy(entry.change_id.bytes, out + 32);
  store_le(out + 48, entry.time.ns);
  store_le(out + 56, value_of(entry.record));
  store_le(out + 64, entry.heap_offset);
  store_le(out + 72, entry.heap_bytes);
  store_le(out + 76, entry.relaxed ? kRelaxed : 0u);
}

MetaEntry meta_entry_read(BytesView bytes) {
  ByteReader in(bytes, "index entry");
  MetaEntry entry;
  entry.hash = hash_read(in);
  entry.change_id = id_read(in);
  entry.time = time_read(in);
  entry.record = RecordNumber{in.get<std::uint64_t>()};
  entry.heap_offset = in.get<std::uint64_t>();
  entry.heap_bytes = in.get<std::uint32_t>();
  const auto flags = in.get<std::uint32_t>();
  if (flags > kRelaxed) in.fail("unknown flag");
  entry.relaxed = flags == kRelaxed;
  return entry;
}

void meta_text_write(ByteWriter& out, const MetaText& text) {
  hash_write(out, text.request_hash);
  out.put_text(text.author);
  out.put_text(text.message);
  out.put_text(text.extra);
  flag_write(out, text.lineage);
  if (text.lineage) dataset_option_write(out, text.lineage_of);
  out.put_varint(text.changes.size());
  for (const MetaChange& change : text.changes) {
    dataset_id_write(out, change.dataset);
    out.put_varint(change.added);
    out.put_varint(change.ended);
    out.put_varint(change.revived);
    flag_write(out, change.catalog);
  }
}

MetaText meta_text_read(BytesView bytes) {
  ByteReader in(bytes, "index text");
  MetaText text;
  text.request_hash = hash_read(in);
  text.author = in.get_text(kAuthorBytesMax);
  text.message = in.get_text(kMessageBytesMax);
  text.extra = in.get_text(kExtraBytesMax);
  text.lineage = flag_read(in);
  if (text.lineage) text.lineage_of = dataset_option_read(in);
  const std::uint64_t count = in.get_count(6);
  text.changes.resize(count);
  for (MetaChange& change : text.changes) {
    change.dataset = dataset_id_read(in);
    change.added = in.get_varint();
    change.ended = in.get_varint();
    change.revived = in.get_varint();
    change.catalog = flag_read(in);
  }
  in.expect_end();
  return text;
}

MetaEntry meta_entry_of(const CommitRecord& record, const Hash256& hash, RecordNumber number,
                        bool relaxed) {
  MetaEntry entry;
  entry.hash = hash;
  entry.change_id = record.change_id;
  entry.time = record.time;
  entry.record = number;
  entry.relaxed = relaxed;
  return entry;
}

MetaText meta_text_of(const CommitRecord& record) {
  MetaText text;
  text.request_hash = record.request_hash;
  text.author = record.author;
  text.message = record.message;
  text.extra = record.extra;
  if (const auto* rollback = std::get_if<RollbackRecord>(&record.lineage)) {
    text.lineage = true;
    text.lineage_of = rollback->dataset;
  } else if (const auto* reversal = std::get_if<Reversal>(&record.lineage)) {
    text.lineage = true;
    text.lineage_of = reversal->dataset;
  }
  text.changes.reserve(record.datasets.size());
  for (const DatasetRecord& rows : record.datasets) {
    text.changes.push_back(
        {rows.dataset, rows.rows_added, rows.rows_ended, rows.rows_revived, false});
  }
  std::uint32_t created = 0;
  for (const CatalogChange& change : record.catalog) {
    change_of(text.changes, dataset_of(change, record.number, created)).catalog = true;
  }
  return text;
}

}  // namespace otolith::history
