#!/usr/bin/env bash
# prometheus.sh DIR: unpacks Debian's Prometheus, with promtool, into the empty folder DIR. Nothing is installed, and
# none of what the package depends on for its pages is fetched.
set -euo pipefail
cd "$1"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
download() { apt-get -qq -o APT::Sandbox::User=root download prometheus; }
download 2>/dev/null || { as_root apt-get update -qq >/dev/null; download; }
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool
rm prometheus_*.deb
./promtool --version >version 2>&1
