# How this project compiles its own code; nothing of it reaches a user of the library.

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(ROPEWALK_CCACHE ccache)
    mark_as_advanced(ROPEWALK_CCACHE)
    if(ROPEWALK_CCACHE)
        set(CMAKE_CXX_COMPILER_LAUNCHER ${ROPEWALK_CCACHE})
    endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)

add_library(ropewalk_build_flags INTERFACE)
target_compile_features(ropewalk_build_flags INTERFACE cxx_std_23)
target_compile_options(ropewalk_build_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${ROPEWALK_WERROR}>:-Werror>
    # Messages and debug information name files as the checkout does; Floors.cmake maps each floor's include root.
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
