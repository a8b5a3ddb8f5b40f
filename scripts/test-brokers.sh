#!/usr/bin/env bash
# Runs the packages whose tests use RabbitMQ on the installed version, repeats those tests on the RabbitMQ of two other
# suites of Debian, and runs the tests that are too long for `make test`: those of clusters (tag cluster) on each of
# these versions, those of other brokers (tag brokers) once.
# The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.."

scripts/setup-test.sh || exit
packages=$(grep -rlE 'testkit\.(RabbitMQ|StartRabbitMQ|StartCluster)\(' --include='*_test.go' --exclude-dir='.?*' . | xargs dirname | sort -u)
go build -o .cache/summary ./internal/testkit/summary || exit
# shellcheck disable=SC2086
exec .cache/summary -again trixie,testing -each cluster -once brokers -- -timeout=40m $packages ./internal/testkit
