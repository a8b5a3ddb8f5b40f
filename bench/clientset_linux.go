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

// clientSet is the clients of one target. Its fields belong to the loop's thread.
type clientSet struct {
	loop     *clientLoop
	dial     dialer
	requests [][]byte // which clients send in turn
	clients  []*client
	subset   func(i int) subset // the replies for the i-th client; nil is every reply
	checker  checker
	dialect  *dialect // what clients say until they are subscribed; nil is nothing
	steps    [][]step // of the dialect, which clients take in turn; nil is none
	current  *client  // whose bytes the checker handles

	toConnect int // clients to connect
	inFlight  int // clients being connected
	open      int // clients that are connected
	ended     map[string]int

	replacements *clientSet // gets a client for each lost one; nil is none
	lateJoiners  bool       // its clients connect while replies are published
	retries      int        // failed connections that are tried again

	readers sync.WaitGroup // of TLS clients

	connected chan struct{} // closed when all are connected, or one failed
	refused   string        // the error of the first that failed

	end      uint64        // the number after the last one expected
	pending  int           // reading clients that do not have it
	lost     int           // those of them that are disconnected
	finished chan struct{} // closed when no connected client is pending
	at       int64         // when the last client was connected, or had everything
}

// receiveResult is what the clients received of the expected replies.
type receiveResult struct {
	At         int64          // when the last client had its last reply, on the loop's clock
	Incomplete int            // clients that did not get everything in time
	Clients    int            // all clients
	Faults     faultCounts    //
	Ended      map[string]int // connections that the server ended, by reason
	Replies    int            // received by all clients together
	Bytes      int
	Latency    []int64 // of each reply on each client, in nanoseconds, if requested
}

// err returns what was wrong, if anything.
func (a *receiveResult) err() error {
	var wrong []string
	if a.Incomplete > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d clients miss replies", a.Incomplete, a.Clients))
	}
	if a.Faults != (faultCounts{}) {
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

// describeDisconnects describes the connections that the server ended.
func describeDisconnects(ended map[string]int) string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(ended)) {
		parts = append(parts, fmt.Sprintf("%d %s", ended[why], why))
	}
	return "clients that the server disconnected: " + strings.Join(parts, ", ")
}

func newClientSet(l *clientLoop, dial dialer) *clientSet {
	set := &clientSet{loop: l, dial: dial, requests: dial.requests(), ended: map[string]int{}}
	set.checker.control = func(op ws.OpCode, payload []byte) { set.current.control(op, payload) }
	return set
}

// expect announces the next numbers to the clients. With sent, which gets the time of each reply, latencies are recorded.
func (set *clientSet) expect(first uint64, count int, sent []atomic.Int64) {
	set.loop.call(func() {
		k := &set.checker
		k.faults, k.replies, k.bytes = faultCounts{}, 0, 0
		k.sent, k.first, k.latency, k.lastArrival = sent, first, nil, nil
		if sent != nil {
			k.latency = make([]int64, 0, count*len(set.clients))
		}
		if set.lateJoiners {
			k.minNumber = first // a client may have connected too late for any of the earlier ones
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

// recordLast records when the last client gets each of the expected replies.
func (set *clientSet) recordLast() {
	set.loop.call(func() { set.checker.lastArrival = make([]int64, set.end-set.checker.first) })
}

// dropDisconnected removes the clients that are disconnected.
func (set *clientSet) dropDisconnected() {
	set.loop.call(func() {
		set.clients = slices.DeleteFunc(set.clients, func(c *client) bool { return c.state == stateGone })
		clear(set.ended)
	})
}

// setSubsets sets the replies for each client.
func (set *clientSet) setSubsets(share func(i int) subset) {
	set.loop.call(func() { set.subset = share })
}

// addPending counts a client as pending.
func (set *clientSet) addPending(c *client) {
	set.pending++
	if c.state == stateGone {
		set.lost++
	}
}

// checkFinished closes finished if no connected client is pending.
func (set *clientSet) checkFinished() {
	if set.finished != nil && set.pending == set.lost {
		set.at = set.loop.clock()
		close(set.finished)
		set.finished = nil
	}
}

// progress is called after a client has read.
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

// finishedChan returns a channel that is closed when no connected client is pending.
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

// pauseReading stops the first n clients from reading.
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

// resumeReading has all clients read again. Those that were paused are then expected to have everything too.
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

// disconnect closes all connections.
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
