#!/usr/bin/env bash
# run.sh BUILD SECONDS: fuzzes all parsers at once for so long, from their seeds and what earlier runs found, which stays in
# BUILD/corpus. An input that fails is left there too, as NAME-crash-… or the like.
set -euo pipefail
build=$1 seconds=$2
seeds=$(dirname "${BASH_SOURCE[0]}")/seeds
names=(line netstring int_n)
pids=()
for name in "${names[@]}"; do
    mkdir -p "$build/corpus/$name"
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$build/corpus/$name-" "$build/corpus/$name" "$seeds/$name" >"$build/corpus/$name.log" 2>&1 &
    pids+=($!)
done
failed=0
for i in "${!names[@]}"; do
    if wait "${pids[i]}"; then
        echo "${names[i]}: $(grep -E '^Done ' "$build/corpus/${names[i]}.log")"
    else
        cat "$build/corpus/${names[i]}.log"
        echo "${names[i]}: failed"
        failed=1
    fi
done
exit $failed
