#include "history/frame_record.h"

#include <algorithm>

#include "base/limits.h"
#include "history/field.h"

namespace otolith::history {

namespace {

enum class Magic : std::uint32_t {
  tag = 0x3147544f,      // "OTG1"
  seal = 0x3145534f,     // "OSE1"
  compact = 0x314f434f,  // "OCO1"
  lost = 0x314f4c4f,     // "OLO1"
};

// Required features.
enum class Needs : std::uint32_t {
  nothing = 0,
  sides = 1,  // of a compact: segments that say which side they are of
};

// Where a segment's row ids stand, and which side it is of.
enum class RowIds : std::uint8_t { outside = 0, inside = 1, present = 2, past = 3 };
constexpr RowIds kRowIds[] = {RowIds::inside, RowIds::present, RowIds::past};  // by Side

ByteWriter begin(Magic magic, Needs needs = Needs::nothing) {
  ByteWriter out;
  out.put(magic);
  out.put(needs);
  return out;
}

Needs begin(ByteReader& in, Magic magic, std::string_view what, Needs most) {
  if (in.get<Magic>() != magic) in.fail("another kind of record");
  const auto needs = in.get<Needs>();
  if (needs > most) {
    throw_error(ErrorCode::unsupported_format,
                "a {} in the log needs features this build does not have: use a newer Otolith",
                what);
  }
  return needs;
}

ByteReader begin(BytesView payload, Magic magic, std::string_view what) {
  ByteReader in(payload, what);
  begin(in, magic, what, Needs::nothing);
  return in;
}

bool has_side(const SegmentEntry& entry) noexcept { return entry.side != Side::mixed; }

}  // namespace

Bytes tag_write(const TagRecord& record) {
  ByteWriter out = begin(Magic::tag);
  out.put_text(record.name);
  number_write(out, record.commit);
  return out.take();
}

TagRecord tag_read(BytesView payload) {
  ByteReader in = begin(payload, Magic::tag, "tag");
  TagRecord record;
  record.name = in.get_text(kNameBytesMax);
  record.commit = commit_number_read(in);
  if (record.name.empty()) in.fail("tag without a name");
  in.expect_end();
  return record;
}

void segment_entry_write(ByteWriter& out, const SegmentEntry& entry) {
  segment_ref_write(out, entry.ref);
  number_write(out, entry.begin_first);
  out.put_varint(value_of(entry.begin_last) - value_of(entry.begin_first));
  out.put(!entry.many ? RowIds::outside : kRowIds[static_cast<std::size_t>(entry.side)]);
  if (entry.side != Side::mixed) number_write(out, entry.base);
}

SegmentEntry segment_entry_read(ByteReader& in) {
  SegmentEntry entry;
  entry.ref = segment_ref_read(in);
  entry.begin_first = commit_number_read(in);
  const std::uint64_t more = in.get_varint();
  if (value_of(entry.begin_first) == 0 || more > UINT64_MAX - value_of(entry.begin_first)) {
    in.fail("begins out of range");
  }
  entry.begin_last = CommitNumber{value_of(entry.begin_first) + more};
  const auto ids = in.get<RowIds>();
  if (ids > RowIds::past) in.fail("unknown kind of segment");
  entry.many = ids != RowIds::outside;
  if (!entry.many && more != 0) in.fail("segment of one begin that names many");
  if (ids < RowIds::present) return entry;
  entry.side = ids == RowIds::past ? Side::past : Side::present;
  entry.base = commit_number_read(in);
  if (entry.base < entry.begin_last) in.fail("segment of begins behind its base");
  return entry;
}

Bytes seal_write(const SealRecord& record) {
  ByteWriter out = begin(Magic::seal);
  number_write(out, record.covers);
  out.put_varint(record.datasets.size());
  for (const SealedRecord& sealed : record.datasets) {
    dataset_id_write(out, sealed.dataset);
    number_write(out, sealed.base);
    segment_entry_write(out, sealed.segment);
  }
  return out.take();
}

SealRecord seal_read(BytesView payload) {
  ByteReader in = begin(payload, Magic::seal, "seal");
  SealRecord record;
  record.covers = record_number_read(in);
  const std::uint64_t count = in.get_count(48);
  record.datasets.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    SealedRecord sealed;
    sealed.dataset = dataset_id_read(in);
    sealed.base = record_number_read(in);
    sealed.segment = segment_entry_read(in);
    if (has_side(sealed.segment)) in.fail("seal of a segment with a side");
    if (i > 0 && sealed.dataset <= record.datasets.back().dataset) in.fail("datasets out of order");
    if (sealed.base >= record.covers) in.fail("seal of records that were sealed before");
    record.datasets.push_back(sealed);
  }
  in.expect_end();
  return record;
}

Bytes compact_write(const CompactRecord& record) {
  const bool sides = std::ranges::any_of(record.segments, has_side);
  ByteWriter out = begin(Magic::compact, sides ? Needs::sides : Needs::nothing);
  time_write(out, record.time);
  dataset_id_write(out, record.dataset);
  out.put_varint(record.replaced.size());
  for (const Id128& id : record.replaced) id_write(out, id);
  out.put_varint(record.segments.size());
  for (const SegmentEntry& entry : record.segments) segment_entry_write(out, entry);
  return out.take();
}

CompactRecord compact_read(BytesView payload) {
  ByteReader in(payload, "compact record");
  const Needs needs = begin(in, Magic::compact, "compact record", Needs::sides);
  CompactRecord record;
  record.time = time_read(in);
  record.dataset = dataset_id_read(in);
  const std::uint64_t replaced = in.get_count(sizeof(Id128));
  for (std::uint64_t i = 0; i < replaced; ++i) {
    record.replaced.push_back(id_read(in));
    const bool after = i == 0 || record.replaced[i - 1] < record.replaced[i];
    if (!after) in.fail("replaced segments out of order");
  }
  const std::uint64_t segments = in.get_count(40);
  for (std::uint64_t i = 0; i < segments; ++i) {
    record.segments.push_back(segment_entry_read(in));
    if (!record.segments.back().many) in.fail("joined segment without row ids");
  }
  if (record.replaced.empty() || record.segments.empty()) in.fail("a join of nothing");
  const bool sides = std::ranges::any_of(record.segments, has_side);
  if (sides != (needs == Needs::sides)) in.fail("features that do not fit its segments");
  in.expect_end();
  return record;
}

Bytes lost_write(const LostRecord& record) {
  ByteWriter out = begin(Magic::lost);
  number_write(out, record.first);
  number_write(out, record.last);
  return out.take();
}

LostRecord lost_read(BytesView payload) {
  ByteReader in = begin(payload, Magic::lost, "lost record");
  const RecordNumber first = record_number_read(in);
  const LostRecord record{first, record_number_read(in)};
  if (value_of(first) == 0 || record.last < first) in.fail("lost records out of order");
  in.expect_end();
  return record;
}

void reserved_read(BytesView) {
  throw_error(ErrorCode::unsupported_format,
              "the log holds maintenance this build cannot follow: use a newer Otolith");
}

}  // namespace otolith::history
