package amqpx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// broken plays a queue of numbered messages whose link breaks again and again. The
// broker sends up to the prefetch ahead; acknowledgements get lost at the end of a
// session, and so does what was sent and not received.
func broken(r *rand.Rand, count, prefetch int, message func(int) amqp.Delivery) (handed []int) {
	rep := newRedelivered(prefetch)
	settled, sentBefore := 0, 0 // what the broker knows as acknowledged, and has sent in any session
	for settled < count {
		rep.begin()
		sent := min(count, settled+r.IntN(prefetch+1))
		received := settled + r.IntN(sent-settled+1)
		ackedHere := settled
		for n := settled; n < received; n++ {
			d := message(n)
			d.Redelivered = n < sentBefore
			if !rep.seen(&d) {
				handed = append(handed, n)
			}
			if r.IntN(3) == 0 {
				rep.acknowledged()
				ackedHere = n + 1
			}
		}
		sentBefore = max(sentBefore, sent)
		if r.IntN(2) == 0 { // some of the acknowledgements arrive
			settled += r.IntN(ackedHere - settled + 1)
		}
	}
	return handed
}

func TestWhatComesAgainIsLeftOutExactly(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		handed := broken(r, 200, 1+r.IntN(20), func(n int) amqp.Delivery {
			return amqp.Delivery{MessageId: fmt.Sprint(n), Body: []byte("same")}
		})
		for i, n := range handed {
			if n != i {
				t.Fatalf("seed %d: %d was handed over as number %d", seed, n, i)
			}
		}
		if len(handed) != 200 {
			t.Fatalf("seed %d: %d of 200 were handed over", seed, len(handed))
		}
	}
}

func TestOfMessagesThatEqualEachOtherNoneIsLost(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		handed := broken(r, 200, 1+r.IntN(20), func(int) amqp.Delivery { return amqp.Delivery{Body: []byte("same")} })
		slices.Sort(handed)
		if len(slices.Compact(handed)) != 200 {
			t.Fatalf("seed %d: %d of 200 were handed over", seed, len(slices.Compact(handed)))
		}
	}
}
