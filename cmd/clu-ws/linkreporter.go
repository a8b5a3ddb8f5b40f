package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// announceAfter is how long the line that says where the bridge listens waits to
// tell the result of the first try to link.
const announceAfter = 1500 * time.Millisecond

// linkReporter tells of the link to the broker: with the first word about it the
// bridge is there, whether linked or not.
type linkReporter struct {
	ctx      context.Context
	manager  *listen.Manager
	failFast bool
	announce func(amqpx.State) // set before the bridge runs

	mu   sync.Mutex // guards the following field
	announced bool
}

// report tells of a state of the link.
func (t *linkReporter) report(state amqpx.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reportLocked(state)
}

// reportPending tells that there is no word, unless there was one.
func (t *linkReporter) reportPending() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.announced {
		t.reportLocked(amqpx.State{Err: errors.New("no answer yet")})
	}
}

// reportLocked is of, with mu held.
func (t *linkReporter) reportLocked(state amqpx.State) {
	switch {
	case t.ctx.Err() != nil:
		// The bridge ends.
	case t.announced:
		t.manager.Status(linkText(state))
	case t.failFast && !state.Up:
		// It tries the next broker, or ends.
	default:
		t.announced = true
		t.announce(state)
		t.manager.Ready(linkText(state))
	}
}

// announce says on one line where the bridge listens and to what it is linked.
func (s *service) announce(listeners []*listen.Listener, name string, state amqpx.State) {
	var at []string
	for _, ln := range listeners {
		at = append(at, ln.URLs())
	}
	fmt.Fprintf(s.stdout, "clu-ws %s listens at %s as %s, %s, exchange %s\n",
		releaseVersion, strings.Join(at, ", "), name, linkText(state), s.bridge.Exchange)
}

func linkText(state amqpx.State) string {
	if !state.Up {
		return fmt.Sprintf("NOT LINKED (%v), trying on", state.Err)
	}
	if state.QueueDown != "" {
		return fmt.Sprintf("linked to %s, which brings NO REPLIES (%s)", state.Broker, state.QueueDown)
	}
	return "linked to " + state.Broker
}

// warnIfOpen names the listeners that other machines may reach.
func (s *service) warnIfOpen(listeners []*listen.Listener) {
	var open []string
	for _, ln := range listeners {
		if listen.BeyondLoopback(ln) {
			open = append(open, ln.Addr().String())
		}
	}
	if len(open) > 0 {
		s.log.Warn("commands are open to everyone who can reach this address; use --host 127.0.0.1 behind a proxy, or a firewall", "address", strings.Join(open, ", "))
		if len(s.bridge.Origins) == 0 {
			s.log.Warn("every web page in a browser that can reach this address may send commands; list the pages that may with --origin", "address", strings.Join(open, ", "))
		}
	}
}
