#!/usr/bin/env bash
# Builds another version of clu-ws, a tag or any commit, and runs the units under a systemd of its own with RabbitMQ:
# the service is upgraded from that version to this one and goes back, while replies flow. No connection may be refused,
# and clients that resume must have every reply once. It needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$version" ] || ! commit=$(git rev-parse --verify --quiet "$version^{commit}"); then
	echo "there is no version '$version'; write scripts/test-upgrade.sh TAG-OR-COMMIT" >&2
	exit 2
fi
dir=.cache/upgrade/$commit
if [ ! -x "$dir/clu-ws" ]; then
	mkdir -p "$dir/source"
	git archive "$commit" | tar -x -C "$dir/source"
	(cd "$dir/source" && go build -o ../clu-ws ./cmd/clu-ws)
	rm -r "$dir/source"
fi
CLU_WS_TEST_PREVIOUS=$PWD/$dir/clu-ws go test ./cmd/clu-ws -count=1 -v -run '^TestAnUpgradeRefusesNobodyAndLosesNothing$'
