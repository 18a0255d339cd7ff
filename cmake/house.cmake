# Compiler, language and flags of the house. Warnings are errors in our code, silent in others'.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR NOT CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
  message(FATAL_ERROR
    "Otolith is built with clang 19 on libstdc++ (g++ 12 miscompiles coroutines); found "
    "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. Use `cmake --preset release`, or set "
    "CC=clang-19 CXX=clang++-19.")
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")  # at -O0 random tests reach far less in their budget
if(OTOLITH_SANITIZE OR OTOLITH_COVERAGE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")  # all that their reports name
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")

find_program(OTOLITH_CCACHE ccache)
if(OTOLITH_CCACHE)
  # The settings let build folders share objects, and ccache take precompiled headers.
  set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    "CCACHE_SLOPPINESS=pch_defines,time_macros" "${OTOLITH_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# ffp-contract=off: codecs and sums give the same bits on every machine, with and without FMA.
add_compile_options(-fno-omit-frame-pointer -ffp-contract=off -fno-math-errno -fcolor-diagnostics)
add_link_options(-fuse-ld=lld)

if(OTOLITH_SANITIZE)
  add_compile_options(-fsanitize=${OTOLITH_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OTOLITH_SANITIZE})
endif()
if(OTOLITH_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(OTOLITH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(OTOLITH_MUTANTS)
  add_compile_definitions(OTOLITH_MUTANTS=1)
endif()

find_package(Threads REQUIRED)

# Every target of ours links this: the include paths and the warnings.
add_library(otolith_house INTERFACE)
target_include_directories(otolith_house INTERFACE
  "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
target_compile_options(otolith_house INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Wthread-safety -Werror>)
target_link_libraries(otolith_house INTERFACE Threads::Threads)
