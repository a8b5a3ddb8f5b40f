#!/usr/bin/env bash
# Sets up, below .cache/peers, the servers that `make bench-peers` measures beside this one: NATS and Centrifugo are built
# from Go's module proxy, mosquitto and nchan unpacked (not installed) from Debian's packages, and uWebSockets with
# socketify from PyPI. It takes some minutes once, and then a moment. What cannot be had gets a line here, and is left out
# of the run.
set -u
cd "$(dirname "$0")/.."
nats=github.com/nats-io/nats-server/v2@v2.15.3
centrifugo=github.com/centrifugal/centrifugo/v6@v6.9.1
socketify=socketify==0.0.31
mkdir -p .cache/peers/bin
peers=$(cd .cache/peers && pwd -P)

# part NAME VERSION COMMAND...: runs the command unless it has succeeded for this version.
part() {
	local name=$1 version=$2 out
	shift 2
	[ "$(cat "$peers/$name.version" 2>/dev/null)" = "$version" ] && return
	echo "setting up $name"
	if out=$("$@" 2>&1); then
		echo "$version" >"$peers/$name.version"
	else
		echo "MISSING $name: $(tail -n 1 <<<"$out")"
	fi
}

# Outside the module, for its go.mod is not that of what is built; nothing of it is linked with this program.
go_program() { cd "$peers" && GOBIN=$peers/bin GOFLAGS= go install "$1"; }

debian_packages() {
	local dir=$peers/debian
	command -v apt-get >/dev/null || { echo "needs Debian's apt-get"; return 1; }
	rm -rf "$dir" && mkdir -p "$dir"
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download mosquitto libmosquitto1 libcjson1 libdlt2 libnginx-mod-nchan) || return
	for package in "$dir"/*.deb; do dpkg-deb -x "$package" "$dir" || return; done
	rm "$dir"/*.deb
}

uwebsockets() {
	rm -rf "$peers/uwebsockets"
	python3 -m venv "$peers/uwebsockets" && "$peers/uwebsockets/bin/pip" install -q "$socketify"
}

part nats "$nats" go_program "$nats"
part debian "$(apt-cache policy mosquitto libnginx-mod-nchan 2>/dev/null | grep Candidate | tr -d '\n ')" debian_packages
part uwebsockets "$socketify" uwebsockets
part centrifugo "$centrifugo" go_program "$centrifugo"
