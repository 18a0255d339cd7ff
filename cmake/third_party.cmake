# Libraries of others, each under one target name. `./dev setup` installs Debian 12's packages.

# What users get as a wheel brings its libraries along: of archives, where there are any. A target
# asks for these by its property OTOLITH_ARCHIVES.
function(otolith_find_library out name)
  find_library(${out} ${name} REQUIRED)
  find_library(${out}_ARCHIVE NAMES "lib${name}.a" ${name} REQUIRED)
  set(${out} "$<IF:$<BOOL:$<TARGET_PROPERTY:OTOLITH_ARCHIVES>>,${${out}_ARCHIVE},${${out}}>"
    PARENT_SCOPE)
endfunction()

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
otolith_find_library(XXHASH_LIBRARY xxhash)
add_library(otolith_xxhash INTERFACE)
target_include_directories(otolith_xxhash SYSTEM INTERFACE "${XXHASH_INCLUDE}")
target_link_libraries(otolith_xxhash INTERFACE "${XXHASH_LIBRARY}")

# otolith_zstd, otolith_lz4: likewise. What makes dictionaries in zstd's archive addresses stderr as
# only programs can: a copy of it asks for python/bindings/zstd.cc's.
find_path(ZSTD_INCLUDE zstd.h REQUIRED)
find_library(ZSTD_FOUND_ARCHIVE NAMES libzstd.a)
if(ZSTD_FOUND_ARCHIVE AND CMAKE_OBJCOPY)
  set(ZSTD_LIBRARY_ARCHIVE "${CMAKE_BINARY_DIR}/libzstd.a" CACHE FILEPATH "" FORCE)
  execute_process(COMMAND "${CMAKE_OBJCOPY}" --redefine-sym stderr=otolith_zstd_stderr
    "${ZSTD_FOUND_ARCHIVE}" "${ZSTD_LIBRARY_ARCHIVE}" COMMAND_ERROR_IS_FATAL ANY)
endif()
otolith_find_library(ZSTD_LIBRARY zstd)
add_library(otolith_zstd INTERFACE)
target_include_directories(otolith_zstd SYSTEM INTERFACE "${ZSTD_INCLUDE}")
target_link_libraries(otolith_zstd INTERFACE "${ZSTD_LIBRARY}")
find_path(LZ4_INCLUDE lz4.h REQUIRED)
otolith_find_library(LZ4_LIBRARY lz4)
add_library(otolith_lz4 INTERFACE)
target_include_directories(otolith_lz4 SYSTEM INTERFACE "${LZ4_INCLUDE}")
target_link_libraries(otolith_lz4 INTERFACE "${LZ4_LIBRARY}")

# otolith_pcre2: regular expressions, of conditions.
find_path(PCRE2_INCLUDE pcre2.h REQUIRED)
otolith_find_library(PCRE2_LIBRARY pcre2-8)
add_library(otolith_pcre2 INTERFACE)
target_include_directories(otolith_pcre2 SYSTEM INTERFACE "${PCRE2_INCLUDE}")
target_link_libraries(otolith_pcre2 INTERFACE "${PCRE2_LIBRARY}")

# otolith_rapidjson: headers only (docs/adr/0081).
find_path(RAPIDJSON_INCLUDE rapidjson/reader.h REQUIRED)
add_library(otolith_rapidjson INTERFACE)
target_include_directories(otolith_rapidjson SYSTEM INTERFACE "${RAPIDJSON_INCLUDE}")

find_package(fmt REQUIRED)

if(OTOLITH_TESTS)
  find_package(doctest REQUIRED)
  add_library(otolith_doctest OBJECT "${PROJECT_SOURCE_DIR}/test/doctest_main.cc")
  target_link_libraries(otolith_doctest PRIVATE doctest::doctest)
  target_include_directories(otolith_doctest PRIVATE "${PROJECT_SOURCE_DIR}")
endif()
