#!/usr/bin/env bash
# Makes a release in dist/, and then tries it: the tests of packaging/, a second build from a clone in another folder,
# which must give the same bytes, and the checks of Debian and of rpm where they are installed. With RELEASE=1 it fails
# unless the commit has the tag of its version.
set -eu
cd "$(dirname "$0")/.."
flags=()
[ "${RELEASE:-}" != 1 ] || flags=(-release)
(cd packaging && go run ./release ${flags[@]+"${flags[@]}"})
(cd dist && sha256sum --check --quiet SHA256SUMS)

scripts/test-packaging.sh all
for tool in "lintian --fail-on error,warning" "rpm --checksig"; do
	if command -v "${tool%% *}" >/dev/null; then
		# shellcheck disable=SC2086
		case $tool in lintian*) $tool dist/*.deb ;; *) $tool dist/*.rpm ;; esac
	else
		echo "not checked with ${tool%% *}, which is not installed"
	fi
done

if [ -n "$(git status --porcelain)" ]; then
	echo "not built again to compare: there are changes that are not committed"
else
	again=$(mktemp -d)
	trap 'rm -rf "$again"' EXIT
	git clone --quiet . "$again/clu-ws"
	git -C "$again/clu-ws" checkout --quiet "$(git rev-parse HEAD)"
	(cd "$again/clu-ws/packaging" && go run ./release >/dev/null)
	diff dist/SHA256SUMS "$again/clu-ws/dist/SHA256SUMS"
	echo "a second build gave the same bytes"
fi
ls -l dist
