// Bytes of a log file: where every field of the file header and of a frame stands
// (docs/format/log.md).
//
//   file   | header, one sector | frame | frame | … | zeros up to the preallocated size |
//
//   header  0       8       12      16                32                48       56       64
//           | magic | version | size | required|optional| database         | salt            …
//   frame   0          8        12     13      14         15         16
//           | checksum | length | type | flags | required | optional | number (8)
//           24              32          40          56       60             64
//           | synced_to (8) | chain (8) | nonce (16) | key id | header check | payload | zeros to 8
//
// Role:    the grammar that file_header, frame_codec and log_reader share.
// Shapes:  fixed-width little-endian; frames begin at multiples of 8 bytes.
// Errors:  none.
// Threads: immutable.
// Why:     the salted check of the frame header alone lets a scan behind damage try every eighth
//          byte without hashing what a hostile length claims; the chain is a field of its own, so
//          that a frame behind a bad one can be known as one of this file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace otolith::history {

inline constexpr std::uint64_t kLogMagic = 0x0a1a0d474f4c4f54;  // "TOLOG\r\x1a\n"
inline constexpr std::uint32_t kLogVersion = 1;

// File header.
inline constexpr std::size_t kHeaderMagicAt = 0;
inline constexpr std::size_t kHeaderVersionAt = 8;
inline constexpr std::size_t kHeaderSizeAt = 12;
inline constexpr std::size_t kHeaderRequiredAt = 16;
inline constexpr std::size_t kHeaderOptionalAt = 24;
inline constexpr std::size_t kHeaderDatabaseAt = 32;
inline constexpr std::size_t kHeaderSaltAt = 48;
inline constexpr std::size_t kHeaderFileAt = 64;
inline constexpr std::size_t kHeaderFirstAt = 72;
inline constexpr std::size_t kHeaderDurableAt = 80;
inline constexpr std::size_t kHeaderEpochAt = 88;
inline constexpr std::size_t kHeaderBytesAt = 96;
inline constexpr std::size_t kHeaderCommitHashAt = 104;
inline constexpr std::size_t kHeaderReservedAt = 136;
inline constexpr std::size_t kHeaderChecksumAt = 504;
inline constexpr std::size_t kLogHeaderBytes = 512;  // one sector: no append ever rewrites it

// Frame.
inline constexpr std::size_t kFrameChecksumAt = 0;
inline constexpr std::size_t kFrameLengthAt = 8;
inline constexpr std::size_t kFrameTypeAt = 12;
inline constexpr std::size_t kFrameFlagsAt = 13;
inline constexpr std::size_t kFrameRequiredAt = 14;
inline constexpr std::size_t kFrameOptionalAt = 15;
inline constexpr std::size_t kFrameNumberAt = 16;
inline constexpr std::size_t kFrameSyncedToAt = 24;
inline constexpr std::size_t kFrameChainAt = 32;
inline constexpr std::size_t kFrameNonceAt = 40;
inline constexpr std::size_t kFrameKeyAt = 56;
inline constexpr std::size_t kFrameHeaderCheckAt = 60;
inline constexpr std::size_t kFrameHeaderBytes = 64;
inline constexpr std::size_t kFrameAlignment = 8;

// Bits.
inline constexpr std::uint8_t kFrameRelaxed = 0x01;     // flags: acknowledged without its own fsync
inline constexpr std::uint8_t kFrameFlagsKnown = 0x01;  // the others are reserved, zero
inline constexpr std::uint8_t kFrameTypeMatters = 0x01;  // required: a reader must know the type
inline constexpr std::uint8_t kFrameRequiredKnown = 0x01;
inline constexpr std::uint64_t kLogRequiredKnown = 0;  // no feature of a file is required yet
inline constexpr std::uint64_t kLogStripped = 0x01;    // optional: its rows stand in segments

static_assert(kHeaderReservedAt == kHeaderCommitHashAt + 32);
static_assert(kHeaderChecksumAt + 8 == kLogHeaderBytes);
static_assert(kFrameHeaderCheckAt + 4 == kFrameHeaderBytes);
static_assert(kLogHeaderBytes % kFrameAlignment == 0 && kFrameHeaderBytes % kFrameAlignment == 0);

/// Bytes that a frame with this payload takes.
constexpr std::uint64_t frame_bytes(std::uint64_t payload_bytes) noexcept {
  return (kFrameHeaderBytes + payload_bytes + kFrameAlignment - 1) & ~(kFrameAlignment - 1);
}

}  // namespace otolith::history
