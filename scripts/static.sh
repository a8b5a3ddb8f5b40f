# The checks that run no test, for check.sh and test.sh, which source this file: one line for each that passes,
# everything that it wrote for one that does not. The names of those stand in failed_checks, a line each,
# by which the summary command counts them.
failed_checks=

check() { # check NAME COMMAND...
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok    $name"
	else
		printf '%s\nFAIL  %s\n' "$out" "$name"
		failed_checks+="$name"$'\n'
	fi
}

formatted() { ! find . -path ./.cache -prune -o -name '*.go' -exec gofmt -l {} + | grep .; }

# The tests of these tags run in `make test-brokers` only.
static_checks() {
	check gofmt formatted
	check "go vet" go vet -tags cluster,brokers ./...
	check staticcheck go tool staticcheck -tags cluster,brokers ./...
}

module_checks() {
	check "go mod download" go mod download
	check "go mod verify" go mod verify
	check "go mod tidy" go mod tidy -diff
}
