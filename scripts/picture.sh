#!/bin/sh
# Takes the README's picture, docs/page.png, from clu-ws demo: an actor whose cryostat warms, in the storm.
# Needs Go and Chromium.
set -eu
cd "$(dirname "$0")/.."
exec go run ./internal/picture --at 52s --view '#/actor/spectrograph' "$@" docs/page.png
