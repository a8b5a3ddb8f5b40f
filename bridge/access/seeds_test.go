package access

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

var (
	seed      = flag.Uint64("seed", 0, "run only this seed of property tests")
	seedCount = flag.Uint64("seeds", 0, "how many seeds property tests run; without it "+testkit.SeedsVariable+" says so")
)

// eachSeed runs a property test with one random source a seed.
func eachSeed(t *testing.T, fallback uint64, property func(t *testing.T, r *rand.Rand)) {
	first, end := uint64(0), testkit.Seeds(t, *seedCount, fallback)
	if *seed > 0 {
		first, end = *seed, *seed+1
	}
	for n := first; n < end && !t.Failed(); n++ {
		t.Run(fmt.Sprint("seed=", n), func(t *testing.T) { property(t, rand.New(rand.NewPCG(n, 0))) })
	}
	if t.Failed() {
		t.Logf("for one seed: go test ./bridge/access -run %s -seed=N", t.Name())
	}
}
