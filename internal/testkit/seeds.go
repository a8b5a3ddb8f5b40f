package testkit

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
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

// Seeded registers the flags -seeds and -seed of a package's property tests, and returns the function that runs such a
// test: with a source of random numbers for each seed, of which there are fallback unless a flag or [SeedsVariable] says
// otherwise. stream distinguishes the tests of the package. A test that fails logs the command that repeats it, for
// which folder is the package's, such as ./bridge/hub.
func Seeded(folder string, fallback uint64) (forEach func(t *testing.T, stream uint64, test func(*testing.T, *rand.Rand))) {
	one := flag.Int64("seed", -1, "run only this seed")
	count := flag.Uint64("seeds", 0, fmt.Sprintf("how many seeds the property tests run; 0 is %s, or %d", SeedsVariable, fallback))
	return func(t *testing.T, stream uint64, test func(*testing.T, *rand.Rand)) {
		t.Helper()
		first, end := uint64(0), Seeds(t, *count, fallback)
		if *one >= 0 {
			first, end = uint64(*one), uint64(*one)+1
		}
		for seed := first; seed < end; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Cleanup(func() {
					if t.Failed() {
						name, _, _ := strings.Cut(t.Name(), "/")
						t.Logf("to repeat: go test %s -run '^%s$' -seed=%d", folder, name, seed)
					}
				})
				test(t, rand.New(rand.NewPCG(seed, stream)))
			})
		}
	}
}
