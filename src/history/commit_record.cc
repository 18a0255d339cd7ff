#include "history/commit_record.h"

#include <algorithm>

#include "base/limits.h"
#include "history/field.h"
#include "history/schema_record.h"

namespace otolith::history {

namespace {

// Header, all of it hashed:
//   u32 magic "OTC1"   u32 length of the header   u32 required features   u32 optional features
//   number, time, parent, range root, change id, [origin], author, message, extra, lineage,
//   catalog, datasets
// Body: request hash, then per dataset of the header its places.
constexpr std::uint32_t kMagic = 0x3143544f;
constexpr std::size_t kHeaderLengthAt = 4;
constexpr std::size_t kHeaderNeedsAt = 8;
constexpr std::size_t kHeaderFixed = 16;
constexpr std::uint32_t kNeedsRuns = 1;  // the body says how many rows runs have
constexpr std::uint32_t kFeaturesRequired = kNeedsRuns;

// Flags of the header.
constexpr std::uint8_t kHasOrigin = 1;

// Flags of a dataset in the body.
constexpr std::uint8_t kHasRows = 1;  // salt, rows root and times follow, then rows or segment
constexpr std::uint8_t kInSegment = 2;
constexpr std::uint8_t kStripped = 4;
constexpr std::uint8_t kHasMarks = 8;
constexpr std::uint8_t kMarksInSegment = 16;
constexpr std::uint8_t kSeveralRuns = 32;
constexpr std::uint8_t kFlagsKnown = 63;

constexpr std::size_t kDatasetBytesMin = 6;

enum class CatalogKind : std::uint8_t { create = 1, alter = 2, rename = 3, drop = 4 };

struct CatalogWriter {
  ByteWriter& out;
  void operator()(const CreateDataset& change) const {
    out.put(CatalogKind::create);
    out.put_text(change.name);
    schema_write(out, change.schema);
  }
  void operator()(const AlterDataset& change) const {
    out.put(CatalogKind::alter);
    dataset_id_write(out, change.dataset);
    schema_write(out, change.schema);
  }
  void operator()(const RenameDataset& change) const {
    out.put(CatalogKind::rename);
    dataset_id_write(out, change.dataset);
    out.put_text(change.name);
  }
  void operator()(const DropDataset& change) const {
    out.put(CatalogKind::drop);
    dataset_id_write(out, change.dataset);
  }
};

CatalogChange catalog_change_read(ByteReader& in) {
  switch (in.get<CatalogKind>()) {
    case CatalogKind::create: {
      CreateDataset change;
      change.name = in.get_text(kNameBytesMax);
      change.schema = schema_read(in);
      return change;
    }
    case CatalogKind::alter: {
      AlterDataset change;
      change.dataset = dataset_id_read(in);
      change.schema = schema_read(in);
      return change;
    }
    case CatalogKind::rename: {
      RenameDataset change;
      change.dataset = dataset_id_read(in);
      change.name = in.get_text(kNameBytesMax);
      return change;
    }
    case CatalogKind::drop:
      return DropDataset{dataset_id_read(in)};
  }
  in.fail("unknown change of the catalog");
}

enum class LineageKind : std::uint8_t { none = 0, rollback = 1, revert = 2 };

void lineage_write(ByteWriter& out, const LineageRecord& lineage) {
  if (const auto* rollback = std::get_if<RollbackRecord>(&lineage)) {
    out.put(LineageKind::rollback);
    number_write(out, rollback->to);
    dataset_option_write(out, rollback->dataset);
  } else if (const auto* reversal = std::get_if<Reversal>(&lineage)) {
    out.put(LineageKind::revert);
    put_reversal(out, *reversal);
  } else {
    out.put(LineageKind::none);
  }
}

void runs_check(const ByteReader& in, CommitNumber number, const CommitRuns& runs) {
  if (runs.empty()) return;
  if (value_of(runs.front().first) == 0 || runs.back().last >= number) {
    in.fail("lineage names a commit that cannot be in it");
  }
}

void reversal_check(const ByteReader& in, CommitNumber number, const Reversal& reversal) {
  if (value_of(reversal.commit) == 0 || reversal.commit >= number) {
    in.fail("revert of a commit that is not before it");
  }
  runs_check(in, number, reversal.delta.removed);
  runs_check(in, number, reversal.delta.added);
  for (std::size_t i = 0; i < reversal.own.size(); ++i) {
    const auto& [dataset, delta] = reversal.own[i];
    if (i > 0 && dataset <= reversal.own[i - 1].first) in.fail("datasets out of order");
    runs_check(in, number, delta.removed);
    runs_check(in, number, delta.added);
  }
}

LineageRecord lineage_read(ByteReader& in, CommitNumber number) {
  switch (in.get<LineageKind>()) {
    case LineageKind::none:
      return {};
    case LineageKind::rollback: {
      RollbackRecord rollback;
      rollback.to = commit_number_read(in);
      if (rollback.to >= number) in.fail("rollback to a commit that is not before it");
      rollback.dataset = dataset_option_read(in);
      return rollback;
    }
    case LineageKind::revert: {
      Reversal reversal = get_reversal(in);
      reversal_check(in, number, reversal);
      return reversal;
    }
  }
  in.fail("unknown change of lineage");
}

void dataset_header_write(ByteWriter& out, const DatasetRecord& dataset) {
  dataset_id_write(out, dataset.dataset);
  out.put_varint(dataset.rows_added);
  out.put_varint(dataset.rows_ended);
  out.put_varint(dataset.rows_revived);
  out.put_varint(dataset.touched.size());
  std::uint64_t before = 0;
  for (const CommitNumber begin : dataset.touched) {
    out.put_varint(value_of(begin) - before);
    before = value_of(begin);
  }
  hash_write(out, dataset.root);
}

void dataset_header_read(ByteReader& in, CommitNumber number, DatasetRecord& dataset) {
  dataset.dataset = dataset_id_read(in);
  if (dataset.dataset.created > number || value_of(dataset.dataset.created) == 0) {
    in.fail("dataset of a later commit");
  }
  dataset.rows_added = in.get_varint();
  dataset.rows_ended = in.get_varint();
  dataset.rows_revived = in.get_varint();
  const std::uint64_t touched = in.get_count(1);
  dataset.touched.clear();
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < touched; ++i) {
    const std::uint64_t step = in.get_varint();
    if (step == 0 || step >= value_of(number) - before) in.fail("mark of a later commit");
    before += step;
    dataset.touched.push_back(CommitNumber{before});
  }
  dataset.root = hash_read(in);
}

std::uint8_t dataset_flags(const DatasetRecord& dataset) {
  unsigned flags = 0;
  if (dataset.rows_added != 0) flags |= kHasRows;
  if (dataset.segment) flags |= kInSegment;
  if (dataset.stripped) flags |= kStripped;
  if (!dataset.marks_root.is_zero()) flags |= kHasMarks;
  if (dataset.marks_segment) flags |= kMarksInSegment;
  if (!dataset.runs.empty()) flags |= kSeveralRuns;
  return static_cast<std::uint8_t>(flags);
}

void dataset_body_write(ByteWriter& out, const DatasetRecord& dataset) {
  const std::uint8_t flags = dataset_flags(dataset);
  out.put(flags);
  if ((flags & kHasRows) != 0) {
    id_write(out, dataset.salt);
    hash_write(out, dataset.rows_root);
    time_write(out, dataset.time_min);
    time_write(out, dataset.time_max);
    if (dataset.segment) {
      segment_ref_write(out, *dataset.segment);
      if (!dataset.runs.empty()) out.put_varint(dataset.runs.size());
      for (const std::uint64_t rows : dataset.runs) out.put_varint(rows);
    } else if (!dataset.stripped) {
      out.put_text(as_text(dataset.rows));
    }
  }
  if ((flags & kHasMarks) == 0) return;
  if (dataset.marks_segment) {
    hash_write(out, dataset.marks_root);
    segment_ref_write(out, *dataset.marks_segment);
  } else {
    marks_write(out, dataset.marks);
  }
}

void body_runs_read(ByteReader& in, DatasetRecord& dataset) {
  const std::uint64_t count = in.get_count(1);
  std::uint64_t left = dataset.rows_added;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t rows = in.get_varint();
    if (rows == 0 || rows > left) in.fail("runs do not add up to the rows");
    left -= rows;
    dataset.runs.push_back(rows);
  }
  if (count < 2 || left != 0) in.fail("runs do not add up to the rows");
}

