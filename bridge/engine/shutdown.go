package engine

import (
	"context"
	"time"
)

// cutTimeout is how long Shutdown waits for what it cut when its context had ended.
const cutTimeout = 250 * time.Millisecond

// StopListening closes the listeners. The connections stay, and requests that
// are being read or answered go on; new ones find nobody. [Engine.Shutdown] is
// still to be called. It waits for a turn of the loop that accepts, so it must not be
// called from a [Handler].
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

// Shutdown stops accepting, closes every connection with 1001 and the reason, and
// returns when all are gone and nothing of the engine runs any more. When the context
// ends before that, what is left is cut and the context's error is returned: of a
// Handler, Closed is still called for each connection.
//
// Shutdown keeps its context whatever happens. What then still runs a quarter of a
// second later is in a call that does not return: a loop in a method of the [Handler]
// or a callback of [Config], whose connections stay as they are and whose listening
// sockets may stay open until that call returns; then it ends by itself. The log says
// how many there are. Handlers of [Config].HTTP that hang have lost their connections,
// and are not waited for.
//
// It must not be called from a Handler, which would wait for itself. Every further call
// returns [ErrClosed] at once.
func (e *Engine) Shutdown(ctx context.Context, reason string) error {
	e.mu.Lock()
	already := e.stopped
	e.stopped = true
	e.mu.Unlock()
	if already {
		return ErrClosed
	}
	deaf := async(e.StopListening)
	soon, cancel := context.WithTimeout(ctx, cutTimeout) // the other loops' clients must not wait for a stuck one
	defer cancel()
	waitDone(soon, deaf)
	gone := e.drain(reason)
	err := e.handoff.shutdown(ctx)
	if !waitDone(ctx, gone) {
		err = ctx.Err()
	}
	for _, l := range e.loops {
		l.mail.post(l.stop)
	}
	close(e.stalls.ended)
	ended := async(func() {
		<-deaf
		e.goroutines.Wait()
		e.handoff.discard()
	})
	if waitDone(ctx, ended) {
		return err
	}
	cut, cancelCut := context.WithTimeout(context.WithoutCancel(ctx), cutTimeout)
	defer cancelCut()
	if waitDone(cut, ended) {
		return ctx.Err()
	}
	e.log.Error("the engine is shut down, but calls of its user do not return", "loops", e.countRunning(), "after", cutTimeout)
	return ctx.Err()
}

// abort cuts all connections, and leaves Shutdown nothing to wait for.
func (e *Engine) abort() {
	e.StopListening()
	for _, l := range e.loops {
		l.mail.post(l.stop)
	}
}

// async runs something, and returns a channel that is closed when it is done.
func async(do func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	return done
}

// waitDone waits until something is done, and reports whether it is before the context
// ends.
func waitDone(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
	case <-ctx.Done():
	}
	select {
	case <-done: // also if both are, just now
		return true
	default:
		return false
	}
}

// drain closes all connections politely. The channel is closed when they are gone, or
// their loops have been stopped after this.
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

// countRunning is how many loops have not ended although they were stopped.
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
