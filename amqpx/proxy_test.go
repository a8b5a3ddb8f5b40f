package amqpx_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy is between a link and its broker, and can stall as a network does: data stays in the
// buffers, and neither end hangs up.
type proxy struct {
	ln   net.Listener
	to   string
	done sync.WaitGroup

	mu      sync.Mutex // guards the following fields
	pipes   []*pipe    // in the order in which they were opened
	refuses bool
}

// pipe is one connection through the proxy. Holding its gate stalls it.
type pipe struct {
	gate             sync.RWMutex
	stalled          sync.Once
	client, upstream net.Conn
	halfOpen         atomic.Bool // the upstream stays open when the client is gone
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, to: to}
	p.done.Go(p.serve)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "amqp://guest:guest@" + p.ln.Addr().String() + "/" }

func (p *proxy) serve() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		if p.refusing() {
			client.Close()
			continue
		}
		upstream, err := net.Dial("tcp", p.to)
		if err != nil {
			client.Close()
			continue
		}
		c := &pipe{client: client, upstream: upstream}
		p.mu.Lock()
		p.pipes = append(p.pipes, c)
		p.mu.Unlock()
		p.done.Go(func() { c.pump(upstream, client); c.clientGone() })
		p.done.Go(func() { c.pump(client, upstream); client.Close() })
	}
}

func (c *pipe) pump(to, from net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		c.gate.RLock()
		if err == nil {
			_, err = to.Write(buf[:n])
		}
		c.gate.RUnlock()
		if err != nil {
			return
		}
	}
}

func (c *pipe) clientGone() {
	if !c.halfOpen.Load() {
		c.upstream.Close()
	}
}

// reset breaks all connections only on the client's side: the broker is not notified, and hears
// nothing more.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.pipes {
		c.halfOpen.Store(true)
		c.client.Close()
	}
}

// stall stops the flow of connections, counted from 0, in both directions, until the test ends.
func (p *proxy) stall(connections ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range connections {
		p.pipes[i].stalled.Do(p.pipes[i].gate.Lock)
	}
}

func (p *proxy) refusing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refuses
}

// refuse breaks all connections and refuses new ones while it is on.
func (p *proxy) refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = on
	for _, c := range p.pipes {
		c.client.Close()
		c.upstream.Close()
	}
}

func (p *proxy) close() {
	p.ln.Close()
	p.mu.Lock()
	for _, c := range p.pipes {
		c.client.Close()
		c.upstream.Close()
		stalled := true
		c.stalled.Do(func() { stalled = false })
		if stalled {
			c.gate.Unlock()
		}
	}
	p.mu.Unlock()
	p.done.Wait()
}
