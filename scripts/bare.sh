#!/usr/bin/env bash
# The first minute of somebody who has just cloned the repository, in a system that has nothing else: an empty Debian with
# make and git, or busybox alone, and the Go of this machine. As a user who is not root, in a folder with a blank in its name,
# with empty caches, it runs `make run` until the page is served and values move, and then `go install` of the module by its
# version, from a module proxy made of this checkout. It prints how long each took.
#
#     scripts/bare.sh                     # debian12
#     scripts/bare.sh debian13 busybox    # these
#     scripts/bare.sh debian12 setup      # sets up `make test` in it as well and runs a package: many more minutes
#
# The tree busybox has neither glibc nor git and make, as a new Alpine; Alpine itself, and macOS, are not tried: `make run` there.
# Needs root and mmdebstrap, or for busybox apt-get and dpkg-deb; CLU_WS_PORT if 9876 is taken. The trees stay in .cache/bare.
set -euo pipefail
cd "$(dirname "$0")/.."
trees=$PWD/.cache/bare port=${CLU_WS_PORT:-9876}
module=$(go list -m) released=v0.0.0-bare
work="/home/ana/clu ws"

fail() { echo "FAIL  $*" >&2; exit 1; }

# make_tree NAME makes an empty system, if it is not there.
make_tree() {
	local tree=$trees/$1
	[ ! -e "$tree/made" ] || return 0
	rm -rf "$tree"
	mkdir -p "$trees"
	case $1 in
	debian12) mmdebstrap --quiet --variant=minbase --include=make,git,ca-certificates bookworm "$tree" ;;
	debian13) mmdebstrap --quiet --variant=minbase --include=make,git,ca-certificates trixie "$tree" ;;
	busybox)
		mkdir -p "$tree"/{bin,dev,etc/ssl/certs,proc,tmp,usr/bin,usr/local,home}
		touch "$tree"/dev/{null,zero,random,urandom}
		(cd "$tree/tmp" && apt-get download -qq -o APT::Sandbox::User=root busybox-static && dpkg-deb -x ./*.deb . &&
			cp "$(find . -type f -path '*bin/busybox')" ../bin/ && rm -rf -- *)
		ln -s ../../bin/busybox "$tree/usr/bin/env"
		chroot "$tree" /bin/busybox --install /bin
		;;
	*) fail "there is no tree $1: debian12, debian13 or busybox" ;;
	esac
	echo "ana:x:1000:1000::/home/ana:/bin/sh" >>"$tree/etc/passwd"
	mkdir -p "$tree/usr/local/go"
	chmod 1777 "$tree/tmp"
	touch "$tree/made"
}

# in_tree NAME USER COMMAND runs a command of sh in the tree. All that it starts ends with it.
in_tree() {
	# What is between the quotes is for the shell inside.
	# shellcheck disable=SC2016
	TREE=$trees/$1 OWNER=$2 COMMAND=$3 GOROOT=$(go env GOROOT) PROXY=$(go env GOPROXY) SUMS=$(go env GOSUMDB) PORT=$port \
		MODULE=$module exec unshare --mount --pid --fork bash -c '
		set -eu
		mount -t proc proc "$TREE/proc"
		for device in null zero random urandom; do mount --bind "/dev/$device" "$TREE/dev/$device"; done
		mount --bind -o ro "$GOROOT" "$TREE/usr/local/go"
		home=/home/ana
		[ "$OWNER" != 0 ] || home=/root
		exec chroot --userspec="$OWNER:$OWNER" "$TREE" /usr/bin/env -i HOME=$home PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			CLU_WS_PORT="$PORT" GOPROXY="file:///proxy,$PROXY" GOSUMDB="$SUMS" GONOSUMDB="$MODULE" /bin/sh -c "$COMMAND"'
}

# fill NAME puts the checkout, with its changes, and a proxy that has it as a release into the tree, and empties its caches.
fill() {
	local tree=$trees/$1
	rm -rf "$tree/home" "$tree/proxy"
	mkdir -p "$tree/home/ana"
	git clone -q --depth 1 "file://$PWD" "$tree$work"
	git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -c 2>/dev/null | tar -x -C "$tree$work"
	go run ./internal/modproxy "$tree/proxy" "$released"
	cp /etc/resolv.conf /etc/hosts "$tree/etc/"
	# This machine may reach the module proxy through one of its own, whose certificate only it knows.
	cp -L /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/"
	chown -R 1000:1000 "$tree/home/ana"
}

page() {
	(exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET / HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 && sed '1,/^\r$/d' <&3) 2>/dev/null
}

# until_moving PID PROGRAM waits until the page is there and a value has changed, or the process has ended.
until_moving() {
	local first='' now
	while kill -0 "$1" 2>/dev/null; do
		sleep 0.2
		[[ $(page) == *'<title>'* ]] || continue
		now=$("$2" get --url "ws://127.0.0.1:$port" weather.wind_speed_ms 2>/dev/null) || continue
		[ -n "$first" ] || first=$now
		[ "$now" = "$first" ] || return 0
	done
	return 1
}

# end ends what runs in a tree: its first process, with which all others end. unshare itself lets no signal end it.
running=
end() {
	[ -n "$running" ] || return 0
	# shellcheck disable=SC2046
	kill -KILL $(cat "/proc/$running"/task/*/children 2>/dev/null) 2>/dev/null || true
	wait "$running" 2>/dev/null || true
	running=
}
trap end EXIT

