# First the clauses (NUMBER <tab> TEXT), then a test's name a line.
NR == FNR {
    if ($0 ~ /^#/ || $0 ~ /^[ \t]*$/) next
    tab = index($0, "\t")
    number = substr($0, 1, tab - 1)
    if (!tab || number !~ /^[0-9]+(\.[0-9]+)*$/) { print "contract.tsv:" FNR ": not NUMBER <tab> TEXT"; bad = 1; next }
    if (number in text) { print "contract.tsv:" FNR ": " number " again"; bad = 1; next }
    order[++clauses] = number
    text[number] = substr($0, tab + 1)
    next
}
match($0, /^[0-9]+(\.[0-9]+)*(, *[0-9]+(\.[0-9]+)*)*:/) {
    count = split(substr($0, 1, RLENGTH - 1), numbers, /, */)
    name = substr($0, RLENGTH + 1)
    sub(/^ +/, "", name)
    for (i = 1; i <= count; ++i) {
        if (numbers[i] in text) tests[numbers[i]] = tests[numbers[i]] "\n        " name
        else strays = strays "\n    " numbers[i] ": " name
    }
}
END {
    for (i = 1; i <= clauses; ++i) {
        number = order[i]
        if (!(number in tests)) { gaps = gaps "\n    " number "  " text[number]; ++missing }
        printf "%-6s %s%s\n", number, text[number], tests[number]
    }
    printf "\n%d clauses, %d of them without a test\n", clauses, missing
    if (gaps) print "Clauses without a test:" gaps
    if (strays) print "Tests of clauses that there are not:" strays
    exit (gaps || strays || bad || !clauses) ? 1 : 0
}
