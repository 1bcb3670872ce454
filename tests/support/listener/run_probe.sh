#!/bin/sh
# run_probe.sh PROBE: runs each of the probe's test cases alone, and all of them together. Those named "fails: …"
# must fail, and the others pass; the text of what was logged must be shown.
probe=$1
bad=0

complain() {
    echo "$*" >&2
    bad=1
}

names=$("$probe" --list-test-cases | grep -E '^(passes|fails): ')
[ "$(echo "$names" | wc -l)" -ge 13 ] || complain "the probe has lost test cases: $names"

while read -r name; do
    result=passes
    "$probe" --test-case="$(echo "$name" | tr ',' '?')" >/dev/null 2>&1 || result=fails
    case $name in
    "$result: "*) ;;
    *) complain "'$name' $result" ;;
    esac
done <<LIST
$names
LIST

output=$("$probe" 2>&1)
expected=$(echo "$names" | grep -c '^fails: ')
echo "$output" | grep -q "| $expected failed |" || complain "all together: not $expected failed:
$output"
for text in "lost value" "lost cancellation" "abandoned: poet" "lost in a thread" "not flushed" "lost in a subcase" \
    "beside a failed check"; do
    echo "$output" | grep -q "$text" || complain "all together: '$text' isn't shown"
done
"$probe" --test-case="passes*" 2>&1 >/dev/null | grep . && complain "a passing run wrote to standard error"

"$probe" --no-skip --test-case=late 2>&1 | grep -q "logged after the tests" ||
    complain "what came after the tests isn't shown"

exit $bad
