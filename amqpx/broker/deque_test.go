package broker

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDequeIsASliceWhateverIsDoneToIt(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w deque[int]
		var want []int
		for step := range 500 {
			n := len(want)
			switch op := r.IntN(10); {
			case op < 4 || n == 0:
				w.push(step)
				want = append(want, step)
			case op < 7:
				if got := w.pop(); got != want[0] {
					t.Fatalf("popped %d, want %d", got, want[0])
				}
				want = want[1:]
			case op < 8:
				lo := r.IntN(n)
				hi := lo + 1 + r.IntN(n-lo)
				w.remove(lo, hi)
				want = slices.Delete(slices.Clone(want), lo, hi)
			default:
				at := r.IntN(n + 1)
				w.insert(at, step)
				want = slices.Insert(slices.Clone(want), at, step)
			}
			if w.len() != len(want) || !slices.Equal(w.live(), want) {
				t.Fatalf("seed %d, step %d: got %v, want %v", seed, step, w.live(), want)
			}
		}
	}
}
