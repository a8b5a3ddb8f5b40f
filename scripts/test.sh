#!/usr/bin/env bash
# All checks and all tests. Everything runs even if something has failed, so that one run tells all.
# The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.."
failed=0 failed_checks=

check() { # check NAME COMMAND...: one line if it passes, everything if it does not
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok    $name"
	else
		printf '%s\nFAIL  %s\n' "$out" "$name"
		failed=1 failed_checks+=" $name"
	fi
}

formatted() { ! find . -path ./.cache -prune -o -name '*.go' -exec gofmt -l {} + | grep .; }

scripts/setup-test.sh || failed=1
check modules go mod download
check gofmt formatted
check "go vet" go vet ./...
check staticcheck go tool staticcheck ./...

race=-race
if [ "$(go env CGO_ENABLED)" != 1 ]; then
	race= # no C compiler; setup-test.sh has told so
fi
# Broker, browser and Python start and stop in these tests: a package takes minutes, most of them outages that must last as long as they do.
go build -o .cache/summary ./internal/testkit/summary &&
	FAILED_CHECKS=$failed_checks .cache/summary $race -shuffle=on -timeout=12m ./... || failed=1
exit $failed