void body_rows_read(ByteReader& in, std::uint8_t flags, DatasetRecord& dataset) {
  dataset.salt = id_read(in);
  dataset.rows_root = hash_read(in);
  dataset.time_min = time_read(in);
  dataset.time_max = time_read(in);
  if (dataset.time_max < dataset.time_min) in.fail("rows end before they begin");
  if ((flags & kInSegment) != 0) {
    dataset.segment = segment_ref_read(in);
    if (dataset.segment->rows != dataset.rows_added) in.fail("segment has another number of rows");
    if ((flags & kSeveralRuns) != 0) body_runs_read(in, dataset);
  } else if ((flags & kStripped) == 0) {
    dataset.rows = as_bytes_view(in.get_text(kFrameBytesMax));
  }
}

// The counts and the touched begins say what the marks say, so that either can be trusted alone.
void marks_agree(const ByteReader& in, const DatasetRecord& dataset) {
  std::uint64_t ended = 0;
  std::uint64_t revived = 0;
  std::size_t touched = 0;
  CommitNumber before{0};
  for (const MarkSet& set : dataset.marks.sets()) {
    std::uint64_t& count = set.revive ? revived : ended;
    if (set.rows.rows() > UINT64_MAX - count) in.fail("more marks than rows can be");
    count += set.rows.rows();
    if (set.begin == std::exchange(before, set.begin)) continue;
    if (touched == dataset.touched.size() || dataset.touched[touched] != set.begin) {
      in.fail("marks touch another commit than the header says");
    }
    ++touched;
  }
  if (touched != dataset.touched.size() || ended != dataset.rows_ended ||
      revived != dataset.rows_revived) {
    in.fail("marks do not add up to the header");
  }
}

