#!/usr/bin/env bash
# The inner loop: the checks that run no test, and all tests that need nothing but Go, without the race detector.
# go test keeps the results of packages that have not changed. What was left out is told before the last line,
# which is "N passed, N failed, N skipped"; `make test` runs everything.
set -u
cd "$(dirname "$0")/.."
. scripts/static.sh

static_checks
go build -o .cache/summary ./internal/testkit/summary || exit
# Most tests wait for time to pass: more packages run at a time than there are processors, and what takes longest begins
# first.
CLU_WS_TEST_GO_ONLY=true FAILED_CHECKS=$failed_checks exec .cache/summary -- \
	-p=4 -parallel=4 -timeout=5m ./bridge/engine ./cmd/clu-ws ./bridge ./...
