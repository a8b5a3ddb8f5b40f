#!/usr/bin/env bash
# Checks at the lowest priority, as the tests need the processors more, that the program, the libraries and all tests compile
# for each system that the README names. A system that is named, as GOOS/GOARCH, is built and vetted instead, which takes
# longer. A line for each system that fails follows its errors.
set -u
cd "$(dirname "$0")/.."
failed=0
if [ $# -eq 0 ]; then
	nice -n 19 go run ./internal/testkit/typecheck \
		linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 windows/amd64 || failed=1
	exit $failed
fi
export CGO_ENABLED=0
for target in "$@"; do
	export GOOS=${target%/*} GOARCH=${target#*/}
	nice -n 19 go vet -tags cluster,brokers ./... || { echo "FAIL  vet $target"; failed=1; }
	nice -n 19 go build ./... || { echo "FAIL  build $target"; failed=1; }
done
exit $failed
