#!/usr/bin/env bash
# All checks and all tests; what the link, the actor and the bridge do with RabbitMQ on the installed version
# and on the newest 4.x. Everything runs even if something has failed, so that one run shows every failure.
# The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.."
. scripts/static.sh

scripts/setup-test.sh || failed_checks+=$'setup\n'
module_checks
static_checks

# What runs in a bridge runs with the race detector; it makes tests two to five times as slow. The command line is a
# caller of these packages, and the simulation runs one goroutine at a time, so both run without it. Without a C
# compiler, which setup-test.sh has reported, there is none.
raced=$(go list ./actor/... ./amqpx/... ./bridge/... ./demo ./internal/asynclog ./internal/gctuner ./redislink | grep -v /simulation$)
race=(-at-a-time 4 -race "${raced//$'\n'/,}")
[ "$(go env CGO_ENABLED)" = 1 ] || race=()
again=(-again newest -in amqpx,actor,bridge)
[ -z "${CLU_WS_TEST_RABBITMQ:-}" ] || again=() # it names the version to run on
# Brokers, browsers and Python start and stop in these tests: a package takes minutes, many of them outages that must
# last as long as they do. So more tests run at a time than there are processors, and what takes longest begins first.
# With more packages at a time nothing ends earlier, and tests miss deadlines.
# static_checks has vetted all packages.
order="./web-demo ./amqpx ./bridge ./cmd/clu-ws ./... ./bridge/engine ./bench ./internal/testkit ./clients/python ./actor"
go build -o .cache/summary ./internal/testkit/summary || exit
FAILED_CHECKS=$failed_checks exec .cache/summary -background scripts/background.sh \
	${race[@]+"${race[@]}"} ${again[@]+"${again[@]}"} -- -vet=off -shuffle=on -parallel=2 -timeout=18m $order
