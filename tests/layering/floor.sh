#!/usr/bin/env bash
# floor.sh FLOOR "ALLOWED…" "FORBIDDEN…" COMPILER FLAGS…: with the include paths of FLOOR's sources, the first header of
# each allowed floor compiles and no header of a forbidden one is found.
set -euo pipefail
floor=$1 allowed=$2 forbidden=$3
shift 3
compile=("$@" -fsyntax-only -x c++ -)
failed=0

# include HEADER: compiles a source of the floor that holds only this include.
include() { (cd "$floor" && LC_ALL=C "${compile[@]}" <<<"#include <ropewalk/$1>" 2>&1); }

for other in $allowed; do
    for header in "$other"/*.hpp; do
        if ! output=$(include "$header"); then
            printf '%s may include %s, but that does not compile:\n%s\n' "$floor" "$header" "$output"
            failed=1
        fi
        break
    done
done

for other in $forbidden; do
    for header in "$other"/*.hpp; do
        if output=$(include "$header"); then
            echo "$floor/ can include $header, and should not"
            failed=1
        elif ! grep -qE "$header.*(No such file|file not found)" <<<"$output"; then
            printf '%s/ finds %s:\n%s\n' "$floor" "$header" "$output"
            failed=1
        fi
    done
done
exit $failed
