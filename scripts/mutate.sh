#!/usr/bin/env bash
# Measures the tests of the packages in which a wrong operator is easily overlooked: gremlins changes one operator at a
# time, and a change with which all tests of the package pass has lived. For each package it prints what lived, and the
# efficacy: killed / (killed + lived). An hour for all of them; `scripts/mutate.sh ./bridge/filter` takes some.
set -eu
cd "$(dirname "$0")/.."
gremlins=github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
packages=("$@")
[ $# -gt 0 ] || packages=(./bridge/filter ./bridge/protocol ./bridge/snapshot ./internal/jsonscan ./bridge/rooms ./bridge/access ./bridge/hub)

# gremlins copies the module for each worker: what .cache holds would take gigabytes.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -c 2>/dev/null | tar -x -C "$copy"

# Property tests run few seeds, and a test that fails is the last one: each change is a run of all tests.
export CLU_WS_SEEDS="${CLU_WS_SEEDS:-5}" CLU_WS_TEST_GO_ONLY=true
GOFLAGS="$(go env GOFLAGS) -vet=off -failfast"
export GOFLAGS
for package in "${packages[@]}"; do
	echo "== $package"
	(cd "$copy" && go run "$gremlins" unleash --workers 2 --timeout-coefficient "${TIMEOUT_COEFFICIENT:-10}" --output-statuses l "$package")
done
