# ropewalk_allocation_tests(FLOOR), in tests/FLOOR_alloc: its sources are a program of their own, which counts what is
# allocated by replacing operator new.
function(ropewalk_allocation_tests FLOOR)
    if(NOT TARGET tests_support)
        return()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS *.cpp)
    set(program tests_${FLOOR}_alloc)
    add_executable(${program} ${sources} ${PROJECT_SOURCE_DIR}/tests/support/allocations/allocations.cpp)
    target_link_libraries(${program} PRIVATE tests_support ropewalk_build_flags)
    add_dependencies(tests ${program})
    add_test(NAME ${FLOOR}_alloc/allocation COMMAND ${program})
    set_tests_properties(${FLOOR}_alloc/allocation PROPERTIES
        LABELS ${FLOOR} TIMEOUT 120 FAIL_REGULAR_EXPRESSION "test cases: +0 ")
endfunction()
