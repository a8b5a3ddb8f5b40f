#!/usr/bin/env bash
# Runs `clu-ws bench` with a temporary RabbitMQ if RabbitMQ is installed, and with CLU if `make test` has set it up. The
# table says what was left out without them.
set -u
cd "$(dirname "$0")/.."

args=(--json .cache/bench/latest.json)
clu=.cache/venv/bin/clu
[ -x "$clu" ] && args+=(--clu "$clu")

go build -o .cache/rabbitmq ./internal/testkit/rabbitmq || exit
# It runs until its standard input ends, at the latest with this script.
coproc RABBITMQ { exec .cache/rabbitmq; }
read -r url <&"${RABBITMQ[0]}" && args+=(--rabbitmq-url "$url")

bin/clu-ws bench "${args[@]}" "$@"
