package webdemo_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// faultProxy relays connections between a browser and a bridge, cuts them and stalls them.
type faultProxy struct {
	addr   string
	target string
	ln     net.Listener
	ended  sync.WaitGroup

	// mu guards the following fields.
	mu      sync.Mutex
	live    map[net.Conn]net.Conn // the browser's end -> the bridge's
	stalled *stall                // of what browsers send; nil is none
	limit   int                   // bytes until the next connection is cut; 0 is no limit
	cuts    int
	closed  bool
}

func startFaultProxy(t *testing.T, target string) *faultProxy {
	t.Helper()
	c := &faultProxy{target: target, ln: listen(t), live: map[net.Conn]net.Conn{}}
	c.addr = c.ln.Addr().String()
	c.ended.Go(func() {
		for {
			conn, err := c.ln.Accept()
			if err != nil {
				return
			}
			c.ended.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		c.ln.Close()
		c.cut()
		c.ended.Wait()
	})
	return c
}

func (c *faultProxy) serve(browser net.Conn) {
	bridge, err := net.Dial("tcp", c.target)
	if err != nil {
		browser.Close()
		return
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		browser.Close()
		bridge.Close()
		return
	}
	c.live[browser] = bridge
	down := io.Reader(bridge)
	if c.limit > 0 {
		down = io.LimitReader(bridge, int64(c.limit))
		c.limit = 0
	}
	c.mu.Unlock()
	c.ended.Go(func() {
		_, _ = io.Copy(bridge, stallingReader{browser, c})
		c.end(browser)
	})
	_, _ = io.Copy(browser, down)
	c.end(browser)
}

// stallingReader reads what a browser sends, and blocks while the proxy is stalled.
type stallingReader struct {
	net.Conn
	c *faultProxy
}

func (r stallingReader) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.c.mu.Lock()
	stalled := r.c.stalled
	r.c.mu.Unlock()
	if stalled != nil {
		stalled.once.Do(func() { close(stalled.caught) })
		<-stalled.released
	}
	return n, err
}

// stall blocks what browsers send, as a stalled network does.
type stall struct {
	once     sync.Once
	caught   chan struct{} // closed when something was blocked
	released chan struct{} // closed when the stall ends
}

// stall blocks what browsers send from now on. It closes caught when something was blocked.
func (c *faultProxy) stall() (caught <-chan struct{}, release func()) {
	s := &stall{caught: make(chan struct{}), released: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = s
	return s.caught, sync.OnceFunc(func() {
		c.mu.Lock()
		c.stalled = nil
		c.mu.Unlock()
		close(s.released)
	})
}

// end resets one connection, without a close frame.
func (c *faultProxy) end(browser net.Conn) {
	c.mu.Lock()
	bridge, ok := c.live[browser]
	delete(c.live, browser)
	if ok {
		c.cuts++
	}
	c.mu.Unlock()
	if ok {
		_ = browser.(*net.TCPConn).SetLinger(0)
		browser.Close()
		bridge.Close()
	}
}

// cut cuts all connections.
func (c *faultProxy) cut() {
	c.mu.Lock()
	var all []net.Conn
	for browser := range c.live {
		all = append(all, browser)
	}
	c.mu.Unlock()
	for _, browser := range all {
		c.end(browser)
	}
}

// cutAfter cuts all connections now, and the next one after that many bytes to the browser.
func (c *faultProxy) cutAfter(bytes int) {
	c.mu.Lock()
	c.limit = bytes
	c.mu.Unlock()
	c.cut()
}

// count returns how many connections were cut.
func (c *faultProxy) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}
