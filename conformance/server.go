package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// server accepts the connections of a client and passes on what comes over them.
type server struct {
	ln    net.Listener
	http  *http.Server
	items chan item
	done  chan struct{} // closed when it ends
	ended sync.WaitGroup

	mu     sync.Mutex // guards the following fields
	refuse int        // the HTTP status that answers an upgrade
	live   map[*wire]bool
}

// item is something that has happened on a connection.
type item struct {
	wire   *wire
	opened bool
	closed bool
	msg    Message
	bad    string // what is wrong with a message
}

// wire is a connection of a client.
type wire struct {
	conn  net.Conn
	path  string
	query url.Values
	token string // shown in the handshake
	v1    bool   // it has asked for v1 while it connected
}

func newServer() (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{ln: ln, items: make(chan item, 1000), done: make(chan struct{}), live: map[*wire]bool{}}
	s.http = &http.Server{Handler: s}
	s.ended.Go(func() { _ = s.http.Serve(ln) })
	return s, nil
}

func (s *server) url() string { return "ws://" + s.ln.Addr().String() + "/" }

func (s *server) close() {
	close(s.done)
	_ = s.http.Close()
	s.mu.Lock()
	for w := range s.live {
		_ = w.conn.Close()
	}
	s.mu.Unlock()
	s.ended.Wait()
}

// setRefusal makes upgrades fail with a status; 0 admits them.
func (s *server) setRefusal(status int) {
	s.mu.Lock()
	s.refuse = status
	s.mu.Unlock()
}

// ServeHTTP upgrades a connection, or says why it was refused.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if refuse != 0 {
		code := "unauthorized"
		if refuse == http.StatusForbidden {
			code = "forbidden"
		}
		w.Header().Set("Content-Type", "application/json")
		if refuse == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		w.WriteHeader(refuse)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "this client is not let in", "code": code})
		return
	}
	if r.Header.Get("Upgrade") == "" {
		_, _ = io.WriteString(w, `{"name": "", "expires": null, "grants": {}, "source": null, "role": null}`)
		return
	}
	c := &wire{path: r.URL.Path, query: r.URL.Query()}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = bearer
	}
	upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool {
		if token, ok := strings.CutPrefix(name, "bearer."); ok {
			c.token = token
			return false
		}
		return name == "clu-ws.v1"
	}}
	for _, list := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(list, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(name), "bearer."); ok {
				c.token = token
			}
		}
	}
	conn, _, shaken, err := upgrader.Upgrade(r, w)
	if err != nil {
		return
	}
	c.conn, c.v1 = conn, shaken.Protocol != "" || len(c.query) > 0
	s.mu.Lock()
	s.live[c] = true
	s.mu.Unlock()
	s.ended.Go(func() { s.read(c) })
}

// read passes on what comes over a connection, until it ends.
func (s *server) read(c *wire) {
	defer func() {
		_ = c.conn.Close()
		s.mu.Lock()
		delete(s.live, c)
		s.mu.Unlock()
		s.pass(item{wire: c, closed: true})
	}()
	s.pass(item{wire: c, opened: true})
	for {
		text, err := wsutil.ReadClientText(c.conn)
		if err != nil {
			return
		}
		if string(text) == "ping" {
			_ = wsutil.WriteServerText(c.conn, []byte("pong"))
			continue
		}
		it := item{wire: c}
		if it.msg, err = Parse(text); err != nil {
			it.bad = fmt.Sprintf("%q is not a JSON object: %v", bytes.TrimSpace(text), err)
		}
		s.pass(it)
	}
}

func (s *server) pass(it item) {
	select {
	case s.items <- it:
	case <-s.done:
	}
}

// send writes a message. An error is seen as the end of the connection.
func (c *wire) send(text string) { _ = wsutil.WriteServerText(c.conn, []byte(text)) }

// cut ends the connection.
func (c *wire) cut(how Cut) {
	if how.Code != 0 {
		var body []byte
		if how.Code != int(ws.StatusNoStatusRcvd) {
			body = ws.NewCloseFrameBody(ws.StatusCode(how.Code), how.Reason)
		}
		_ = ws.WriteFrame(c.conn, ws.NewCloseFrame(body))
		return // the client answers, and closes
	}
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.conn.Close()
}

// subscribesByURL reports whether the URL has a subscription.
func (c *wire) subscribesByURL() bool {
	for name := range c.query {
		if !slices.Contains([]string{"silent", "batch_ms", "m", "ticket", "token"}, name) {
			return true
		}
	}
	return false
}