void body_marks_read(ByteReader& in, std::uint8_t flags, DatasetRecord& dataset) {
  if ((flags & kMarksInSegment) != 0) {
    dataset.marks_root = hash_read(in);
    dataset.marks_segment = segment_ref_read(in);
    if (dataset.marks_root.is_zero()) in.fail("marks without a root");
    return;
  }
  dataset.marks = marks_read(in);
  if (dataset.marks.empty()) in.fail("marks announced and missing");
  marks_agree(in, dataset);
  dataset.marks_root = marks_root(dataset.marks);
}

void dataset_body_read(ByteReader& in, DatasetRecord& dataset) {
  const auto flags = in.get<std::uint8_t>();
  if ((flags & ~kFlagsKnown) != 0) in.fail("unknown flag of a dataset");
  const bool has_rows = (flags & kHasRows) != 0;
  const bool has_marks = (flags & kHasMarks) != 0;
  if (has_rows != (dataset.rows_added != 0)) in.fail("rows missing or not announced");
  if (has_marks != ((dataset.rows_ended | dataset.rows_revived) != 0)) {
    in.fail("marks missing or not announced");
  }
  if (!has_rows && (flags & (kInSegment | kStripped)) != 0) in.fail("place of rows not there");
  if ((flags & kInSegment) != 0 && (flags & kStripped) != 0) in.fail("rows in two places");
  if ((flags & kSeveralRuns) != 0 && (flags & kInSegment) == 0) in.fail("runs outside a segment");
  if (!has_marks && (flags & kMarksInSegment) != 0) in.fail("place of marks that are not there");
  if (!has_marks && !dataset.touched.empty()) in.fail("marks missing or not announced");
  dataset.stripped = (flags & kStripped) != 0;
  if (has_rows) body_rows_read(in, flags, dataset);
  if (has_marks) body_marks_read(in, flags, dataset);
}

