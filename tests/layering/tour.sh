#!/usr/bin/env bash
# examples/tour.txt and the programs in examples/ name each other.
set -euo pipefail
diff <(sed -E 's/^[!&] //; /^[#>]/d; /^$/d; s/ .*//' examples/tour.txt | sort -u) \
    <(find examples -mindepth 2 -name '*.cpp' -exec basename {} .cpp \; | sort) || {
    echo "examples/tour.txt (<) and the programs in examples/ (>) differ"
    exit 1
}
