package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// connectWindow is the limit of connections being made. A listener of Go has a backlog of at most 4,096.
	connectWindow = 256
	// clientsPerAddress is how many clients share a source address: many systems have 28,000 ports for each, and a
	// server may limit the connections of one address.
	clientsPerAddress = 64
	// smallReceive is the receive buffer of a client that will stop reading, in bytes: a large one would hide that from
	// the server.
	smallReceive = 4 << 10
)

// The key of RFC 6455, 1.3, and its answer. One key is enough here.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAnswer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// dialer is where a set of clients connects.
type dialer struct {
	to           netip.AddrPort
	path         string
	paths        []string // which clients use in turn; nil is path for all
	headers      []string // further header fields, which clients use in turn, each line with CR LF; nil is none
	window       int      // the limit of connections being made; 0 is connectWindow
	host         string
	smallBuffers int // this many of the first clients have a small receive buffer
	firstIndex   int // the index of the first client among those of all processes
}

// requests returns the upgrade requests, which clients use in turn.
func (d dialer) requests() (requests [][]byte) {
	paths := d.paths
	if paths == nil {
		paths = []string{d.path}
	}
	headers := d.headers
	if headers == nil {
		headers = []string{""}
	}
	for i := range max(len(paths), len(headers)) {
		path, header := paths[i%len(paths)], headers[i%len(headers)]
		requests = append(requests, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, d.host, handshakeKey, header))
	}
	return requests
}

// socket starts the i-th connection.
func (d dialer) socket(i int) (fd int, err error) {
	family := unix.AF_INET
	if d.to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err := d.connect(fd, i); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (d dialer) connect(fd, i int) error {
	if i < d.smallBuffers {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, smallReceive); err != nil {
			return fmt.Errorf("SO_RCVBUF: %w", err)
		}
	}
	var to unix.Sockaddr = &unix.SockaddrInet6{Port: int(d.to.Port()), Addr: d.to.Addr().As16()}
	if d.to.Addr().Is4() {
		to = &unix.SockaddrInet4{Port: int(d.to.Port()), Addr: d.to.Addr().As4()}
		if err := d.bind(fd, i); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// bind gives the socket a source address of 127.1.0.0/16 if the target is on loopback. The kernel chooses the port when
// it connects, since only then it knows both ends.
func (d dialer) bind(fd, i int) error {
	if !d.to.Addr().IsLoopback() {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
	}
	n := (d.firstIndex + i) / clientsPerAddress
	from := &unix.SockaddrInet4{Addr: [4]byte{127, 1, byte(n / 250), byte(1 + n%250)}}
	if err := unix.Bind(fd, from); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// connect adds n clients, and returns the time until the last one had the response to its request.
func (set *clientSet) connect(ctx context.Context, n int) (time.Duration, error) {
	connected := make(chan struct{})
	var start int64
	set.loop.post(func() {
		start = set.loop.clock()
		set.connected = connected
		set.connectMore(n)
	})
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, fmt.Errorf("not all of %d clients were connected within %v", n, connectTimeout))
	defer cancel()
	select {
	case <-connected:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	var refused string
	var took int64
	set.loop.call(func() { refused, took = set.refused, set.at-start })
	if refused != "" {
		return 0, errors.New("a client could not connect: " + refused)
	}
	return time.Duration(took), nil
}

// connectTimeout is how long it may take to connect all clients of a set.
const connectTimeout = time.Minute

// connectMore starts connections of the sets that have clients to connect, up to their window.
func (l *clientLoop) connectMore() {
	l.connecting = slices.DeleteFunc(l.connecting, func(set *clientSet) bool {
		for set.toConnect > 0 && set.inFlight < cmp.Or(set.dial.window, connectWindow) {
			set.connectOne()
		}
		return set.toConnect == 0
	})
}

func (set *clientSet) connectOne() {
	fd, err := set.dial.socket(len(set.clients))
	if err == nil {
		if err = set.loop.register(fd, clientEvents); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		set.giveUp(err.Error())
		return
	}
	c := &client{set: set, request: set.requests[len(set.clients)%len(set.requests)], fd: fd}
	if len(set.steps) > 0 {
		c.steps = set.steps[len(set.clients)%len(set.steps)]
	}
	for len(set.loop.clients) <= fd {
		set.loop.clients = append(set.loop.clients, nil)
	}
	set.loop.clients[fd] = c
	set.clients = append(set.clients, c)
	set.toConnect--
	set.inFlight++
}

// connectMore asks the loop to connect n more clients.
func (set *clientSet) connectMore(n int) {
	set.toConnect += n
	if !slices.Contains(set.loop.connecting, set) {
		set.loop.connecting = append(set.loop.connecting, set)
	}
}

// opened handles the response to a client's request.
func (set *clientSet) opened(c *client) {
	c.next, c.until = set.end, set.end // nothing, until replies are announced
	if set.lateJoiners {
		c.next, c.done = 0, true // its first reply may have any number
	}
	set.open++
	if set.inFlight--; set.inFlight == 0 && set.toConnect == 0 && set.connected != nil {
		set.at = set.loop.clock()
		close(set.connected)
		set.connected = nil
	}
}

// connectionLost handles a connection that the server ended.
func (set *clientSet) connectionLost(c *client, opened bool, why string) {
	if !opened {
		set.inFlight--
		if set.retries > 0 {
			set.retries--
			set.connectMore(1)
			return
		}
		set.giveUp(why)
		return
	}
	set.open--
	set.ended[why]++
	if set.replacements != nil {
		set.replacements.connectMore(1)
	}
	if !c.done && !c.paused && set.end > 0 {
		set.lost++
		set.checkFinished()
	}
}

// giveUp stops connecting.
func (set *clientSet) giveUp(why string) {
	set.toConnect = 0
	if set.connected != nil {
		set.refused = why
		close(set.connected)
		set.connected = nil
	}
}
