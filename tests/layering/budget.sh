#!/usr/bin/env bash
# budget.sh "HEADER;HEADER…" COMPILER FLAGS…: what public headers must not include, however indirectly.
set -euo pipefail
headers=${1//;/ }
shift
failed=0

# check HEADER NAME…: fails when HEADER includes one of the NAMEs.
check() {
    local header=$1 name files
    shift
    files=$("${compile[@]}" <<<"#include <ropewalk/$header>" | tr -s ' \\' '\n')
    for name in "$@"; do
        if grep -qE "(^|/)include/(c\+\+/[0-9.]+/)?${name/./[.]}\$" <<<"$files"; then
            echo "<ropewalk/$header> includes <$name>"
            failed=1
        fi
    done
}

compile=("$@" -M -x c++ -)
for header in $headers; do
    check "$header" uv.h iostream regex
done
if [[ " $headers " == *' defer/deferred.hpp '* ]]; then
    check defer/deferred.hpp functional chrono memory
fi
exit $failed
