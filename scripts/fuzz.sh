#!/usr/bin/env bash
# Runs every fuzz target of the repository, one after the other: go test fuzzes one at a time. An input that finds new code
# is made smaller in 100 attempts, not in a minute as by default, which leaves no time for others.
set -u
cd "$(dirname "$0")/.."
ran=0 failed=0
while IFS=: read -r file name; do
	[ -n "$name" ] || continue
	echo "== $name in $(dirname "$file")"
	go test -run='^$' -fuzz="^$name\$" -fuzztime="${FUZZTIME:-20s}" -fuzzminimizetime=100x "$(dirname "$file")" </dev/null || failed=$((failed + 1))
	ran=$((ran + 1))
done < <(find . -path ./.cache -prune -o -name '*_test.go' -exec grep -Ho '^func Fuzz[A-Za-z0-9_]*' {} + | sed 's/:func /:/' | sort)
echo "$ran fuzz targets, $failed failed"
[ "$failed" = 0 ]
