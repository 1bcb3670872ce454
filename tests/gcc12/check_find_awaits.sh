#!/usr/bin/env bash
# check_find_awaits.sh BUILD-FOLDER: find_awaits.sh finds every form of destroyed_twice.cpp, and none of those that work.
set -u
build=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bad=0

found=$("$here/find_awaits.sh" "$build" "$here/destroyed_twice.cpp")
status=$?
[ $status -eq 77 ] && exit 77
[ $status -eq 1 ] || { echo "find_awaits.sh ended with $status: $found"; exit 1; }
# The lines of the functions: each must have a finding between its own line and that of the next.
lines=$(sed -n 's/.*destroyed_twice.cpp:\([0-9]*\):.*/\1/p' <<<"$found" | sort -nu)
starts=$(grep -n '^Deferred<int> ' "$here/destroyed_twice.cpp" | cut -d: -f1)
for start in $starts; do
    end=$(awk -v s="$start" '$1 > s { print $1; exit }' <<<"$starts")
    awk -v s="$start" -v e="${end:-1000000}" '$1 > s && $1 < e { found = 1 } END { exit !found }' <<<"$lines" ||
        { echo "not found: $(sed -n "${start}p" "$here/destroyed_twice.cpp")"; bad=1; }
done

for source in conditions_test.cpp expressions_test.cpp declarations_test.cpp; do
    found=$("$here/find_awaits.sh" "$build" "$here/$source" | grep -v '^$')
    # Harmless, because there is no destructor; the query can't tell.
    found=$(grep -v 'declarations_test.cpp:[0-9]*:[0-9]*: initialised$' <<<"$found")
    [ -z "$found" ] || { echo "found, though it works: $found"; bad=1; }
done
exit $bad
