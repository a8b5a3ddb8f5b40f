package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// brokerProxy relays connections between a bridge and its broker. Until allow is
// called, it refuses them.
type brokerProxy struct {
	ln   net.Listener
	to   url.URL
	done sync.WaitGroup

	mu      sync.Mutex // guards the following fields
	allowed bool
	conns   []net.Conn
}

func newBrokerProxy(t *testing.T, broker string) *brokerProxy {
	t.Helper()
	to, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &brokerProxy{ln: ln, to: *to}
	g.done.Go(g.serve)
	t.Cleanup(g.close)
	return g
}

// url returns the broker's URL by way of the proxy.
func (g *brokerProxy) url() string {
	by := g.to
	by.Host = g.ln.Addr().String()
	return by.String()
}

func (g *brokerProxy) serve() {
	for {
		near, err := g.ln.Accept()
		if err != nil {
			return
		}
		if !g.forward(near) {
			near.Close()
		}
	}
}

// forward connects to the broker, if that is allowed.
func (g *brokerProxy) forward(near net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.allowed {
		return false
	}
	far, err := net.Dial("tcp", g.to.Host)
	if err != nil {
		return false
	}
	g.conns = append(g.conns, near, far)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		g.done.Go(func() {
			// An error is the end of one side, which ends the other.
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
		})
	}
	return true
}

// allow lets connections through from now on.
func (g *brokerProxy) allow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = true
}

func (g *brokerProxy) close() {
	g.ln.Close()
	g.mu.Lock()
	for _, c := range g.conns {
		c.Close()
	}
	g.mu.Unlock()
	g.done.Wait()
}
