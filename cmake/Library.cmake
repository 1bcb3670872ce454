# The one library, made of the floors' objects, and its installation: headers, CMake package, pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(floors GLOBAL PROPERTY ROPEWALK_FLOORS)
get_property(headers GLOBAL PROPERTY ROPEWALK_HEADERS)
get_property(bases GLOBAL PROPERTY ROPEWALK_BASES)
list(TRANSFORM floors REPLACE "(.+)" "$<TARGET_OBJECTS:ropewalk_\\1>" OUTPUT_VARIABLE objects)

add_library(ropewalk ${objects})
add_library(ropewalk::ropewalk ALIAS ropewalk)
target_sources(ropewalk PUBLIC FILE_SET HEADERS BASE_DIRS ${bases} FILES ${headers})
target_compile_features(ropewalk PUBLIC cxx_std_23)
target_link_libraries(ropewalk PRIVATE PkgConfig::ropewalk_libuv Threads::Threads)
# Before 1.0 every minor version may change the binary interface.
set_target_properties(ropewalk PROPERTIES
    LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ropewalk)
install(TARGETS ropewalk EXPORT ropewalkTargets FILE_SET HEADERS)
install(EXPORT ropewalkTargets NAMESPACE ropewalk:: DESTINATION ${package_dir})
configure_package_config_file(cmake/ropewalkConfig.cmake.in ropewalkConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(ropewalkConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/ropewalkConfig.cmake
    ${PROJECT_BINARY_DIR}/ropewalkConfigVersion.cmake
    DESTINATION ${package_dir})

# The pkg-config file finds its prefix from its own place, so an installed tree may be moved.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
if(BUILD_SHARED_LIBS)
    set(pc_needs "")
else()
    set(pc_needs "Requires: libuv >= 1.44\n")
endif()
configure_file(cmake/ropewalk.pc.in ropewalk.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ropewalk.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
