#!/usr/bin/env bash
# Builds the program and the libraries for each system that the README names, at the lowest priority, and vets all of it,
# tests included, for one that is not this one. Of a system's second processor only the libraries are built: what differs by
# processor is in them. A line for each system that fails follows its errors.
set -u
cd "$(dirname "$0")/.."
program=(./cmd/... ./demo ./wsclient)
libraries=(./actor/... ./amqpx/... ./bridge/... ./redislink ./wsclient)
failed=0

# build TARGET PACKAGES...
build() {
	local target=$1
	shift
	# The tests need the processors more, hence nice. Several packages are compiled and not linked.
	GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 nice -n 19 go build "$@" || { echo "FAIL  build $target"; failed=1; }
}

vet() {
	GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 nice -n 19 go vet -tags cluster,brokers ./... || { echo "FAIL  vet $1"; failed=1; }
}

if [ $# -gt 0 ]; then # named on the command line: all of each
	for target in "$@"; do
		vet "$target"
		build "$target" ./...
	done
	exit $failed
fi
other=darwin/arm64
[ "$(go env GOHOSTOS)" != darwin ] || other=linux/arm64
vet $other
for target in linux/arm64 darwin/arm64 freebsd/amd64 windows/amd64; do build $target "${program[@]}"; done
for target in linux/amd64 darwin/amd64 freebsd/arm64; do build $target "${libraries[@]}"; done
exit $failed
