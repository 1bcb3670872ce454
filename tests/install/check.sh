#!/usr/bin/env bash
# check.sh BUILD-FOLDER WORK-FOLDER: installs a built ropewalk, and then, as a stranger would, builds the README's first
# program against it, once with CMake and once with pkg-config, and runs both.
set -euo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(realpath "$here/../..")
rm -rf "$2"
mkdir -p "$2/outside"
cd "$2"
prefix=$PWD/prefix

cmake --install "$build" --prefix "$prefix"

cp "$here/CMakeLists.txt" outside/
awk '/^```/ && inside { exit } inside { print } /^```cpp$/ { inside = 1 }' "$checkout/README.md" >outside/outside.cpp
cmake -S outside -B by-cmake -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
cmake --build by-cmake

lib=$(dirname "$(dirname "$(find "$prefix" -name ropewalk.pc)")")
export PKG_CONFIG_PATH=$lib/pkgconfig
version=$(pkg-config --modversion ropewalk)
read -ra flags <<<"$(pkg-config --cflags --libs ropewalk)"
"${CXX:-g++}" -std=c++23 outside/outside.cpp "${flags[@]}" -o by-pkg-config

for program in by-cmake/outside ./by-pkg-config; do
    said=$(LD_LIBRARY_PATH=$lib "$program")
    if [[ $said != 'hello, reactor' ]]; then
        echo "$program says: $said"
        exit 1
    fi
done
if grep -rlF "$checkout/" "$prefix"; then
    echo "these installed files name folders of the checkout"
    exit 1
fi
echo "ropewalk $version is installed as it should be"
