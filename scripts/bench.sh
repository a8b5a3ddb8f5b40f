#!/usr/bin/env bash
# Runs `clu-ws bench` with what is there for it: a throw-away RabbitMQ where RabbitMQ is installed,
# and CLU where `make test` has set it up. The table says what was left out for want of them.
set -u
cd "$(dirname "$0")/.."

args=(--json .cache/bench/latest.json)
clu=.cache/venv/bin/clu
[ -x "$clu" ] && args+=(--clu "$clu")

go build -o .cache/rabbitmq ./internal/testkit/rabbitmq || exit
# It lives until its standard input ends, which is at the latest when this script does.
coproc RABBITMQ { exec .cache/rabbitmq; }
read -r url <&"${RABBITMQ[0]}" && args+=(--rabbitmq-url "$url")

bin/clu-ws bench "${args[@]}" "$@"
