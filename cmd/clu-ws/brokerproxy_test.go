package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// brokerProxy stands between a bridge and its broker. Until it is opened, it turns the
// bridge away.
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

// url is the broker's, by way of the gate.
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

// forward connects to the broker, if the gate is open.
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
			// An error is the end of one side, which the other is told by its own.
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
		})
	}
	return true
}

// allow lets the bridge through from now on.
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
