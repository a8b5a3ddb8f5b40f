package bridge

import (
	"fmt"

	"github.com/clu-ws/clu-ws/amqpx"
)

// Why a command finds no room.
var (
	errTooManyAwaited = full("The command was not sent: you wait for the ends of %d others already; wait for some of them, or send it in CLU's own form.", maxInflightClient)
	errTooManyOfAll   = full("The command was not sent: %d others are under way at this bridge, and no address has more of them than yours; wait for the end of some.", maxInflight)
	errTooManyCalls   = full("The command was not sent: the ends of %d others are waited for over HTTP, and no address waits for more than yours; try again later, or without wait.", maxCalls)
)

func full(format string, most int) *rejection {
	return &rejection{amqpx.Full.String(), fmt.Sprintf(format, most)}
}

// evicted is who waited for the end of a command that gave way; nobody as a rule.
type evicted struct {
	waiter endWaiter
	ending commandEnd
}

// makeRoom sees to it that there is room for another command of a client. Of its own
// commands the oldest whose end nobody waits for gives way; where all have too many,
// one of the address that has most: of clients that have left, else of who has most.
// mu is held.
func (f *inflight) makeRoom(from *client, w endWaiter) (evicted, error) {
	var has, awaited int
	one := f.callers[from]
	if one != nil {
		has, awaited = one.count, one.waits.count
	}
	if w == nil && has-awaited >= maxInflightClient {
		f.drop(one.rest.oldest)
		return evicted{}, nil
	}
	if w != nil && awaited >= maxInflightClient {
		return evicted{}, errTooManyAwaited
	}
	if _, ok := w.(*call); ok && len(f.calls) >= maxCalls {
		return f.makeCallRoom(sharer(from.remote))
	}
	if len(f.commands) < maxInflight {
		return evicted{}, nil
	}
	return f.makeRoomOfAll(one, sharer(from.remote))
}

// makeRoomOfAll makes room where all have too many. one is nil for a client without
// commands. mu is held.
func (f *inflight) makeRoomOfAll(one *caller, address string) (evicted, error) {
	from, has, others := f.largest[0], 0, 0
	if one != nil {
		has = one.count
	}
	if s := f.shares[address]; s != nil {
		others = s.count
	}
	if others+1 >= from.count && others > 0 {
		from = f.shares[address]
	}
	if from.left != nil {
		return f.evict(from.left.rest.oldest), nil
	}
	most := from.callers[0]
	if from.address == address && has+1 >= most.count {
		most = one
	}
	if most == nil {
		return evicted{}, errTooManyOfAll
	}
	c := most.rest.oldest
	if c == nil && most == one {
		return evicted{}, errTooManyOfAll
	}
	if c == nil {
		c = most.waits.oldest
	}
	return f.evict(c), nil
}

// makeCallRoom makes room for another command whose end is waited for over HTTP: one of
// the address with most of them gives way. mu is held.
func (f *inflight) makeCallRoom(address string) (evicted, error) {
	calls, most := map[*share]int{}, (*share)(nil)
	for c := range f.calls {
		s := c.share
		if calls[s]++; most == nil || calls[s] > calls[most] {
			most = s
		}
	}
	if calls[f.shares[address]]+1 >= calls[most] {
		return evicted{}, errTooManyCalls
	}
	var oldest *command
	for c := range f.calls {
		if c.share == most && (oldest == nil || c.began.Before(oldest.began)) {
			oldest = c
		}
	}
	return f.quitFor(oldest), nil
}

// evict forgets a command, and quitFor has nobody wait for its end any longer. They
// give who is to be told. mu is held.
func (f *inflight) evict(c *command) evicted {
	e := f.quitFor(c)
	f.drop(c)
	return e
}

func (f *inflight) quitFor(c *command) evicted {
	return evicted{f.quit(c), timeoutOf(c, f.now(), gaveWayWords)}
}
