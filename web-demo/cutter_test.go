package webdemo_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cutter stands between a browser and a bridge, and cuts their connections.
type cutter struct {
	addr   string
	target string
	ln     net.Listener
	ended  sync.WaitGroup

	// mu guards the following fields.
	mu     sync.Mutex
	live   map[net.Conn]net.Conn // the browser's end and the bridge's
	hold   *hold                 // of what browsers send; nil while that goes on
	budget int                   // bytes that the next connections bring to the browser before they are cut, in turn; 0 is no bound
	cuts   int
	closed bool
}

func startCutter(t *testing.T, target string) *cutter {
	t.Helper()
	c := &cutter{target: target, ln: listen(t), live: map[net.Conn]net.Conn{}}
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

func (c *cutter) serve(browser net.Conn) {
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
	if c.budget > 0 {
		down = io.LimitReader(bridge, int64(c.budget))
		c.budget = 0
	}
	c.mu.Unlock()
	c.ended.Go(func() {
		_, _ = io.Copy(bridge, holding{browser, c})
		c.end(browser)
	})
	_, _ = io.Copy(browser, down)
	c.end(browser)
}

// holding reads what a browser sends, and keeps it while the cutter holds.
type holding struct {
	net.Conn
	c *cutter
}

func (h holding) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.c.mu.Lock()
	hold := h.c.hold
	h.c.mu.Unlock()
	if hold != nil {
		hold.once.Do(func() { close(hold.caught) })
		<-hold.released
	}
	return n, err
}

// hold keeps what browsers send, as a network that stalls does.
type hold struct {
	once     sync.Once
	caught   chan struct{} // closed when something is kept
	released chan struct{} // closed when it goes on
}

// stall keeps what browsers send from now on. Something is kept when caught is closed.
func (c *cutter) stall() (caught <-chan struct{}, release func()) {
	h := &hold{caught: make(chan struct{}), released: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = h
	return h.caught, sync.OnceFunc(func() {
		c.mu.Lock()
		c.hold = nil
		c.mu.Unlock()
		close(h.released)
	})
}

// end cuts one connection, as a network that is gone would: without a goodbye.
func (c *cutter) end(browser net.Conn) {
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
func (c *cutter) cut() {
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

// cutAfter cuts all connections now, and the next one when it has brought so many bytes.
func (c *cutter) cutAfter(bytes int) {
	c.mu.Lock()
	c.budget = bytes
	c.mu.Unlock()
	c.cut()
}

// count is how many connections were cut.
func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}
