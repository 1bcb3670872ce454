# A floor is a folder of the core: an object library whose headers are included as <ropewalk/FLOOR/….hpp> by way of an
# include root of its own in the build tree. A floor sees its own root and those of the floors below it, so an include
# that points upwards doesn't compile. cmake/Library.cmake makes one library of all floors.
#
#   ropewalk_floor(NAME reactor
#       HEADERS reactor.hpp …       # public: installed, and each must compile alone
#       SOURCES reactor.cpp …       # and private headers
#       GENERATED config.hpp …      # public headers made from NAME.in
#       BELOW   defer …             # floors that it may include
#       LINKS   PkgConfig::… …)     # outside libraries, for its sources only
#
# A component that needs more than libuv (ropewalk::tls, …) is no floor: it is a library of its own that links
# ropewalk::ropewalk, and may use ropewalk_include_root() for its folder.

# Makes <build>/include/FLOOR/ropewalk/FLOOR a link to the current source folder, and sets OUT to <build>/include/FLOOR.
function(ropewalk_include_root FLOOR OUT)
    set(root ${PROJECT_BINARY_DIR}/include/${FLOOR})
    file(MAKE_DIRECTORY ${root}/ropewalk)
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/ropewalk/${FLOOR} SYMBOLIC)
    target_compile_options(ropewalk_build_flags INTERFACE -ffile-prefix-map=${root}/ropewalk/=)
    set(${OUT} ${root} PARENT_SCOPE)
endfunction()

function(ropewalk_floor)
    cmake_parse_arguments(PARSE_ARGV 0 floor "" "NAME" "HEADERS;SOURCES;GENERATED;BELOW;LINKS")
    if(floor_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "ropewalk_floor: what is ${floor_UNPARSED_ARGUMENTS}?")
    endif()

    ropewalk_include_root(${floor_NAME} root)
    set(generated ${PROJECT_BINARY_DIR}/generated/${floor_NAME})
    set(bases ${root})
    set(headers ${floor_HEADERS})
    list(TRANSFORM headers PREPEND ${root}/ropewalk/${floor_NAME}/)
    foreach(name IN LISTS floor_GENERATED)
        configure_file(${name}.in ${generated}/ropewalk/${floor_NAME}/${name})
        list(APPEND headers ${generated}/ropewalk/${floor_NAME}/${name})
        list(APPEND bases ${generated})
    endforeach()
    list(REMOVE_DUPLICATES bases)

    set(target ropewalk_${floor_NAME})
    add_library(${target} OBJECT ${floor_SOURCES})
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${bases} FILES ${headers})
    list(TRANSFORM floor_BELOW PREPEND ropewalk_ OUTPUT_VARIABLE below)
    target_link_libraries(${target} PUBLIC ${below} PRIVATE ropewalk_build_flags ${floor_LINKS})
    target_compile_features(${target} PUBLIC cxx_std_23)
    set_target_properties(${target} PROPERTIES
        LINKER_LANGUAGE CXX
        POSITION_INDEPENDENT_CODE ${BUILD_SHARED_LIBS}
        VERIFY_INTERFACE_HEADER_SETS ON
        ROPEWALK_BELOW "${floor_BELOW}"
        ROPEWALK_LISTED "${floor_HEADERS};${floor_SOURCES}")
    if(BUILD_SHARED_LIBS)
        target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    endif()

    set_property(GLOBAL APPEND PROPERTY ROPEWALK_FLOORS ${floor_NAME})
    set_property(GLOBAL APPEND PROPERTY ROPEWALK_HEADERS ${headers})
    set_property(GLOBAL APPEND PROPERTY ROPEWALK_BASES ${bases})
endfunction()
