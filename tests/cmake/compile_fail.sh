#!/usr/bin/env bash
# compile_fail.sh SOURCE MESSAGE COMPILER FLAGS…: passes when SOURCE does not compile and the compiler says MESSAGE.
set -u
source=$1 message=$2
shift 2
if output=$(LC_ALL=C "$@" -fsyntax-only "$source" 2>&1); then
    echo "$source compiles, and should not"
    exit 1
fi
if ! grep -qF -- "$message" <<<"$output"; then
    printf '%s\n' "$source fails to compile, but not with the words: $message" "The compiler says:" "$output"
    exit 1
fi