# ticks PID... prints the processor time of processes and what they started, ended or not, in hundredths of a second.
ticks() {
	local pid fields total=0
	for pid in "$@"; do
		fields=$(sed 's/.*) //' "/proc/$pid/stat") || continue
		# shellcheck disable=SC2086
		set -- $fields
		# shellcheck disable=SC2046
		total=$((total + ${12} + ${13} + ${14} + ${15} + $(ticks $(cat "/proc/$pid"/task/*/children))))
	done
	echo "$total"
}

# run_until_moving NAME LABEL COMMAND PROGRAM runs the command in the tree and prints how long it took to moving values.
run_until_moving() {
	local log=$trees/$1.log began=$EPOCHREALTIME pid
	(in_tree "$1" 1000 "$3") >"$log" 2>&1 </dev/null &
	pid=$! running=$!
	until_moving "$pid" "$trees/$1$4" || { cat "$log"; fail "$1: $2"; }
	awk -v what="$1: $2" -v a="$began" -v b="$EPOCHREALTIME" -v load="$(cut -d' ' -f1 /proc/loadavg)" -v cpu="$(ticks "$pid")" \
		'BEGIN { printf "ok    %s: values move after %.1f s, %.1f s of processor time (load %s)\n", what, b - a, cpu / 100, load }'
	page >"$trees/$1.page"
	end
}

first_minute() {
	local tree=$1 run="make run" before
	[ "$tree" != busybox ] || run=$(make -n run) # there is no make, so what it would run
	fill "$tree"
	! page >/dev/null || fail "port $port is in use; choose another one with CLU_WS_PORT"
	run_until_moving "$tree" "make run" "cd '$work' && $run" "$work/bin/clu-ws"
	before=$(cksum <"$trees/$tree.page")
	run_until_moving "$tree" "go install $module/cmd/clu-ws@$released" \
		"go install $module/cmd/clu-ws@$released && ~/go/bin/clu-ws --version && exec ~/go/bin/clu-ws demo" /home/ana/go/bin/clu-ws
	grep -q "$released" "$trees/$tree.log" || { cat "$trees/$tree.log"; fail "$tree: clu-ws --version does not name $released"; }
	[ "$(cksum <"$trees/$tree.page")" = "$before" ] || fail "$tree: the installed program serves another page"
	echo "ok    $tree: both serve the same page"
}

setup=no names=()
for name in "$@"; do
	if [ "$name" = setup ]; then setup=yes; else names+=("$name"); fi
done
[ ${#names[@]} -gt 0 ] || names=(debian12)
[ "$(id -u)" = 0 ] || fail "an empty system is made by root; run it with sudo"
for name in "${names[@]}"; do
	make_tree "$name"
	first_minute "$name"
	[ "$setup" = no ] || (in_tree "$name" 0 "cd '$work' && CI=true scripts/setup-test.sh && CI=true go test ./internal/testkit") || fail "$name: setup"
done
