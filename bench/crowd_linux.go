package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// crowd is the clients of one target. Its fields belong to the swarm's thread.
type crowd struct {
	swarm    *swarm
	dial     dialer
	requests [][]byte // which the clients send in turn
	clients  []*client
	share    func(i int) share // which replies are for the i-th client; nil is every one
	checker  checker
	current  *client // whose bytes the checker has

	wanted   int // clients that are yet to be connected
	inFlight int // clients that are being connected
	open     int // clients that are connected
	ended    map[string]int

	successor *crowd // gets a client for each that is lost; nil is none
	late      bool   // its clients connect while replies come
	retries   int    // so many connections may fail and are made again

	readers sync.WaitGroup // of TLS clients

	connected chan struct{} // closed when all are connected, or one failed
	refused   string        // why the first failed

	end      uint64        // the number behind the last one expected
	behind   int           // clients that read and do not have it
	gone     int           // of them, those that never will
	finished chan struct{} // closed when nobody is left to wait for
	at       int64         // when the last client was connected, or had everything
}

// arrival is what became of the replies that were expected.
type arrival struct {
	At      int64          // when the last client had its last reply, on the swarm's clock
	Behind  int            // clients that did not get everything in time
	Clients int            // of so many
	Faults  Faults         //
	Ended   map[string]int // connections that the server ended, by reason
	Replies int            // that came, in all
	Bytes   int
	Latency []int64 // of each reply on each client, in nanoseconds, if it was asked for
}

// err says what was wrong, if anything was.
func (a *arrival) err() error {
	var wrong []string
	if a.Behind > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d clients are behind", a.Behind, a.Clients))
	}
	if a.Faults != (Faults{}) {
		wrong = append(wrong, a.Faults.String())
	}
	if len(a.Ended) > 0 {
		wrong = append(wrong, describeEnds(a.Ended))
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// describeEnds tells which connections were ended by the server, and why.
func describeEnds(ended map[string]int) string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(ended)) {
		parts = append(parts, fmt.Sprintf("%d %s", ended[why], why))
	}
	return "clients that the server ended: " + strings.Join(parts, ", ")
}

func newCrowd(s *swarm, dial dialer) *crowd {
	cr := &crowd{swarm: s, dial: dial, requests: dial.requests(), ended: map[string]int{}}
	cr.checker.control = func(op ws.OpCode, payload []byte) { cr.current.control(op, payload) }
	return cr
}

// expect tells the clients which numbers come next. With sent, where the time
// of each is noted, latencies are taken.
func (cr *crowd) expect(first uint64, count int, sent []atomic.Int64) {
	cr.swarm.call(func() {
		k := &cr.checker
		k.faults, k.replies, k.bytes = Faults{}, 0, 0
		k.sent, k.first, k.latency, k.last = sent, first, nil, nil
		if sent != nil {
			k.latency = make([]int64, 0, count*len(cr.clients))
		}
		if cr.late {
			k.from = first // nobody knows which of the replies before a client was in time for
		}
		cr.end, cr.behind, cr.gone = first+uint64(count), 0, 0
		cr.finished = make(chan struct{})
		for i, c := range cr.clients {
			if cr.share != nil {
				c.share = cr.share(i)
			}
			c.next, c.until, c.gaps, c.done = c.share.below(first), c.share.below(cr.end), nil, false
			if c.done = c.next == c.until; !c.deaf && !c.done {
				cr.waitFor(c)
			}
		}
		cr.check()
	})
}

// timeLast has the time noted when the last client gets each of the replies that are
// expected.
func (cr *crowd) timeLast() {
	cr.swarm.call(func() { cr.checker.last = make([]int64, cr.end-cr.checker.first) })
}

// forget leaves out the clients that have gone.
func (cr *crowd) forget() {
	cr.swarm.call(func() {
		cr.clients = slices.DeleteFunc(cr.clients, func(c *client) bool { return c.state == stateGone })
		clear(cr.ended)
	})
}

// divide says from now on which replies are for which client.
func (cr *crowd) divide(share func(i int) share) { cr.swarm.call(func() { cr.share = share }) }

// waitFor counts a client among those to wait for.
func (cr *crowd) waitFor(c *client) {
	cr.behind++
	if c.state == stateGone {
		cr.gone++
	}
}

// check ends the waiting when there is nobody to wait for.
func (cr *crowd) check() {
	if cr.finished != nil && cr.behind == cr.gone {
		cr.at = cr.swarm.clock()
		close(cr.finished)
		cr.finished = nil
	}
}

// progress is called when a client has read.
func (cr *crowd) progress(c *client) {
	if c.done || cr.end == 0 || c.next < c.until {
		return
	}
	c.done = true
	if !c.deaf {
		cr.behind--
		cr.check()
	}
}

// await waits until every client has everything, or the time is over.
func (cr *crowd) await(ctx context.Context, patience time.Duration) (*arrival, error) {
	finished := cr.waiting()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var a *arrival
	cr.swarm.call(func() {
		k := &cr.checker
		a = &arrival{At: cr.at, Behind: cr.behind, Clients: len(cr.clients), Faults: k.faults, Ended: maps.Clone(cr.ended),
			Replies: k.replies, Bytes: k.bytes, Latency: k.latency}
		k.sent, k.latency = nil, nil
	})
	return a, nil
}

// waiting is closed when there is nobody to wait for.
func (cr *crowd) waiting() <-chan struct{} {
	var finished chan struct{}
	cr.swarm.call(func() {
		if finished = cr.finished; finished == nil {
			finished = make(chan struct{})
			close(finished)
		}
	})
	return finished
}

// deafen makes the first n clients stop reading.
func (cr *crowd) deafen(n int) {
	cr.swarm.call(func() {
		for _, c := range cr.clients[:n] {
			if c.state == stateOpen {
				c.deaf = true
				cr.swarm.unwatch(c.fd)
			}
		}
	})
}

// undeafen makes all clients read again. Those that did not are expected to
// have everything in the end too.
func (cr *crowd) undeafen() {
	cr.swarm.call(func() {
		cr.finished = make(chan struct{})
		for _, c := range cr.clients {
			if !c.deaf {
				continue
			}
			c.deaf = false
			cr.waitFor(c)
			if err := cr.swarm.watch(c.fd, clientEvents); err != nil {
				c.end(err.Error())
			}
		}
		cr.check()
	})
}

// hangUp ends all connections.
func (cr *crowd) hangUp() {
	cr.swarm.call(func() {
		cr.wanted = 0
		for _, c := range cr.clients {
			c.hangUp()
		}
		cr.clients, cr.open = nil, 0
	})
	cr.readers.Wait()
}
