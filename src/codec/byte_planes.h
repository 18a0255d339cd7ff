// Integers as planes of bytes: all lowest bytes, then all second ones and so on, each compressed.
//
// Role:    the body of the codecs planes and dictionary-small.
// Shapes:  <= kPageRowsMax values as 64-bit integers; sums wrap. The bytes, a multiple of 8:
//
//   planes u8 | zero 7 | base u64
//   | of each plane: kind u8 | byte u8 | zero u16 | bytes stored u32
//   | what is stored of each plane, one behind another | zero to a multiple of 8
//
//          Value i is base + the sum of byte i of plane p times 256^p. Kinds: 0, every byte is
//          `byte` and nothing is stored; 1, the bytes as they are; 2, a frame of zstd.
// Errors:  planes_flaw says what is wrong; planes_get relies on it.
// Threads: thread-safe.
// Why:     bytes of one significance resemble each other: what is noise stays apart from what
//          repeats, and one table of Huffman codes fits each plane. A plane of its own frame,
//          because zstd has one such table for up to 128 KiB.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace otolith::codec {

inline constexpr unsigned kPlanesMax = 8;

/// Appends the values (at least one).
void planes_put(std::span<const std::uint64_t> values, ByteWriter& out);

/// Bits that values would take, judged by how often each byte of a plane occurs.
double planes_cost(std::span<const std::uint64_t> values);

/// What is wrong with the planes that begin `bytes`; else empty, and *taken their bytes.
std::string_view planes_flaw(BytesView bytes, std::uint64_t count, std::uint64_t* taken);

/// The values of planes without flaw; returns the bytes they take.
std::uint64_t planes_get(const std::byte* bytes, std::uint64_t count, std::uint64_t* out);

}  // namespace otolith::codec
