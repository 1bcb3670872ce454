#!/usr/bin/env bash
# find_awaits.sh BUILD-FOLDER SOURCE…: finds, in sources that the build folder's compile_commands.json knows, the awaits that
# GCC 12 compiles wrongly and that nothing else can see (docs/compilers.md), and fails if there are any. Needs clang-query;
# ends with 77 if there is none.
set -u
build=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
query=$(command -v clang-query-19 || command -v clang-query) || exit 77
output=$("$query" -p "$build" -f "$here/awaits.query" --extra-arg=-w "$@" 2>&1)
if grep -q 'error: \|Error ' <<<"$output"; then
    echo "$output" | grep -m5 'error: \|Error '
    exit 2
fi
found=$(sed -n 's/: note: "\([a-z]*\)" binds here$/: \1/p' <<<"$output" | grep -v '"f"\|: f$' | sort -u)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
