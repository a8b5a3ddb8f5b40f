package engine

import (
	"cmp"
	"context"
	"time"
)

// cutTimeout is how long Shutdown waits for the connections that it cut after its context
// ended.
const cutTimeout = 250 * time.Millisecond

// StopListening closes the listeners. Connections stay, and requests in progress continue;
// new clients are refused by the system. [Engine.Shutdown] must still be called.
// StopListening waits for a turn of the first loop, so it must not be called from a
// [Handler].
func (e *Engine) StopListening() {
	e.mu.Lock()
	e.notListening = true
	listeners := e.listeners
	e.listeners = nil
	e.mu.Unlock()
	e.acceptor.unlisten()
	for _, l := range listeners {
		l.Close()
	}
}

// Shutdown stops accepting, closes every connection with 1001 and the reason, and returns
// when all are gone and no goroutine of the engine runs any more. If the context ends
// first, the remaining connections are cut, with a call of Closed for each, and the
// context's error is returned.
//
// Shutdown never outlasts its context by more than a quarter of a second. After that, only
// calls that do not return are left: loops in a method of the [Handler] or a callback of
// [Config], and decisions that ignore their context. Their connections stay as they are, and listening sockets may stay open, until
// the call returns and the loop ends by itself; the log says how many there are. Handlers
// of [Config].HTTP that hang have lost their connections and are not waited for.
//
// Shutdown must not be called from a Handler, which would wait for itself. Further calls
// return [ErrClosed] at once.
func (e *Engine) Shutdown(ctx context.Context, reason string) error {
	e.mu.Lock()
	already := e.stopped
	e.stopped = true
	e.mu.Unlock()
	if already {
		return ErrClosed
	}
	wait := cmp.Or(e.cfg.cutTimeout, cutTimeout)
	deaf := async(e.StopListening)
	soon, cancel := context.WithTimeout(ctx, wait) // other loops' clients must not wait for a stuck one
	defer cancel()
	waitDone(soon, deaf)
	gone := e.drain(reason)
	e.decisions.stop()
	err := e.handoff.shutdown(ctx)
	if !waitDone(ctx, gone) {
		err = ctx.Err()
	}
	for _, l := range e.loops {
		l.mail.post(l.stop)
	}
	close(e.pauses.ended)
	ended := async(func() {
		<-deaf
		e.goroutines.Wait()
		e.handoff.discard()
	})
	if waitDone(ctx, ended) {
		return err
	}
	cut, cancelCut := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancelCut()
	if waitDone(cut, ended) {
		return ctx.Err()
	}
	e.log.Error("the engine is shut down, but calls of the Handler or a callback have not returned", "loops", e.countRunning(), "decisions", e.decisions.count(), "after", wait)
	return ctx.Err()
}

// abort cuts all connections, so that Shutdown has nothing to wait for.
func (e *Engine) abort() {
	e.decisions.stop()
	e.StopListening()
	for _, l := range e.loops {
		l.mail.post(l.stop)
	}
}

// async runs a function, and returns a channel that is closed when it is done.
func async(do func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	return done
}

// waitDone waits for done or for the end of the context, and reports whether it is done.
func waitDone(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
	case <-ctx.Done():
	}
	select {
	case <-done: // even if both are
		return true
	default:
		return false
	}
}

// drain closes all connections with a close frame. The channel is closed when they are gone
// or their loops have ended.
func (e *Engine) drain(reason string) <-chan struct{} {
	drained := make([]chan struct{}, len(e.loops))
	for i, l := range e.loops {
		drained[i] = make(chan struct{})
		l.mail.post(func() { l.closeAll(reason, func() { close(drained[i]) }) })
	}
	return async(func() {
		for i, l := range e.loops {
			select {
			case <-drained[i]:
			case <-l.ended:
			}
		}
	})
}

// countRunning returns the number of loops that have not ended although they were stopped.
func (e *Engine) countRunning() (n int) {
	for _, l := range e.loops {
		select {
		case <-l.ended:
		default:
			n++
		}
	}
	return n
}
