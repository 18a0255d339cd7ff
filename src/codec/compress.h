// Bytes through zstd and LZ4, and back into room of a size that is known beforehand.
//
// Role:    under the codecs that make bytes small: planes, dictionary, lz4, zstd.
// Shapes:  zstd: one frame of level kZstdLevel with the size of its content; LZ4: one block.
// Errors:  the getters return false for bytes that are no such thing or do not fill their room
//          exactly; a library that has no memory left throws limit.
// Threads: thread-safe; each thread keeps its contexts.
// Why:     nothing is ever decompressed into memory that grows: the size comes from a page that
//          was judged, and both libraries stop at the end of their room (48 bytes of zstd can say
//          that they are 1 GiB).
// Source:  RFC 8878; "LZ4 Block Format Description".
#pragma once

#include "base/bytes.h"

namespace otolith::codec {

inline constexpr int kZstdLevel = 3;

/// Appends the compressed bytes; returns how many these are.
std::size_t zstd_put(BytesView bytes, ByteWriter& out);
std::size_t lz4_put(BytesView bytes, ByteWriter& out);

/// Fills `size` bytes at `out`, never more; false unless all of `bytes` give exactly as many.
bool zstd_get(BytesView bytes, std::byte* out, std::size_t size);
bool lz4_get(BytesView bytes, std::byte* out, std::size_t size) noexcept;

/// Throws corrupt: a page that was verified no longer gives its values.
[[noreturn]] void bytes_changed();

}  // namespace otolith::codec
