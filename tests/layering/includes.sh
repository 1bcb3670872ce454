#!/usr/bin/env bash
# The library's headers are included as <ropewalk/FLOOR/NAME.hpp>, by the library too: a floor quotes nothing, others
# quote only what stands in their own folder, and no include climbs out of its folder.
set -euo pipefail
include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
search() { grep -rnE --include='*.[ch]pp' --include='*.in' "$@"; }

failed=0
if search "${include}[\"<][^\">]*\.\." defer reactor task flow protocols tests examples benchmarks; then
    echo "these includes climb out of their folder"
    failed=1
fi
if search "${include}\"" defer reactor task flow protocols; then
    echo "these includes are quoted: write <ropewalk/FLOOR/NAME.hpp>"
    failed=1
fi
if search "${include}\"(ropewalk|defer|reactor|task|protocols)/" tests examples benchmarks; then
    echo "these includes quote a header of the library: write <ropewalk/FLOOR/NAME.hpp>"
    failed=1
fi
exit $failed
