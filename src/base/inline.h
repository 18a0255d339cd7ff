// OTO_INLINE: a function or lambda that is compiled into its caller.
//
// Role:    loops that are written once and compiled for each vector extension: only what is inlined
//          is compiled for the extension of its caller.
// Errors:  none.
// Threads: immutable.
// Why:     `inline` alone is a hint, and a call in between is compiled for any machine. It stands
//          before `inline` and behind a lambda's parameters alike.
#pragma once

#define OTO_INLINE __attribute__((always_inline))
