#!/bin/sh
# Says what lacks to build the program, and how to mend it, before go says it in its own words. Says nothing if all is there.
set -u
cd "$(dirname "$0")/.." || exit
needed=$(awk '$1 == "go" { print $2 }' go.mod)

fail() {
	echo "$*" >&2
	exit 1
}

if ! command -v go >/dev/null 2>&1; then
	for go in /usr/local/go/bin /opt/homebrew/bin /usr/lib/go/bin /snap/bin "${HOME:-}/go/bin"; do
		[ ! -x "$go/go" ] || fail "Go is in $go, which is not on the PATH. Run: export PATH=\$PATH:$go"
	done
	fail "Go is not installed, or not on the PATH: install Go $needed or newer from https://go.dev/dl"
fi
# Outside of the module, and without a download of the version that go.mod asks for.
go_env() { (cd / && GOTOOLCHAIN=local go env "$1" 2>/dev/null); }

running=$(go_env GOVERSION)
running=${running#go}
case $running in devel*) running=$needed ;; esac # its developers know what they do
older() { # older THAN: whether go has an earlier version, by the first two numbers
	echo "${running:-1.0} $1" | awk '{ split($1, a, "[.a-z]"); split($2, b, "."); exit !(a[1]*1000 + a[2] < b[1]*1000 + b[2]) }'
}
if older 1.21; then # knows nothing of toolchains, and no third number in go.mod
	fail "This is Go ${running:-of before 1.16}; Go $needed or newer is needed: install it from https://go.dev/dl"
fi
if older "$needed" && [ "$(cd / && go env GOTOOLCHAIN)" = local ]; then
	fail "This is Go $running, which may not fetch a newer one (GOTOOLCHAIN=local); Go $needed or newer is needed. Install it from https://go.dev/dl, or run: export GOTOOLCHAIN=auto"
fi
for variable in GOCACHE GOMODCACHE; do
	folder=$(go_env "$variable")
	case $folder in
	/*) ! mkdir -p "$folder" 2>/dev/null || [ ! -w "$folder" ] || continue ;; # "off" without HOME
	esac
	fail "Go cannot write to $variable, which is ${folder:-empty}. Choose another folder: export $variable=\"$PWD/.cache/$variable\""
done