std::uint32_t needs_of(const CommitRecord& record) {
  const bool runs = std::ranges::any_of(
      record.datasets, [](const DatasetRecord& dataset) { return !dataset.runs.empty(); });
  return runs ? kNeedsRuns : 0;
}

void header_write(ByteWriter& out, const CommitRecord& record) {
  out.put(kMagic);
  out.put<std::uint32_t>(0);  // length, patched
  out.put(needs_of(record));
  out.put(record.features_optional);
  const bool origin = record.origin != OriginRecord{};
  out.put<std::uint8_t>(origin ? kHasOrigin : 0);
  number_write(out, record.number);
  time_write(out, record.time);
  hash_write(out, record.parent);
  hash_write(out, record.range_root);
  id_write(out, record.change_id);
  if (origin) {
    out.put_varint(record.origin.term);
    id_write(out, record.origin.origin);
    out.put_varint(record.origin.lane);
    out.put_varint(record.origin.sequence);
  }
  out.put_text(record.author);
  out.put_text(record.message);
  out.put_text(record.extra);
  lineage_write(out, record.lineage);
  out.put_varint(record.catalog.size());
  for (const CatalogChange& change : record.catalog) std::visit(CatalogWriter{out}, change);
  out.put_varint(record.datasets.size());
  for (const DatasetRecord& dataset : record.datasets) dataset_header_write(out, dataset);
  out.patch(kHeaderLengthAt, static_cast<std::uint32_t>(out.size()));
}

void origin_read(ByteReader& in, OriginRecord& origin) {
  origin.term = in.get_varint();
  origin.origin = id_read(in);
  const std::uint64_t lane = in.get_varint();
  if (lane > UINT32_MAX) in.fail("lane out of range");
  origin.lane = static_cast<std::uint32_t>(lane);
  origin.sequence = in.get_varint();
  if (origin == OriginRecord{}) in.fail("origin announced and empty");
}

void changes_read(ByteReader& in, CommitRecord& record) {
  record.lineage = lineage_read(in, record.number);
  const std::uint64_t changes = in.get_count(3);
  record.catalog.clear();
  for (std::uint64_t i = 0; i < changes; ++i) record.catalog.push_back(catalog_change_read(in));
  const std::uint64_t datasets = in.get_count(kDatasetBytesMin + sizeof(Hash256));
  record.datasets.assign(datasets, {});
  for (std::uint64_t i = 0; i < datasets; ++i) {
    dataset_header_read(in, record.number, record.datasets[i]);
    if (i > 0 && record.datasets[i].dataset <= record.datasets[i - 1].dataset) {
      in.fail("datasets out of order");
    }
  }
}

void header_read(BytesView header, CommitRecord& record) {
  ByteReader in(header, "commit");
  in.get_bytes(kHeaderFixed - sizeof(std::uint32_t));
  record.features_optional = in.get<std::uint32_t>();
  const auto flags = in.get<std::uint8_t>();
  if (flags > kHasOrigin) in.fail("unknown flag of a commit");
  record.number = commit_number_read(in);
  if (value_of(record.number) == 0) in.fail("commit number 0");
  record.time = time_read(in);
  record.parent = hash_read(in);
  record.range_root = hash_read(in);
  record.change_id = id_read(in);
  record.origin = {};
  if (flags == kHasOrigin) origin_read(in, record.origin);
  record.author = in.get_text(kAuthorBytesMax);
  record.message = in.get_text(kMessageBytesMax);
  record.extra = in.get_text(kExtraBytesMax);
  changes_read(in, record);
  in.expect_end();
}

}  // namespace

