// Deliberate protocol errors, switched on by name in test builds: each must make a test fail.
//
// Role:    docs/testing.md, "Seams": `OTOLITH_MUTANT=<name>` turns one on.
// Errors:  none.
// Threads: thread-safe.
// Why:     the list in test/mutants.txt names the test that kills each; in shipped builds
//          `mutant()` is constant false and leaves no code behind.
#pragma once

namespace otolith {

#ifdef OTOLITH_MUTANTS
/// True if the environment variable OTOLITH_MUTANT names this mutant.
bool mutant(const char* name) noexcept;
#else
constexpr bool mutant(const char*) noexcept { return false; }
#endif

}  // namespace otolith
