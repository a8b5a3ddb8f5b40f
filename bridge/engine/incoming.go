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
// request so far, and its place in the limiter. It keeps conn small.
type incoming struct {
	conn    Conn
	options *ListenOptions // of its listener

	client      netip.AddrPort // the socket's peer, or the address in the PROXY header
	expectProxy bool           // a PROXY header must come first
	head        []byte         // the bytes so far, while it is incomplete
	proxyLength int            // length of the PROXY header in it
	scanned     int            // how far it was searched for the end

	// The following fields are guarded by connLimiter.mu.
	admission admission
	rejection *RejectError // why it has no place; nil if it has one
	addr      netip.Addr   // the address that it counts for
	addrCount *addrCount   // nil if its address is not counted
	links     [2]incomingLink
}

// incomingLink is a connection's link in a headList.
type incomingLink struct{ older, newer *incoming }

// The lists in which an incoming connection can be.
const (
	linkByAge     = iota // all with a place, or all in the reserve
	linkByAddress        // those of one address
)

// incomingList is a list of incoming connections, oldest first.
type incomingList struct {
	link           int // inOrder or byAddress
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

// examine looks at all that has come of a request, and reads it into r once its head
// is whole; rest is what lies behind it then.
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
	r.client, r.tag = in.client, in.options.Tag
	return data[end:], true, r.read(data[:end:end])
}

// readProxy reads the PROXY header at the beginning of data, and returns its length once
// it is whole. Then none is expected any more.
func (in *incoming) readProxy(data []byte) (n int, _ *RejectError) {
	client, n, err := proxyproto.Parse(data)
	switch {
	case err != nil:
		return 0, &RejectError{Status: http.StatusBadRequest, Kind: KindProxyHeader,
			Reason: err.Error() + "; a proxy in front of this port has to send one, so connect by way of that proxy"}
	case n == 0:
		return 0, nil
	case client.IsValid():
		in.client = client
	}
	in.expectProxy = false
	return n, nil
}

// started reports whether the client has sent anything of its request.
func (in *incoming) started() bool { return len(in.head) > 0 }

// decide decides on a request: an upgrade gets an answer or a refusal, and a request
// for net/http neither.
func (e *Engine) decide(in *incoming, r *Request) (answer []byte, welcome Accepted, rejectErr *RejectError) {
	if !r.wantsWebSocket() {
		return nil, welcome, e.checkHTTP(in, r)
	}
	key, rejectErr := r.checkHandshake()
	if rejectErr != nil {
		return nil, welcome, rejectErr
	}
	if r.client, rejectErr = e.callClientAddr(r); rejectErr != nil {
		return nil, welcome, rejectErr
	}
	in.client = r.client
	evicted, rejectErr := e.limiter.admit(in, r.client.Addr())
	evicted.closeEvicted()
	if rejectErr != nil {
		return nil, welcome, rejectErr
	}
	if answer, welcome, rejectErr = e.negotiate(r, key); rejectErr != nil {
		e.limiter.demote(in)
	}
	return answer, welcome, rejectErr
}

// checkHTTP refuses a request that is no upgrade and not for net/http. One with a
// body is not: net/http waits for the rest of it when it has answered, and would be
// kept from others' requests.
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

// readHead collects the request head and acts on it once it is whole. What
// follows it in the same bytes is not lost.
func (l *loop) readHead(c *conn, data []byte) {
	in := c.incoming
	if in.started() {
		in.head = append(in.head, data...)
		data = in.head
	}
	r := &l.request
	r.tlsConn = nil
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
	answer, welcome, rejectErr := l.engine.decide(in, r)
	switch {
	case rejectErr != nil:
		l.reject(c, rejectErr)
	case answer == nil:
		l.handOff(c, r, rest)
	default:
		l.open(c, welcome, answer, rest)
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

// open makes a connection of an accepted request.
func (l *loop) open(c *conn, w Accepted, answer, rest []byte) {
	c.addrCount = c.incoming.addrCount // its place is permanent, so nothing else changes this
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
	l.send(c, answer)
	if !ok {
		l.beginClose(c, ws.StatusInternalServerError, reasonInternalError)
	}
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}

// handOff lets go of a connection whose request is for net/http.
func (l *loop) handOff(c *conn, r *Request, rest []byte) {
	if !l.engine.handoff.acquire(r) {
		l.respond(c, busyResponse) // as the loop answers: over TLS the socket may be full
		return
	}
	file := l.poll.release(c)
	defer l.free(c)
	defer file.Close()
	socket, err := net.FileConn(file) // a duplicate; the file is ours to close
	if err != nil {
		l.engine.log.Error("cannot hand a request to the HTTP server", "error", err)
		l.engine.handoff.release()
		return
	}
	if c.tls != nil {
		socket = c.tls.handOff(socket, c.out)
	}
	l.engine.handoff.serve(socket, r, rest)
}
