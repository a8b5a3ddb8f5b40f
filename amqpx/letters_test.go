package amqpx_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A policy that removes messages after a moment removes the dead letters too, while the link
// waits before it reads the next one.
func TestWhatAPolicyRemovesJustAfterAGapIsAnotherGap(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	setPolicy(t, url, `{"message-ttl":100}`)
	var h networkReader
	q := h.of(keptFor(time.Minute))
	deliver, stuck, goOn := q.Deliver, make(chan struct{}), make(chan struct{})
	q.Deliver = func(d *amqpx.Delivery) {
		deliver(d)
		if n, _ := strconv.Atoi(string(d.Body)); n%10 == 0 {
			stuck <- struct{}{}
			<-goOn
		}
	}
	const prefetch = 4
	w := run(t, amqpx.Config{URLs: []string{url}, Prefetch: prefetch, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	ch := client(t, url)
	for round := range 2 {
		publish(t, ch, numbers10(round, prefetch)...)
		receive(t, stuck)
		began := time.Now()
		publish(t, ch, 10*round+9) // there is no room for it
		for _, queue := range []string{"link_kept", "link_kept_dropped"} {
			testkit.Eventually(t, patience, "nothing is left in "+queue, func() error {
				found, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
				if err == nil && found.Messages > 0 {
					err = fmt.Errorf("there are %d", found.Messages)
				}
				return err
			})
		}
		goOn <- struct{}{}
		testkit.Eventually(t, patience, "the gap is told", func() error {
			gaps := h.gaps()
			if len(gaps) == 0 || gaps[len(gaps)-1].To.Before(began) {
				return fmt.Errorf("they are %v", gaps)
			}
			return nil
		})
	}
}

// numbers10 are the first numbers of the tens.
func numbers10(tens, count int) (all []int) {
	for n := range count {
		all = append(all, 10*tens+n)
	}
	return all
}
