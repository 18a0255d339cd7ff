// From the words of alp_rd to floats, compiled for the vectors of the machine.
//
// Role:    under alp_rd.cc.
// Shapes:  widened floats and words as u64, up to kBlockRows; a word is code << right | lower bits.
// Errors:  none: any word gives some float, a code without an entry its lower bits.
// Threads: thread-safe.
// Why:     sixteen entries fit two registers, which a permutation of AVX2 or AVX-512 looks up.
#pragma once

#include <array>
#include <cstdint>

namespace otolith::codec {

inline constexpr std::size_t kUpperPartsMax = 16;

/// How floats are split.
struct Split {
  unsigned right = 0;                                 // bits of the lower part
  std::array<std::uint64_t, kUpperPartsMax> upper{};  // as they stand in a float: << right
};

/// Words to floats, in place.
void split_floats(std::uint64_t* words, std::uint64_t count, const Split& split) noexcept;

/// The same for any machine, to judge the other by.
void split_floats_plain(std::uint64_t* words, std::uint64_t count, const Split& split) noexcept;

}  // namespace otolith::codec
