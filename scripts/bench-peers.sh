#!/usr/bin/env bash
# Measures this server beside others that send messages to browsers, after setting up those that can be had. The run takes
# nine minutes at most. With --dialects it measures the systems whose dialects this server speaks, which takes three. With
# --publish it replaces the figures of docs/bench.md.
set -eu
cd "$(dirname "$0")/.."
# What --dialects needs is set up as for the tests.
case " $* " in *" --dialects "*) ;; *) scripts/setup-peers.sh ;; esac
# One process has all clients. Go raises its own limit, but not that of other programs.
ulimit -Sn "$(ulimit -Hn)"
go build -o .cache/benchpeers ./internal/benchpeers
exec .cache/benchpeers "$@"
