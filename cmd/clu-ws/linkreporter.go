package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/eventlog"
)

// announceAfter is how long the announcement waits for the first attempt to link.
const announceAfter = 1500 * time.Millisecond

// linkReporter reports the state of the link to the broker: the first time by the
// announcement, which says that the bridge is up, whether linked or not, and later
// to the service manager.
type linkReporter struct {
	ctx      context.Context // ends when the bridge is to end
	manager  *listen.Manager
	failFast bool
	announce func(amqpx.State) // set before the bridge runs

	mu        sync.Mutex // guards the following field
	announced bool
}

// report reports a state of the link.
func (r *linkReporter) report(state amqpx.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reportLocked(state)
}

// reportPending makes the announcement if the first attempt has no result yet.
func (r *linkReporter) reportPending() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.announced {
		r.reportLocked(amqpx.State{Err: errors.New("no answer yet")})
	}
}

func (r *linkReporter) reportLocked(state amqpx.State) {
	switch {
	case r.ctx.Err() != nil:
		// The bridge is ending, which need not be announced.
	case r.announced:
		r.manager.Status(linkText(state))
	case r.failFast && !state.Up:
		// The link tries the next broker, or the program ends with the error.
	default:
		r.announced = true
		r.announce(state)
		r.manager.Ready(linkText(state))
	}
}

// announce prints one line that says where the bridge listens and how it is linked. With JSON it is a line of the log: a
// program that reads both outputs, as from the journal or a container, finds nothing but JSON.
func (s *service) announce(all []*listen.Listener, name string, state amqpx.State) {
	var at []string
	for _, ln := range all {
		at = append(at, ln.URLs())
	}
	if s.format == eventlog.JSON {
		addresses := strings.Split(strings.Join(at, " and "), " and ")
		s.log.Info("serving clients", "version", releaseVersion, "addresses", addresses, "name", name, "link", linkText(state), "exchange", s.bridge.Exchange)
		return
	}
	fmt.Fprintf(s.stdout, "clu-ws %s listens at %s as %s, %s, exchange %s\n",
		releaseVersion, strings.Join(at, ", "), name, linkText(state), s.bridge.Exchange)
}

// pageURL returns where a browser on this machine opens the page; "" if it reaches no listener directly.
func pageURL(all []*listen.Listener) string {
	for _, ln := range all {
		at, ok := ln.Addr().(*net.TCPAddr)
		if !ok || ln.Proxy {
			continue
		}
		scheme, host := "http://", at.String()
		if ln.TLS != nil {
			scheme = "https://"
		}
		if at.IP.IsUnspecified() {
			host = fmt.Sprintf("localhost:%d", at.Port)
		}
		return scheme + host
	}
	return ""
}

func linkText(state amqpx.State) string {
	if !state.Up {
		return fmt.Sprintf("NOT LINKED (%v), trying on", withAdvice(state.Err))
	}
	if state.QueueDown != "" {
		return fmt.Sprintf("linked to %s, which brings NO REPLIES (%s)", state.Broker, state.QueueDown)
	}
	return "linked to " + state.Broker
}

// exposed returns the addresses of listeners that other machines may reach.
func exposed(all []*listen.Listener) string {
	var open []string
	for _, ln := range all {
		if listen.BeyondLoopback(ln) {
			open = append(open, ln.Addr().String())
		}
	}
	return strings.Join(open, ", ")
}
