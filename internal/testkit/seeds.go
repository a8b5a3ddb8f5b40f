package testkit

import (
	"os"
	"strconv"
	"testing"
)

// SeedsVariable is the environment variable that sets how many seeds each property test runs.
const SeedsVariable = "CLU_WS_SEEDS"

// Seeds returns how many seeds a property test runs: those of a flag, or if that is 0 those of [SeedsVariable], or the
// fallback if that is not set either. It is called while a test runs: what a flag's default reads from the environment
// is unknown to the cache of go test.
func Seeds(t testing.TB, flag, fallback uint64) uint64 {
	t.Helper()
	text := os.Getenv(SeedsVariable)
	if flag > 0 {
		return flag
	}
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 { // a test that ran no seed would pass
		t.Fatalf("%s is %q; give it a whole number from 1 on, or leave it out", SeedsVariable, text)
	}
	return n
}
