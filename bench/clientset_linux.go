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

// clientSet is the clients of one target. Its fields belong to the swarm's thread.
type clientSet struct {
	loop     *clientLoop
	dial     dialer
	requests [][]byte // which the clients send in turn
	clients  []*client
	subset   func(i int) subset // which replies are for the i-th client; nil is every one
	checker  checker
	current  *client // whose bytes the checker has

	toConnect int // clients that are yet to be connected
	inFlight  int // clients that are being connected
	open      int // clients that are connected
	ended     map[string]int

	replacements *clientSet // gets a client for each that is lost; nil is none
	lateJoiners  bool       // its clients connect while replies come
	retries      int        // so many connections may fail and are made again

	readers sync.WaitGroup // of TLS clients

	connected chan struct{} // closed when all are connected, or one failed
	refused   string        // why the first failed

	end      uint64        // the number behind the last one expected
	pending  int           // clients that read and do not have it
	lost     int           // of them, those that never will
	finished chan struct{} // closed when nobody is left to wait for
	at       int64         // when the last client was connected, or had everything
}

// receiveResult is what became of the replies that were expected.
type receiveResult struct {
	At         int64          // when the last client had its last reply, on the swarm's clock
	Incomplete int            // clients that did not get everything in time
	Clients    int            // of so many
	Faults     Faults         //
	Ended      map[string]int // connections that the server ended, by reason
	Replies    int            // that came, in all
	Bytes      int
	Latency    []int64 // of each reply on each client, in nanoseconds, if it was asked for
}

// err says what was wrong, if anything was.
func (a *receiveResult) err() error {
	var wrong []string
	if a.Incomplete > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d clients are behind", a.Incomplete, a.Clients))
	}
	if a.Faults != (Faults{}) {
		wrong = append(wrong, a.Faults.String())
	}
	if len(a.Ended) > 0 {
		wrong = append(wrong, describeDisconnects(a.Ended))
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// describeDisconnects tells which connections were ended by the server, and why.
func describeDisconnects(ended map[string]int) string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(ended)) {
		parts = append(parts, fmt.Sprintf("%d %s", ended[why], why))
	}
	return "clients that the server ended: " + strings.Join(parts, ", ")
}

func newClientSet(s *clientLoop, dial dialer) *clientSet {
	set := &clientSet{loop: s, dial: dial, requests: dial.requests(), ended: map[string]int{}}
	set.checker.control = func(op ws.OpCode, payload []byte) { set.current.control(op, payload) }
	return set
}

// expect tells the clients which numbers come next. With sent, where the time
// of each is noted, latencies are taken.
func (set *clientSet) expect(first uint64, count int, sent []atomic.Int64) {
	set.loop.call(func() {
		k := &set.checker
		k.faults, k.replies, k.bytes = Faults{}, 0, 0
		k.sent, k.first, k.latency, k.lastArrival = sent, first, nil, nil
		if sent != nil {
			k.latency = make([]int64, 0, count*len(set.clients))
		}
		if set.lateJoiners {
			k.minNumber = first // nobody knows which of the replies before a client was in time for
		}
		set.end, set.pending, set.lost = first+uint64(count), 0, 0
		set.finished = make(chan struct{})
		for i, c := range set.clients {
			if set.subset != nil {
				c.subset = set.subset(i)
			}
			c.next, c.until, c.gaps, c.done = c.subset.countBelow(first), c.subset.countBelow(set.end), nil, false
			if c.done = c.next == c.until; !c.paused && !c.done {
				set.addPending(c)
			}
		}
		set.checkFinished()
	})
}

// recordLast has the time noted when the last client gets each of the replies that are
// expected.
func (set *clientSet) recordLast() {
	set.loop.call(func() { set.checker.lastArrival = make([]int64, set.end-set.checker.first) })
}

// dropDisconnected leaves out the clients that have gone.
func (set *clientSet) dropDisconnected() {
	set.loop.call(func() {
		set.clients = slices.DeleteFunc(set.clients, func(c *client) bool { return c.state == stateGone })
		clear(set.ended)
	})
}

// setSubsets says from now on which replies are for which client.
func (set *clientSet) setSubsets(share func(i int) subset) {
	set.loop.call(func() { set.subset = share })
}

// addPending counts a client among those to wait for.
func (set *clientSet) addPending(c *client) {
	set.pending++
	if c.state == stateGone {
		set.lost++
	}
}

// checkFinished ends the waiting when there is nobody to wait for.
func (set *clientSet) checkFinished() {
	if set.finished != nil && set.pending == set.lost {
		set.at = set.loop.clock()
		close(set.finished)
		set.finished = nil
	}
}

// progress is called when a client has read.
func (set *clientSet) progress(c *client) {
	if c.done || set.end == 0 || c.next < c.until {
		return
	}
	c.done = true
	if !c.paused {
		set.pending--
		set.checkFinished()
	}
}

// await waits until every client has everything, or the time is over.
func (set *clientSet) await(ctx context.Context, patience time.Duration) (*receiveResult, error) {
	finished := set.finishedChan()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var a *receiveResult
	set.loop.call(func() {
		k := &set.checker
		a = &receiveResult{At: set.at, Incomplete: set.pending, Clients: len(set.clients), Faults: k.faults, Ended: maps.Clone(set.ended),
			Replies: k.replies, Bytes: k.bytes, Latency: k.latency}
		k.sent, k.latency = nil, nil
	})
	return a, nil
}

// finishedChan is closed when there is nobody to wait for.
func (set *clientSet) finishedChan() <-chan struct{} {
	var finished chan struct{}
	set.loop.call(func() {
		if finished = set.finished; finished == nil {
			finished = make(chan struct{})
			close(finished)
		}
	})
	return finished
}

// pauseReading makes the first n clients stop reading.
func (set *clientSet) pauseReading(n int) {
	set.loop.call(func() {
		for _, c := range set.clients[:n] {
			if c.state == stateOpen {
				c.paused = true
				set.loop.unregister(c.fd)
			}
		}
	})
}

// resumeReading makes all clients read again. Those that did not are expected to
// have everything in the end too.
func (set *clientSet) resumeReading() {
	set.loop.call(func() {
		set.finished = make(chan struct{})
		for _, c := range set.clients {
			if !c.paused {
				continue
			}
			c.paused = false
			set.addPending(c)
			if err := set.loop.register(c.fd, clientEvents); err != nil {
				c.fail(err.Error())
			}
		}
		set.checkFinished()
	})
}

// disconnect ends all connections.
func (set *clientSet) disconnect() {
	set.loop.call(func() {
		set.toConnect = 0
		for _, c := range set.clients {
			c.disconnect()
		}
		set.clients, set.open = nil, 0
	})
	set.readers.Wait()
}
