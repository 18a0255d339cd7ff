// Fields that several payloads share: ids, hashes, references to segments, runs of commits and
// marks.
//
// Role:    one way to write each of them in frames, index and checkpoints.
// Shapes:  numbers as varints, hashes and ids as they are, times as 8 bytes.
// Errors:  reading throws corrupt for values no writer makes (empty runs, runs out of order).
// Threads: thread-safe.
// Why:     one encoding per value, refused otherwise: these bytes are hashed.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "history/request.h"

namespace otolith::history {

template <std::size_t N>
void array_read(ByteReader& in, std::array<std::byte, N>& out) {
  const BytesView bytes = in.get_bytes(N);
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

inline void hash_write(ByteWriter& out, const Hash256& hash) { out.put_bytes(hash.bytes); }
inline Hash256 hash_read(ByteReader& in) {
  Hash256 hash;
  array_read(in, hash.bytes);
  return hash;
}
inline void id_write(ByteWriter& out, const Id128& id) { out.put_bytes(id.bytes); }
inline Id128 id_read(ByteReader& in) {
  Id128 id;
  array_read(in, id.bytes);
  return id;
}

inline void number_write(ByteWriter& out, CommitNumber n) { out.put_varint(value_of(n)); }
inline CommitNumber commit_number_read(ByteReader& in) { return CommitNumber{in.get_varint()}; }
inline void number_write(ByteWriter& out, RecordNumber n) { out.put_varint(value_of(n)); }
inline RecordNumber record_number_read(ByteReader& in) { return RecordNumber{in.get_varint()}; }

void dataset_id_write(ByteWriter& out, const DatasetId& id);
DatasetId dataset_id_read(ByteReader& in);
void dataset_option_write(ByteWriter& out, const std::optional<DatasetId>& id);
std::optional<DatasetId> dataset_option_read(ByteReader& in);

/// A time that is stored; -2^63 is refused.
void time_write(ByteWriter& out, Timestamp time);
Timestamp time_read(ByteReader& in);

/// One byte, 0 or 1.
void flag_write(ByteWriter& out, bool flag);
bool flag_read(ByteReader& in);

void segment_ref_write(ByteWriter& out, const SegmentRef& ref);
SegmentRef segment_ref_read(ByteReader& in);

/// Sorted by (begin, first), disjoint, none empty, none that could be joined with the next.
void marks_write(ByteWriter& out, const MarkList& marks);
MarkList marks_read(ByteReader& in);

}  // namespace otolith::history
