# The library as C++ users get it: all rooms in one libotolith.a, headers, find_package(otolith).
# Installed as component cpp: `cmake --install BUILD --component cpp --prefix WHERE`.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(objects)
set(rooms ${OTOLITH_ROOMS})
list(REMOVE_ITEM rooms files cli)  # a program of its own
foreach(room IN LISTS rooms)
  if(TARGET otolith_${room})
    list(APPEND objects $<TARGET_OBJECTS:otolith_${room}>)
  endif()
endforeach()
get_target_property(blake3_type otolith_blake3 TYPE)
if(blake3_type STREQUAL "STATIC_LIBRARY")  # else it is a package of its own, which the user links
  list(APPEND objects $<TARGET_OBJECTS:otolith_blake3>)
endif()

add_library(otolith STATIC ${objects})
target_compile_features(otolith INTERFACE cxx_std_23)
target_include_directories(otolith INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(otolith INTERFACE fmt::fmt Threads::Threads xxhash zstd lz4 pcre2-8)

set(where "${CMAKE_INSTALL_LIBDIR}/cmake/otolith")
install(TARGETS otolith EXPORT otolith COMPONENT cpp
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT otolith FILE otolithTargets.cmake NAMESPACE otolith::
  DESTINATION "${where}" COMPONENT cpp)
install(DIRECTORY include/otolith DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT cpp)
write_basic_package_version_file(otolithConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/otolithConfig.cmake "${CMAKE_CURRENT_BINARY_DIR}/otolithConfigVersion.cmake"
  DESTINATION "${where}" COMPONENT cpp)
