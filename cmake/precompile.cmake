# otolith_precompile(<target>) gives a target what most files include, parsed once: two fifths of
# the time of a build. Files include what they use all the same: preset tsan builds without it.
#
# Clang wants equal flags, so executables have one of their own; it knows doctest too.

option(OTOLITH_PRECOMPILE "Parse once what most files include" ON)

set(precompiled
  algorithm array atomic bit charconv chrono cmath compare concepts cstddef cstdint cstdlib cstring
  deque exception functional iterator limits map memory mutex new numeric optional set span
  stdexcept string string_view system_error thread tuple type_traits unordered_map utility variant
  vector fmt/format.h)
list(TRANSFORM precompiled REPLACE "(.+)" "<\\1>")

function(otolith_precompiled name)
  cmake_parse_arguments(arg "" "" "HEADERS;LINKS;OPTIONS" ${ARGN})
  file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/${name}.cc" CONTENT "")
  add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/${name}.cc")
  target_link_libraries(${name} PRIVATE otolith_house ${arg_LINKS})
  target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp ${arg_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

if(OTOLITH_PRECOMPILE)
  otolith_precompiled(otolith_precompiled HEADERS ${precompiled} LINKS fmt::fmt)
  if(OTOLITH_TESTS)
    otolith_precompiled(otolith_precompiled_tests
      HEADERS ${precompiled} <doctest/doctest.h> LINKS fmt::fmt doctest::doctest OPTIONS -fPIE)
    set_target_properties(otolith_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endif()

function(otolith_precompile target)
  if(NOT OTOLITH_PRECOMPILE)
    return()
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_precompile_headers(${target} REUSE_FROM otolith_precompiled_tests)
  else()
    target_precompile_headers(${target} REUSE_FROM otolith_precompiled)
  endif()
endfunction()
