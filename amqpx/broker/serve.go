package broker

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Serve accepts clients from ln until the broker is closed, and then returns ErrClosed; any other
// error is the listener's. The listener is closed in either case. Several listeners may be served.
func (b *Broker) Serve(ln net.Listener) error {
	defer ln.Close()
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return ErrClosed
	}
	b.listeners[ln] = struct{}{}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()

	for failures := 0; ; {
		nc, err := ln.Accept()
		if err == nil {
			failures = 0
			b.welcome(nc)
			continue
		}
		failures++
		if errors.Is(err, net.ErrClosed) || failures > acceptPatience || !b.pause(acceptPause) {
			return b.forget(ln, err)
		}
		// Most likely there are no file descriptors left, which is temporary.
		b.log.Warn("failed to accept a connection; trying again", "reason", err)
	}
}

// A failed accept is retried after acceptPause, up to acceptPatience times in a row.
const (
	acceptPause    = 100 * time.Millisecond
	acceptPatience = 50
)

// pause waits, and reports whether the broker is still open.
func (b *Broker) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-b.closing:
		return false
	}
}

// welcome starts a connection, or closes it if the broker has no room for it.
func (b *Broker) welcome(nc net.Conn) {
	if err := b.start(nc); err != nil {
		b.log.Warn("connection refused", "remote", nc.RemoteAddr(), "reason", err)
		_ = nc.Close()
	}
}

// forget removes a listener and returns the reason for Serve to end.
func (b *Broker) forget(ln net.Listener, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listeners, ln)
	if b.closed {
		return ErrClosed
	}
	return fmt.Errorf("failed to accept: %w", err)
}

// Dial connects to the broker without a network. It has the signature of amqp091.Config.Dial;
// both arguments are ignored.
func (b *Broker) Dial(network, addr string) (net.Conn, error) {
	client, server := net.Pipe()
	if err := b.start(server); err != nil {
		_ = client.Close()
		_ = server.Close()
		return nil, fmt.Errorf("failed to dial the embedded broker: %w", err)
	}
	return client, nil
}

// start serves nc, and owns it from then on.
func (b *Broker) start(nc net.Conn) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if len(b.conns) >= b.cfg.MaxConnections {
		return fmt.Errorf("all %d connections are in use", b.cfg.MaxConnections)
	}
	c := newConn(b, nc)
	b.conns[c] = struct{}{}
	b.running.Go(c.run)
	return nil
}
