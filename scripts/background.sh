#!/usr/bin/env bash
# What runs beside the tests of `make test`, at the lowest priority. Everything runs even if something has failed.
set -u
cd "$(dirname "$0")/.."
status=0
scripts/vet-systems.sh || status=1
scripts/test-packaging.sh || { echo "FAIL  scripts/test-packaging.sh"; status=1; }
exit $status
