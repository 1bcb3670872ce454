#!/usr/bin/env bash
# lists.sh FLOOR LISTED…: every source and header in FLOOR/ is listed in its CMakeLists.txt.
set -euo pipefail
floor=$1
shift
listed=" $* "
failed=0
for file in "$floor"/*.[ch]pp; do
    name=$(basename "$file")
    if [[ $listed != *" $name "* ]]; then
        echo "$file is not listed in $floor/CMakeLists.txt"
        failed=1
    fi
done
exit $failed
