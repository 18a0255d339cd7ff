// Integers of 128 bits; no standard type is that wide.
//
// Role:    units of decimals, sums of a column, times and bounds that must not wrap round.
// Errors:  none.
// Threads: immutable.
// Why:     one name for the compiler's type, so that its extension is excused in one place.
#pragma once

namespace otolith {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

}  // namespace otolith
