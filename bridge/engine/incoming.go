package engine

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// incoming is the state of a connection until its request is accepted: the bytes of the
// request so far, and its state in the limiter. It keeps conn small.
type incoming struct {
	conn    Conn
	options *ListenOptions // of its listener

	client      netip.AddrPort // the socket's peer, or the address in the PROXY header
	expectProxy bool           // a PROXY header must come first
	head        []byte         // the incomplete request
	proxyLength int            // length of the PROXY header at its beginning
	scanned     int            // how far head was searched for its end
	parked      *parked        // nil unless its request is decided elsewhere; head is what came after it

	// The following fields are guarded by connLimiter.mu.
	admission admission
	rejection *RejectError // why it is not counted; nil if it is
	addr      netip.Addr   // the address that it is counted for
	addrCount *addrCount   // nil if its address is not counted
	links     [2]incomingLink
}

// incomingLink links a connection into an incomingList.
type incomingLink struct{ older, newer *incoming }

// The lists that an incoming connection can be in.
const (
	linkByAge     = iota // all evictable ones, or all in the reserve
	linkByAddress        // the evictable ones of one address
)

// incomingList is a list of incoming connections, oldest first.
type incomingList struct {
	link           int // linkByAge or linkByAddress
	oldest, newest *incoming
}

func (l *incomingList) add(in *incoming) {
	in.links[l.link] = incomingLink{older: l.newest}
	if l.newest == nil {
		l.oldest = in
	} else {
		l.newest.links[l.link].newer = in
	}
	l.newest = in
}

func (l *incomingList) remove(in *incoming) {
	link := in.links[l.link]
	if link.older == nil {
		l.oldest = link.newer
	} else {
		link.older.links[l.link].newer = link.newer
	}
	if link.newer == nil {
		l.newest = link.older
	} else {
		link.newer.links[l.link].older = link.older
	}
	in.links[l.link] = incomingLink{}
}

// examine parses a request into r once its head is complete, and returns the bytes after
// it.
func (e *Engine) examine(in *incoming, r *Request, data []byte) (rest []byte, whole bool, rejectErr *RejectError) {
	if in.expectProxy {
		if in.proxyLength, rejectErr = in.readProxy(data); in.expectProxy {
			return nil, false, rejectErr
		}
	}
	data = data[in.proxyLength:]
	if in.proxyLength == 0 && proxyproto.HasSignature(data) {
		return nil, false, e.unexpectedProxy()
	}
	end := headEnd(data, max(0, in.scanned-3))
	if e.headTooLong(end, len(data)) {
		return nil, false, &RejectError{Status: http.StatusRequestHeaderFieldsTooLarge, Kind: KindLongHead,
			Reason: fmt.Sprintf("the request head is too long: more than %d bytes; send fewer or smaller cookies", e.cfg.MaxHead)}
	}
	if end == 0 {
		rejectErr = checkPartial(data, in.scanned)
		in.scanned = len(data)
		return nil, false, rejectErr
	}
	r.peer, r.client, r.tag = in.client, in.client, in.options.Tag
	return data[end:], true, r.read(data[:end:end])
}

// readProxy parses the PROXY header at the beginning of data, and returns its length once
// it is complete. From then on none is expected.
func (in *incoming) readProxy(data []byte) (n int, _ *RejectError) {
	client, n, err := proxyproto.Parse(data)
	switch {
	case err != nil:
		return 0, &RejectError{Status: http.StatusBadRequest, Kind: KindProxyHeader,
			Reason: err.Error() + "; the proxy in front of this port must send one, so connect through that proxy"}
	case n == 0:
		return 0, nil
	case client.IsValid():
		in.client = client
	}
	in.expectProxy = false
	return n, nil
}

// started reports whether the client has sent any of its request.
func (in *incoming) started() bool { return len(in.head) > 0 }

