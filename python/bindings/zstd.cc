// What zstd's archive calls stderr in the copy of it that the module links
// (cmake/third_party.cmake): nothing is written there, for its trainers of dictionaries are told to
// be silent.
#include <cstdio>

extern "C" {
extern std::FILE* otolith_zstd_stderr;
std::FILE* otolith_zstd_stderr = stderr;
}
