#!/usr/bin/env bash
# Builds everything for each system that the README names and vets it, tests included, for one processor of each system,
# at the lowest priority. A line for each system that fails follows its errors.
set -u
cd "$(dirname "$0")/.."
targets=${*:-linux/arm64 linux/amd64 darwin/arm64 darwin/amd64 freebsd/amd64 freebsd/arm64 windows/amd64}
failed=0
vetted=" $(go env GOHOSTOS) " # by the checks before the tests
[ $# = 0 ] || vetted=" "      # named on the command line: vet every one
for target in $targets; do
	export GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0
	# The tests need the processors more, hence nice. Several packages are compiled and not linked.
	if [[ $vetted != *" $GOOS "* ]]; then
		nice -n 19 go vet -tags cluster,brokers ./... || { echo "FAIL  vet $target"; failed=1; }
		vetted+="$GOOS "
	fi
	nice -n 19 go build ./... || { echo "FAIL  build $target"; failed=1; }
done
exit $failed
