#!/bin/sh
# Takes the README's picture, docs/page.png, from clu-ws demo: a minute after dusk, in the storm.
# Needs Go and Chromium.
set -eu
cd "$(dirname "$0")/.."
exec go run ./internal/picture "$@" docs/page.png
