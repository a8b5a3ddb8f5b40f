#!/usr/bin/env bash
# Builds the program and vets everything, tests included, for each system that the README names, at the lowest priority.
# A line for each system that fails follows its errors.
set -u
cd "$(dirname "$0")/.."
targets=${*:-linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 freebsd/amd64 freebsd/arm64 windows/amd64}
failed=0
for target in $targets; do
	export GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0
	# One package at a time: the tests need the other processors.
	if ! nice -n 19 go vet -p 1 -tags cluster,brokers ./... || ! nice -n 19 go build -p 1 -o /dev/null ./cmd/clu-ws; then
		echo "FAIL  $target"
		failed=1
	fi
done
exit $failed
