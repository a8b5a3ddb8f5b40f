#!/usr/bin/env bash
# All checks and all tests; what the link, the actor and the bridge do with RabbitMQ on the installed version
# and on the newest 4.x. Everything runs even if something has failed, so that one run tells all.
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
# The tests of these tags run in `make test-brokers` only.
check "go vet" go vet -tags cluster,brokers ./...
check staticcheck go tool staticcheck -tags cluster,brokers ./...

race=-race
if [ "$(go env CGO_ENABLED)" != 1 ]; then
	race= # no C compiler; setup-test.sh has told so
fi
again=(-again newest -in amqpx,actor,bridge)
[ -z "${CLU_WS_TEST_RABBITMQ:-}" ] || again=() # it names the version to run on
# Broker, browser and Python start and stop in these tests: a package takes minutes, most of them outages that must
# last as long as they do. So more tests run at a time than there are processors, and what takes longest begins first.
order="./amqpx ./bridge ./cmd/clu-ws ./bridge/engine"
go build -o .cache/summary ./internal/testkit/summary &&
	FAILED_CHECKS=$failed_checks .cache/summary -beside scripts/vet-systems.sh ${again[@]+"${again[@]}"} -- \
		$race -shuffle=on -parallel=2 -timeout=18m $order ./... || failed=1
exit $failed