// decide returns the decision on an upgrade, or why it is rejected. A request for net/http
// gets neither: it is no upgrade.
func (e *Engine) decide(in *incoming, r *Request) (u upgrade, accepted Accepted, rejectErr *RejectError) {
	if !r.wantsWebSocket() {
		return u, accepted, e.checkHTTP(in, r)
	}
	if u, rejectErr = e.checkUpgrade(r); rejectErr != nil {
		return u, accepted, rejectErr
	}
	r.peer = r.client
	if r.client, rejectErr = e.callClientAddr(r); rejectErr != nil {
		return u, accepted, rejectErr
	}
	in.client = r.client
	evicted, rejectErr := e.limiter.admit(in, r.client.Addr())
	evicted.closeEvicted()
	if rejectErr != nil {
		return u, accepted, rejectErr
	}
	accepted, err := e.callAccept(r)
	if err != nil {
		e.limiter.demote(in)
		return u, Accepted{}, rejectErrorOf(err)
	}
	accepted.deflate = u.deflate()
	return u, accepted, nil
}

// checkHTTP rejects a request that is neither an upgrade nor fit for net/http. A body is
// not: net/http waits for the rest of it after the response, and its slot would be lost to
// other requests.
func (e *Engine) checkHTTP(in *incoming, r *Request) *RejectError {
	if r.upgradeStripped() {
		return upgradeRequired("This is a request for a WebSocket, but its fields Upgrade and Connection are missing." + proxyHint)
	}
	if r.hasBody() {
		return &RejectError{Status: http.StatusRequestEntityTooLarge, Kind: KindBody, Reason: "no request to this port may have a body: it serves pages and WebSockets"}
	}
	if rejectErr := e.limiter.rejection(in); rejectErr != nil && !e.callVital(r) {
		return rejectErr
	}
	return nil
}

// readHead collects the request head and acts on it once it is complete. Bytes after the
// head are not lost.
func (l *loop) readHead(c *conn, data []byte) {
	in := c.incoming
	if in.started() {
		in.head = append(in.head, data...)
		data = in.head
	}
	r := &l.scratch.request
	r.tlsConn, r.unix, r.fd = nil, in.options.unix, c.fd
	if c.tls != nil {
		r.tlsConn = c.tls.conn
	}
	rest, whole, rejectErr := l.engine.examine(in, r, data)
	switch {
	case rejectErr != nil:
		l.reject(c, rejectErr)
		return
	case !whole:
		if !in.started() {
			in.head = append(make([]byte, 0, 512), data...)
		}
		return
	}
	l.turnRequests++
	l.quantum -= requestCost
	u, accepted, rejectErr := l.engine.decide(in, r)
	switch {
	case rejectErr != nil:
		l.reject(c, rejectErr)
	case !u.valid():
		l.handOff(c, r, rest)
	case accepted.Later != nil:
		l.park(c, accepted.Later, u, rest)
	default:
		l.open(c, accepted, u.response(accepted.Subprotocol), rest)
	}
}

// socketAddr returns the address of a socket's peer; the zero value for a Unix socket.
func socketAddr(sa syscall.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// open turns an accepted request into a WebSocket connection.
func (l *loop) open(c *conn, w Accepted, response, rest []byte) {
	c.addrCount = c.incoming.addrCount // it is counted permanently, so nothing else changes this
	l.recycle(c)
	c.state = stateOpen
	c.session = w.Session
	c.limiter = newRateLimiter(l.engine.cfg.MessageRate, l.wheel.now)
	c.deflate = w.deflate
	if log := w.Log.forEncoding(w.deflate); log != nil {
		log.rings[l.index].add(c, log.next())
	}
	l.engine.open.Add(1)
	l.counters.accepted++
	l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	gen := c.gen
	ok := l.engine.callOpen(l.handle(c), c.session)
	l.send(c, response)
	if !ok {
		l.beginClose(c, ws.StatusInternalServerError, reasonInternalError)
	}
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}

// handOff passes a connection with an ordinary HTTP request to net/http.
func (l *loop) handOff(c *conn, r *Request, rest []byte) {
	if !l.engine.handoff.acquire(r) {
		l.respond(c, busyResponse) // answered by the loop: over TLS the socket may be full
		return
	}
	file := l.poll.release(c)
	defer l.free(c)
	defer file.Close()
	socket, err := net.FileConn(file) // a duplicate; the file is ours to close
	if err != nil {
		l.engine.log.Error("cannot pass a connection to the HTTP server", "error", err)
		l.engine.handoff.release()
		return
	}
	conn := socket
	if c.tls != nil {
		conn = c.tls.handOff(socket, c.out)
	}
	l.engine.handoff.serve(conn, socket, r, rest)
}
