// Which vectors the machine has, for loops that are compiled once for each.
//
// Role:    under every run-time dispatch of the house.
// Shapes:  two levels beside what any x86-64 has; elsewhere neither.
// Errors:  none.
// Threads: thread-safe.
// Why:     asked of the processor once, and the same question everywhere: a machine that has one
//          extension of a level without the others takes the level below.
#pragma once

namespace otolith {

/// AVX2, and LZCNT, which came with it.
inline bool has_avx2() noexcept {
#ifdef __x86_64__
  static const bool has =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("lzcnt") != 0;
  return has;
#else
  return false;
#endif
}

/// AVX-512 with DQ, which multiplies and converts 64 bits, and VL.
inline bool has_avx512() noexcept {
#ifdef __x86_64__
  static const bool has = has_avx2() && __builtin_cpu_supports("avx512f") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace otolith
