package amqpx

import (
	"context"
	"net"
	"os"
	"sync"
	"time"
)

// Each target of a round has a dialer, a goroutine that connects to it. The round takes one
// connection at a time from the dialers.

// dialResult is the outcome of one TCP connection.
type dialResult struct {
	target int
	conn   net.Conn
	err    error
}

// release lets the first upTo targets be tried.
func (r *round) release(upTo int) {
	r.releasing.Lock()
	defer r.releasing.Unlock()
	for ; r.released < min(upTo, len(r.start)); r.released++ {
		close(r.start[r.released])
	}
}

// dialTarget connects to a target again and again until one of the connections is used.
func (r *round) dialTarget(ctx context.Context, i int) {
	select {
	case <-r.start[i]:
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		// A connection that takes long does not hold up the next target.
		next := time.AfterFunc(r.patience(i), func() { r.release(i + 2) })
		conn, err := r.link.dialTarget(ctx, r.targets[i], len(r.targets))
		next.Stop()
		select {
		case r.results <- dialResult{i, conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.Close()
			}
			return
		}
		if err == nil {
			select {
			case <-r.retry[i]:
			case <-ctx.Done():
				return
			}
		}
		r.release(i + 2)
		if len(r.targets) == 1 {
			return // the next round begins as soon
		}
		wait(ctx, lastPause/2+r.link.cfg.Jitter(lastPause/2))
	}
}

// patience returns how long a target may take before the next one is tried in parallel.
func (r *round) patience(i int) time.Duration {
	if i+1 < len(r.targets) && r.targets[i].url == r.targets[i+1].url {
		return nextAddressAfter
	}
	return nextURLAfter
}

// connect makes a session with the current target. A target that says nothing gives way to
// another one that accepts a connection.
func (r *round) connect(ctx context.Context) (*session, error) {
	at := r.link.current
	defer r.link.current.discard()
	if len(r.targets) == 1 {
		return r.link.connect(ctx, at.url)
	}
	attempt, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var watching sync.WaitGroup
	connected, yielded := make(chan struct{}), false
	watching.Go(func() {
		yielded = r.otherAccepts(connected, at.conn)
		if yielded {
			giveUp()
		}
	})
	s, err := r.link.connect(attempt, at.url)
	close(connected)
	watching.Wait()
	if !yielded {
		return s, err
	}
	if s != nil {
		s.close()
		s.noteClaims()
		s.noteRemovals()
	}
	return nil, &handshakeError{err: os.ErrDeadlineExceeded, socket: os.ErrDeadlineExceeded}
}

// otherAccepts reports whether the connection was silent for too long while another target
// accepted one.
func (r *round) otherAccepts(connected <-chan struct{}, conn *heardConn) bool {
	wait := yieldAfter
	if _, silent := r.memory.unresponsive[r.targets[r.handshaking].key()]; silent {
		wait = yieldAgainAfter
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-connected:
		return false
	case <-patience.C:
	}
	if conn.heard.Load() {
		return false
	}
	r.release(len(r.targets))
	for {
		select {
		case <-connected:
			return false
		case got := <-r.results:
			r.surplus = append(r.surplus, got)
			if got.err == nil && !conn.heard.Load() {
				return true
			}
		}
	}
}

// advance lets the next target be tried after a failed handshake, and with retry the same one
// again.
func (r *round) advance(retry bool) {
	r.release(r.handshaking + 2)
	if retry {
		r.retry[r.handshaking] <- struct{}{}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
