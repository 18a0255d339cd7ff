#include "history/field.h"

namespace otolith::history {

void dataset_id_write(ByteWriter& out, const DatasetId& id) {
  number_write(out, id.created);
  out.put_varint(id.index);
}

DatasetId dataset_id_read(ByteReader& in) {
  DatasetId id;
  id.created = commit_number_read(in);
  const std::uint64_t index = in.get_varint();
  if (index > UINT32_MAX) in.fail("dataset index out of range");
  id.index = static_cast<std::uint32_t>(index);
  return id;
}

void dataset_option_write(ByteWriter& out, const std::optional<DatasetId>& id) {
  flag_write(out, id.has_value());
  if (id) dataset_id_write(out, *id);
}

std::optional<DatasetId> dataset_option_read(ByteReader& in) {
  if (!flag_read(in)) return std::nullopt;
  return dataset_id_read(in);
}

void time_write(ByteWriter& out, Timestamp time) { out.put(time.ns); }

Timestamp time_read(ByteReader& in) {
  const Timestamp time{in.get<std::int64_t>()};
  if (time.ns == kNotATime) in.fail("not a time");
  return time;
}

void flag_write(ByteWriter& out, bool flag) { out.put<std::uint8_t>(flag ? 1 : 0); }

bool flag_read(ByteReader& in) {
  const auto flag = in.get<std::uint8_t>();
  if (flag > 1) in.fail("flag is neither 0 nor 1");
  return flag == 1;
}

void segment_ref_write(ByteWriter& out, const SegmentRef& ref) {
  id_write(out, ref.id);
  out.put_varint(ref.bytes);
  out.put_varint(ref.rows);
  out.put(ref.footer_hash);
  time_write(out, ref.time_min);
  time_write(out, ref.time_max);
}

SegmentRef segment_ref_read(ByteReader& in) {
  SegmentRef ref;
  ref.id = id_read(in);
  ref.bytes = in.get_varint();
  ref.rows = in.get_varint();
  ref.footer_hash = in.get<std::uint64_t>();
  ref.time_min = time_read(in);
  ref.time_max = time_read(in);
  if (ref.time_max < ref.time_min) in.fail("segment ends before it begins");
  return ref;
}

void marks_write(ByteWriter& out, const MarkList& marks) {
  out.put_varint(marks.runs());
  marks.for_each_run([&](const MarkRun& run) {
    number_write(out, run.begin);
    out.put_varint(run.first);
    out.put_varint(run.count);
    flag_write(out, run.revive);
  });
}

MarkList marks_read(ByteReader& in) {
  const std::uint64_t count = in.get_count(4);
  MarkList marks;
  MarkRun before;
  for (std::uint64_t i = 0; i < count; ++i) {
    MarkRun run;
    run.begin = commit_number_read(in);
    run.first = in.get_varint();
    run.count = in.get_varint();
    run.revive = flag_read(in);
    if (value_of(run.begin) == 0 || run.count == 0 || run.count > UINT64_MAX - run.first) {
      in.fail("mark out of range");
    }
    if (i != 0 && !run.follows(before)) in.fail("marks out of order");
    marks.append(run);
    before = run;
  }
  return marks;
}

}  // namespace otolith::history
