# Libraries of others, each under one target name. `./dev setup` installs Debian 12's packages.

# otolith_blake3: the official C and assembly sources, which Debian ships inside librust-blake3-dev.
file(GLOB blake3_folders "/usr/share/cargo/registry/blake3-1.*/c")
if(blake3_folders)
  list(GET blake3_folders -1 blake3)
  set(blake3_sources blake3.c blake3_dispatch.c blake3_portable.c)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    foreach(isa sse2 sse41 avx2 avx512)
      list(APPEND blake3_sources blake3_${isa}_x86-64_unix.S)
    endforeach()
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND blake3_sources blake3_neon.c)
  endif()
  list(TRANSFORM blake3_sources PREPEND "${blake3}/")
  add_library(otolith_blake3 STATIC ${blake3_sources})
  target_include_directories(otolith_blake3 SYSTEM PUBLIC "${blake3}")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    target_compile_definitions(otolith_blake3 PRIVATE BLAKE3_USE_NEON)
  endif()
else()
  find_package(BLAKE3 REQUIRED)
  add_library(otolith_blake3 INTERFACE)
  target_link_libraries(otolith_blake3 INTERFACE BLAKE3::blake3)
endif()

# otolith_xxhash: header and library.
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
add_library(otolith_xxhash INTERFACE)
target_include_directories(otolith_xxhash SYSTEM INTERFACE "${XXHASH_INCLUDE}")
target_link_libraries(otolith_xxhash INTERFACE "${XXHASH_LIBRARY}")

# otolith_zstd, otolith_lz4: likewise.
find_path(ZSTD_INCLUDE zstd.h REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
add_library(otolith_zstd INTERFACE)
target_include_directories(otolith_zstd SYSTEM INTERFACE "${ZSTD_INCLUDE}")
target_link_libraries(otolith_zstd INTERFACE "${ZSTD_LIBRARY}")
find_path(LZ4_INCLUDE lz4.h REQUIRED)
find_library(LZ4_LIBRARY lz4 REQUIRED)
add_library(otolith_lz4 INTERFACE)
target_include_directories(otolith_lz4 SYSTEM INTERFACE "${LZ4_INCLUDE}")
target_link_libraries(otolith_lz4 INTERFACE "${LZ4_LIBRARY}")

find_package(fmt REQUIRED)

# otolith_cli11: headers only.
find_package(CLI11 REQUIRED)
add_library(otolith_cli11 INTERFACE)
target_link_libraries(otolith_cli11 INTERFACE CLI11::CLI11)

if(OTOLITH_TESTS)
  find_package(doctest REQUIRED)
  add_library(otolith_doctest OBJECT "${PROJECT_SOURCE_DIR}/test/doctest_main.cc")
  target_link_libraries(otolith_doctest PRIVATE doctest::doctest)
  target_include_directories(otolith_doctest PRIVATE "${PROJECT_SOURCE_DIR}")
endif()
