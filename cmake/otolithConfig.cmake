# find_package(otolith): otolith::otolith, one static library; what it needs is found here.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
include("${CMAKE_CURRENT_LIST_DIR}/otolithTargets.cmake")
