package problem

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The property tests draw everything from a seed: -seeds is how many seeds they run, and -seed
// repeats a single one. CONTRIBUTING.md has the commands.
var (
	oneSeed   = flag.Int64("seed", -1, "run only this seed")
	seedCount = flag.Uint64("seeds", 0, "how many seeds the property tests run; 0 is CLU_WS_SEEDS, or 20")
)

// forEachSeed runs a property test with a source of random numbers for each seed. stream
// distinguishes the tests. A test that fails logs the command that repeats it.
func forEachSeed(t *testing.T, stream uint64, test func(t *testing.T, random *rand.Rand)) {
	t.Helper()
	first, end := uint64(0), testkit.Seeds(t, *seedCount, 20)
	if *oneSeed >= 0 {
		first, end = uint64(*oneSeed), uint64(*oneSeed)+1
	}
	for seed := first; seed < end; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					name, _, _ := strings.Cut(t.Name(), "/")
					t.Logf("to repeat: go test ./bridge/problem -run '^%s$' -seed=%d", name, seed)
				}
			})
			test(t, rand.New(rand.NewPCG(seed, stream)))
		})
	}
}
