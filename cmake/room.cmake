# The words a CMakeLists.txt of this house is written in:
#
#   otolith_room(<room> FLOOR <n> [LINKS <lower room or library>...] [TEST_LINKS <...>])
#   otolith_test(<name> SOURCES <file>... [LINKS <room or library>...])    in test/<topic>/
#   otolith_bench(<name> SOURCES <file>... [LINKS <room or library>...])   in bench/<topic>/
#
# A room is one static library otolith_<room> of src/<room>/*.cc. Its *_test.cc files make one
# doctest executable <room>_test; each fuzz_<unit>.cc one libFuzzer executable (OTOLITH_FUZZ).
# The floors stand in src/floors.txt, which test/lint.py reads too.

file(STRINGS "${PROJECT_SOURCE_DIR}/src/floors.txt" floor_lines REGEX "^[0-9]")
foreach(line IN LISTS floor_lines)
  string(REGEX MATCHALL "[^ ]+" words "${line}")
  list(POP_FRONT words floor)
  foreach(room IN LISTS words)
    set(otolith_floor_${room} ${floor})
    list(APPEND OTOLITH_ROOMS ${room})
  endforeach()
endforeach()
set_property(DIRECTORY APPEND PROPERTY
  CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/floors.txt")

# Turns names of rooms into their targets; other names are targets of third parties.
function(otolith_targets out)
  set(targets)
  foreach(link IN LISTS ARGN)
    if(link IN_LIST OTOLITH_ROOMS)
      set(link "otolith_${link}")
    endif()
    if(NOT TARGET ${link})
      message(FATAL_ERROR
        "${CMAKE_CURRENT_LIST_DIR} links '${link}', which is no room that exists and no target.")
    endif()
    list(APPEND targets ${link})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(otolith_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  otolith_targets(targets ${arg_LINKS})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE otolith_house ${targets})
endfunction()

# One doctest executable; ctest knows it by its name.
function(otolith_test name)
  otolith_executable(${name} ${ARGN})
  target_sources(${name} PRIVATE $<TARGET_OBJECTS:otolith_doctest>)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE doctest::doctest fmt::fmt)
  otolith_precompile(${name})
  add_test(NAME ${name} COMMAND ${name})
endfunction()

function(otolith_bench name)
  otolith_executable(${name} ${ARGN})
  target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/bench/measure.cc")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
endfunction()

function(otolith_room room)
  cmake_parse_arguments(arg "" "FLOOR" "LINKS;TEST_LINKS" ${ARGN})
  if(NOT "${arg_FLOOR}" STREQUAL "${otolith_floor_${room}}")
    message(FATAL_ERROR
      "Room '${room}' says FLOOR '${arg_FLOOR}'; "
      "src/floors.txt says '${otolith_floor_${room}}'.")
  endif()
  foreach(link IN LISTS arg_LINKS)
    if(link IN_LIST OTOLITH_ROOMS AND NOT otolith_floor_${link} LESS arg_FLOOR)
      message(FATAL_ERROR
        "Room '${room}' (floor ${arg_FLOOR}) links '${link}' (floor ${otolith_floor_${link}}); "
        "a room may link lower floors only.")
    endif()
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS "*.cc")
  file(GLOB tests CONFIGURE_DEPENDS "*_test.cc")
  file(GLOB harnesses CONFIGURE_DEPENDS "fuzz_*.cc")
  list(REMOVE_ITEM sources ${tests} ${harnesses} "")

  otolith_targets(targets ${arg_LINKS})
  if(sources)
    add_library(otolith_${room} STATIC ${sources})
    target_link_libraries(otolith_${room} PUBLIC otolith_house fmt::fmt ${targets})
    otolith_precompile(otolith_${room})
  else()
    add_library(otolith_${room} INTERFACE)
    target_link_libraries(otolith_${room} INTERFACE otolith_house fmt::fmt ${targets})
  endif()

  if(OTOLITH_TESTS AND tests)
    otolith_test(${room}_test SOURCES ${tests} LINKS ${room} ${arg_TEST_LINKS})
  endif()
  if(OTOLITH_FUZZ)
    foreach(harness IN LISTS harnesses)
      get_filename_component(name "${harness}" NAME_WE)
      otolith_executable(${name} SOURCES "${harness}" LINKS ${room})
      target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY otolith_harnesses ${name})
    endforeach()
  endif()
endfunction()
