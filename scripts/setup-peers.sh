#!/usr/bin/env bash
# Sets up, below .cache/peers, the servers that `make bench-peers` measures beside this one: NATS and Centrifugo are built
# from Go's module proxy, mosquitto and nchan unpacked (not installed) from Debian's packages, and uWebSockets with
# socketify from PyPI. It takes some minutes once, and then a moment. What cannot be had gets a line here, and is left out
# of the run.
set -u
cd "$(dirname "$0")/.."
nats=v2.15.3
centrifugo=v6.9.1
socketify=0.0.31
mkdir -p .cache/peers/bin
peers=$(cd .cache/peers && pwd -P)

# part NAME VERSIONS COMMAND...: runs the command unless it has succeeded for these versions, a line each, of which the
# report tells.
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
	python3 -m venv "$peers/uwebsockets" && "$peers/uwebsockets/bin/pip" install -q "socketify==$socketify"
}

# candidate PACKAGE NAME: the version of Debian's package that would be unpacked, without what Debian adds to it.
candidate() {
	apt-cache policy "$1" 2>/dev/null | sed -n "s/^ *Candidate: \([0-9]*:\)\?\([0-9.]*\).*/$2 \2/p"
}

part nats "NATS $nats" go_program "github.com/nats-io/nats-server/v2@$nats"
part debian "$(candidate mosquitto mosquitto; candidate libnginx-mod-nchan nchan; candidate nginx-light nginx)" debian_packages
part uwebsockets "socketify $socketify" uwebsockets
part centrifugo "Centrifugo $centrifugo" go_program "github.com/centrifugal/centrifugo/v6@$centrifugo"
