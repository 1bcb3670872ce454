#!/usr/bin/env bash
# check.sh BUILD-FOLDER: prints each clause of docs/contract.tsv with the tests that show it. A test shows the clauses
# whose numbers its name begins with ("37.1, 37.2: cancelling runs the canceller"), be it a test case or a test of
# ctest's own. Fails when a clause has no test, or when a test names a number that is no clause.
set -euo pipefail
build=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

{
    while read -r program; do
        "$program" --list-test-cases | sed '/^\[doctest\]/d; /^===/d'
    done <"$build/tests/programs.txt"
    ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p'
} | awk -f "$here/check.awk" "$here/../../docs/contract.tsv" -
