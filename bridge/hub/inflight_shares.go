package hub

import (
	"cmp"
	"fmt"

	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// Errors of commands for which there is no room.
var (
	errTooManyAwaited = full("The command was not sent: you already wait for %d others to end; let some of them end, or send it in CLU's own form.", maxInflightClient)
	errTooManyInAll   = full("The command was not sent: %d others are in flight at this bridge, and no address has more of them than yours; let some of them end.", maxInflight)
	errTooManyHTTP    = full("The command was not sent: %d others are awaited over HTTP, and no address awaits more than yours; try again later, or without wait.", maxHTTP)
)

func full(format string, most int) *protocol.Rejection {
	return &protocol.Rejection{Code: protocol.CodeFull, Message: fmt.Sprintf(format, most)}
}

// evicted is the waiter of an evicted command, if it had one, and the end to report to it.
type evicted struct {
	http   bool // it was awaited over HTTP
	waiter Waiter
	ending CommandEnd
}

// makeRoom makes room for another command of a client. At the client's own bound its oldest
// command without a waiter is dropped. At the bound for all, a command of the address with the
// most is evicted: one of a client that has disconnected, else one of its client with the
// most. mu is held.
func (f *Inflight) makeRoom(from Client, w Waiter, http bool) (evicted, error) {
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
	if http && len(f.http) >= maxHTTP {
		return f.makeHTTPRoom(quota.Address(from.Remote()))
	}
	if len(f.commands) < maxInflight {
		return evicted{}, nil
	}
	return f.makeTotalRoom(one, quota.Address(from.Remote()))
}

// makeTotalRoom makes room at the bound for all. one is nil for a client without
// commands. mu is held.
func (f *Inflight) makeTotalRoom(one *caller, address string) (evicted, error) {
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
		return evicted{}, errTooManyInAll
	}
	c := most.rest.oldest
	if c == nil && most == one {
		return evicted{}, errTooManyInAll
	}
	if c == nil {
		c = most.waits.oldest
	}
	return f.evict(c), nil
}

// makeHTTPRoom makes room for another command awaited over HTTP: the oldest one of the address
// with the most is evicted. mu is held.
func (f *Inflight) makeHTTPRoom(address string) (evicted, error) {
	counts, most := map[*share]int{}, 0
	for c := range f.http {
		counts[c.share]++
		most = max(most, counts[c.share])
	}
	if counts[f.shares[address]]+1 >= most {
		return evicted{}, errTooManyHTTP
	}
	var oldest *Command
	for c := range f.http {
		if counts[c.share] == most && (oldest == nil || c.olderThan(oldest)) {
			oldest = c
		}
	}
	return f.detachEvicted(oldest), nil
}

// olderThan orders commands by their age, and those of the same moment by their keys.
func (c *Command) olderThan(o *Command) bool {
	return cmp.Or(c.began.Compare(o.began), cmp.Compare(c.ID, o.ID), cmp.Compare(c.Consumer, o.Consumer)) < 0
}

// evict drops a command, and detachEvicted removes only its waiter. They return the waiter,
// which must be told the end. mu is held.
func (f *Inflight) evict(c *Command) evicted {
	e := f.detachEvicted(c)
	f.drop(c)
	return e
}

func (f *Inflight) detachEvicted(c *Command) evicted {
	_, http := f.http[c]
	return evicted{http, f.detach(c), timeoutOf(c, f.now(), evictedMessage)}
}
