#!/usr/bin/env bash
# run_forms.sh PROGRAM works|told: runs each form of the program alone. They must all work, or must all end with the
# message about GCC 12's wrong frames.
set -u
program=$1 expected=$2
bad=0 count=0
while read -r form; do
    ((++count))
    # The inner shell keeps to itself what bash says of a program that aborts.
    output=$(bash -c 'ulimit -c 0; "$0" "$1"; exit $?' "$program" "$form" 2>&1)
    status=$?
    if [ "$expected" = works ]; then
        [ $status -eq 0 ] && continue
    else
        [ $status -eq 134 ] && grep -q "wrong_frames.cpp:[0-9]*: the compiler laid out the frame of the coroutine $form wrongly" <<<"$output" &&
            grep -q "Name the result first: if (auto ok = co_await f())" <<<"$output" && continue
    fi
    echo "$form: $expected expected, but it ended with $status: $output"
    bad=1
done < <("$program" --list)
echo "$count forms"
[ $count -gt 0 ] && exit $bad
exit 1
