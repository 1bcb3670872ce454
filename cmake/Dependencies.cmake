# What the library itself needs. Debian's libuv has no CMake package, so libuv comes through pkg-config, here and in the
# installed package alike (ropewalkConfig.cmake.in).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ropewalk_libuv REQUIRED IMPORTED_TARGET GLOBAL libuv>=1.44)
