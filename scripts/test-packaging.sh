#!/usr/bin/env bash
# Tests how releases are made: a module of its own, so that the program needs none of its libraries. With "all", the
# files for Kubernetes and Compose, too, whose schemas are large. Makes no noise unless something fails.
set -eu
cd "$(dirname "$0")/../packaging"
packages=(./release)
[ "${1:-}" != all ] || packages=(./...)
# A copy of this machine, in which packages are installed, is root's. On CI that may be had.
exec=()
if [ "${CI:-}" = true ] && [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then
	exec=(-exec "sudo -n -E env PATH=$PATH")
fi
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt: $unformatted"; exit 1; }
nice -n 19 go mod tidy -diff
nice -n 19 go vet "${packages[@]}"
nice -n 19 go test -timeout 15m ${exec[@]+"${exec[@]}"} "${packages[@]}"
