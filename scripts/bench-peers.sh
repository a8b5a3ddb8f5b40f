#!/usr/bin/env bash
# Measures this server beside others that send messages to browsers, after setting up those that can be had. The run takes
# nine minutes at most. With --publish it replaces the figures of docs/bench.md.
set -eu
cd "$(dirname "$0")/.."
scripts/setup-peers.sh
# One process has all clients. Go raises its own limit, but not that of other programs.
ulimit -Sn "$(ulimit -Hn)"
go build -o .cache/benchpeers ./internal/benchpeers
exec .cache/benchpeers "$@"
