# Tests of what must not compile. tests/compile_fail/NAME.cpp is one such program:
#
#   // test: 56.1: a callback that takes something else is refused     (its name in ctest; without it, the file's)
#   // expect: words that the compiler's message must hold
#
# ropewalk_compile_fail(NAME SOURCE MESSAGE) registers one by hand. The test compiles the source as a user of the
# library would, and passes when that fails and MESSAGE appears.
function(ropewalk_compile_fail NAME SOURCE MESSAGE)
    cmake_path(ABSOLUTE_PATH SOURCE)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
    add_test(NAME "${NAME}" COMMAND bash ${PROJECT_SOURCE_DIR}/tests/cmake/compile_fail.sh
        ${SOURCE} "${MESSAGE}"
        ${CMAKE_CXX_COMPILER} ${flags} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION}
        "-I$<JOIN:$<TARGET_PROPERTY:ropewalk,INTERFACE_INCLUDE_DIRECTORIES>,;-I>"
        COMMAND_EXPAND_LISTS)
    set_tests_properties("${NAME}" PROPERTIES LABELS compile TIMEOUT 120)
endfunction()
