#!/usr/bin/env bash
# Measures the console in Chromium: the truth of what it shows under load, frames while it is scrolled, CPU while it is
# idle, memory over ten minutes, and where its time goes. Half an hour on a machine with nothing else to do.
#
#     scripts/bench-page.sh                    # all of it
#     scripts/bench-page.sh PageUnderLoad      # what matches
#     CLU_WS_BENCH_MINUTES=2 scripts/bench-page.sh PagesMemory
set -eu
cd "$(dirname "$0")/.."

exec go test ./web-demo -run '^$' -bench "${1:-.}" -benchtime 1x -timeout 2h
