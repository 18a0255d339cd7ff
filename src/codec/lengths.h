// Lengths of the texts of a page as blocks, instead of eight bytes of offset a row; and of runs.
//
// Role:    in front of the text of the codecs text, lz4 and zstd; of the values of runs in rle.
// Shapes:  blocks (block.h) of order 0 of <= kPageRowsMax lengths; a null has length 0. All texts
//          of a page are at most kPageTextBytesMax.
// Errors:  lengths_flaw says what is wrong; lengths_get relies on it.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "codec/codec.h"

namespace otolith::codec {

/// What a reader says of a page that decodes to more than kPageTextBytesMax.
inline constexpr std::string_view kTextTooLong = "its text is longer than 32 MiB";

/// True if one of the chunk's pages of so many rows has text beyond kPageTextBytesMax.
bool text_too_long(const Array& chunk, std::uint64_t page_rows) noexcept;

/// Appends the lengths of rows first..first+rows-1.
void lengths_put(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out);
/// Their text in one piece; nulls have none.
Bytes text_joined(const Array& chunk, std::uint64_t first, std::uint64_t rows);

/// What is wrong with lengths that begin `bytes` and shall add up to `sum`; else empty, and *taken
/// their bytes.
std::string_view lengths_flaw(BytesView bytes, std::uint64_t rows, std::uint64_t sum,
                              std::uint64_t* taken) noexcept;

/// An offset behind each length in to.offsets, counted from to.text_at; returns the bytes they
/// take.
std::uint64_t lengths_get(const std::byte* bytes, std::uint64_t rows, const Room& to) noexcept;

}  // namespace otolith::codec
