#!/usr/bin/env bash
# Soaks a whole site for an hour, or for FOR: everything fails at random, and nothing may be lost. See soak/doc.go. SEED
# repeats the faults of another run. Ctrl-C ends it with its verdict. What goes to REPORT is JSON.
set -u
cd "$(dirname "$0")/.."
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
report=${REPORT:-$PWD/.cache/soak.json}
mkdir -p .cache
go test -c -o .cache/soak.test ./cmd/clu-ws || exit
trap : INT # it ends by itself, with its verdict
cd cmd/clu-ws || exit
echo "seed $seed, ${FOR:-1h}; the report goes to $report"
CI=true ../../.cache/soak.test -test.run='^TestSoak$' -test.timeout=0 -soak.for="${FOR:-1h}" -soak.seed="$seed" -soak.without="${WITHOUT:-}" -soak.report="$report"
