package simulation

import (
	"flag"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "run this seed alone, and print its trace")
	firstSeed = flag.Uint64("from", 1, "the first seed")
	seeds     = flag.Uint64("seeds", 0, "how many seeds to run; 0 is CLU_WS_SEEDS, or 150")
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestTheBridgeKeepsItsPromisesUnderRandomFaults(t *testing.T) {
	// See [testkit.Bubble].
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	// The collector would change the schedule of the goroutines.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	if *oneSeed > 0 {
		simulate(t, *oneSeed, os.Stderr)
		return
	}
	var seen coverage
	count := testkit.Seeds(t, *seeds, 150)
	for seed := *firstSeed; seed < *firstSeed+count && !t.Failed(); seed++ {
		seen.add(simulate(t, seed, nil))
	}
	t.Log(seen)
	if count >= 100 && !t.Failed() {
		seen.check(t)
	}
}

// simulate runs one seed.
func simulate(t *testing.T, seed uint64, logs io.Writer) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed, logs)
		w.run(t.Context())
		w.check()
		broken := w.broken()
		if logs != nil || len(broken) > 0 {
			t.Log("seed ", seed, "\n", w.traceText())
		}
		for _, why := range broken {
			t.Errorf("seed %d: %s", seed, why)
		}
	})
	return w
}