bool DatasetRecord::operator==(const DatasetRecord& other) const {
  return dataset == other.dataset && rows_added == other.rows_added &&
         rows_ended == other.rows_ended && rows_revived == other.rows_revived &&
         touched == other.touched && root == other.root && salt == other.salt &&
         rows_root == other.rows_root && marks_root == other.marks_root &&
         time_min == other.time_min && time_max == other.time_max &&
         std::ranges::equal(rows, other.rows) && stripped == other.stripped &&
         segment == other.segment && runs == other.runs && marks == other.marks &&
         marks_segment == other.marks_segment;
}

Hash256 marks_root(const MarkList& marks) {
  if (marks.empty()) return {};
  ByteWriter out;
  marks_write(out, marks);
  return blake3(out.view());
}

Hash256 dataset_root(const Hash256& rows_root, const Hash256& marks) {
  if (rows_root.is_zero() && marks.is_zero()) return {};
  std::array<std::byte, 2 * sizeof(Hash256)> both;
  std::ranges::copy(rows_root.bytes, both.begin());
  std::ranges::copy(marks.bytes, both.begin() + sizeof(Hash256));
  return blake3(both);
}

void dataset_record_finish(DatasetRecord& record) {
  record.rows_ended = 0;
  record.rows_revived = 0;
  record.touched.clear();
  for (const MarkSet& set : record.marks.sets()) {
    (set.revive ? record.rows_revived : record.rows_ended) += set.rows.rows();
    if (record.touched.empty() || record.touched.back() != set.begin) {
      record.touched.push_back(set.begin);
    }
  }
  record.marks_root = marks_root(record.marks);
  record.root = dataset_root(record.rows_root, record.marks_root);
}

Bytes commit_write(const CommitRecord& record, Hash256& hash) {
  ByteWriter out;
  header_write(out, record);
  hash = blake3(out.view());
  flag_write(out, !record.request_hash.is_zero());
  if (!record.request_hash.is_zero()) hash_write(out, record.request_hash);
  for (const DatasetRecord& dataset : record.datasets) dataset_body_write(out, dataset);
  return out.take();
}

BytesView commit_header(BytesView payload) {
  ByteReader in(payload, "commit");
  if (in.get<std::uint32_t>() != kMagic) in.fail("not a commit");
  const auto length = in.get<std::uint32_t>();
  if (length < kHeaderFixed || length > payload.size()) in.fail("header longer than the frame");
  if ((in.get<std::uint32_t>() & ~kFeaturesRequired) != 0) {
    throw_error(ErrorCode::unsupported_format,
                "a commit in the log needs features this build does not have: use a newer Otolith");
  }
  return payload.first(length);
}

Hash256 commit_hash(BytesView payload) { return blake3(commit_header(payload)); }

void commit_read(BytesView payload, CommitRecord& record) {
  const BytesView header = commit_header(payload);
  header_read(header, record);
  ByteReader in(payload.subspan(header.size()), "commit body");
  const bool asked = flag_read(in);
  record.request_hash = asked ? hash_read(in) : Hash256{};
  if (asked == record.request_hash.is_zero()) in.fail("request hash announced and zero");
  for (DatasetRecord& dataset : record.datasets) dataset_body_read(in, dataset);
  in.expect_end();
  if (load_le<std::uint32_t>(&header[kHeaderNeedsAt]) != needs_of(record))
    in.fail("features that do not fit its body");
}

Bytes commit_strip(BytesView payload) {
  CommitRecord record;
  commit_read(payload, record);
  for (DatasetRecord& dataset : record.datasets) {
    if (dataset.rows_added == 0 || dataset.segment) continue;
    dataset.stripped = true;
    dataset.rows = {};
  }
  Hash256 hash;
  return commit_write(record, hash);
}

}  // namespace otolith::history
