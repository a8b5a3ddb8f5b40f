#!/usr/bin/env bash
# Sets up what `make test` needs in addition to Go: RabbitMQ, Redis, Chromium, nginx, HAProxy, Caddy, Apache, systemd, Python, node, tmux,
# zsh, fish, mandoc and a C compiler from Debian's packages, then CLU, pytest, the Python client's wheels, baseplate, Jararaca,
# SocketShark, High-templar, FastAPI, Django, wscat, axe-core, TypeScript, Vite, React, Vue, Deno, Bun, Autobahn, Prometheus and a
# RabbitMQ 4 below .cache. If
# everything is there, it takes a moment.
# It prints a line for each component that it cannot set up, which fails the run on CI only.
set -u
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null 2>&1; }

have_rabbitmq() {
	local dir
	for dir in /usr/lib/rabbitmq/bin /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin /opt/rabbitmq/sbin; do
		[ -x "$dir/rabbitmq-server" ] && return
	done
	return 1
}

have_chromium() {
	have chromium || have chromium-browser || have google-chrome || have google-chrome-stable ||
		[ -d /Applications/Chromium.app ] || [ -d "/Applications/Google Chrome.app" ]
}

have_nginx() { have nginx || [ -x /usr/sbin/nginx ] || [ -x /usr/local/sbin/nginx ]; }

# Debian has the programs where only root's PATH leads. Apache's needs its modules, which are there only.
have_haproxy() { have haproxy || [ -x /usr/sbin/haproxy ]; }
have_apache() { [ -x /usr/sbin/apache2 ] && [ -d /usr/lib/apache2/modules ]; }

have_venv() { [ -f .cache/venv/stamp ] || python3 -c 'import venv, ensurepip' >/dev/null 2>&1; }

# missing_packages prints the names of the missing packages in Debian or, with "brew", in Homebrew.
missing_packages() {
	have_rabbitmq || { [ "${1:-}" = brew ] && echo rabbitmq || echo rabbitmq-server; }
	have redis-server || { [ "${1:-}" = brew ] && echo redis || echo redis-server; }
	have_chromium || echo chromium
	have_nginx || { [ "${1:-}" = brew ] && echo nginx || echo nginx-light; }
	have promtool || { [ "${1:-}" = brew ] && echo prometheus; } # elsewhere it is unpacked below .cache
	have_haproxy || echo haproxy
	have caddy || echo caddy
	have_apache || { [ "${1:-}" = brew ] || echo apache2-bin; }
	have_venv || { [ "${1:-}" = brew ] && echo python || echo python3 python3-venv; }
	have node || { [ "${1:-}" = brew ] && echo node || echo nodejs; }
	have npm || { [ "${1:-}" = brew ] || echo npm; }
	[ "$(uname)" != Linux ] || { [ -x /lib/systemd/systemd ] && have systemctl; } || echo systemd # not started: for the tests of the units
	for shell in tmux zsh fish mandoc; do have "$shell" || echo "$shell"; done
	have "$(go env CC | cut -d' ' -f1)" || { [ "${1:-}" = brew ] || echo gcc libc6-dev; } # for the race detector
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

policy=/usr/sbin/policy-rc.d # Debian asks it before it starts a service

# install_packages installs without starting any service: the tests start a RabbitMQ of their own. A policy about
# services that the machine has is kept.
install_packages() {
	local log ok=0
	log=$(mktemp)
	if [ ! -e "$policy" ]; then
		trap 'as_root rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
	fi
	echo "installing $*"
	# A package source that does not answer is no reason to give up: the others may suffice.
	as_root apt-get update -qq >"$log" 2>&1 </dev/null || true
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null || ok=1
	[ "$ok" = 0 ] || tail -n 5 "$log"
	rm -f "$log"
	return "$ok"
}

packages=$(missing_packages)
if [ -n "$packages" ] && have apt-get && as_root true 2>/dev/null; then
	# One by one after a failure: a package that this Debian lacks must not keep the others out.
	# shellcheck disable=SC2086
	install_packages $packages || for package in $packages; do install_packages "$package"; done
	hash -r
	packages=$(missing_packages)
fi
status=0
if [ -n "$packages" ]; then
	if [ "$(uname)" = Darwin ]; then
		echo "MISSING: run: brew install" $(missing_packages brew)
	else
		echo "MISSING: install these packages:" $packages
	fi
	status=1
fi
cached=$(go run ./internal/testkit/setup)
[ -z "$cached" ] || { echo "$cached"; status=1; }
[ "$status" = 0 ] || [ "${CI:-}" != true ]
