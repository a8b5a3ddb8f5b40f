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
	skip        int            // length of the PROXY header in it
	looked      int            // how far it was searched for the end

	// The following fields are guarded by connLimiter.mu.
	place  place
	noRoom *RejectError // why it has no place; nil if it has one
	addr   netip.Addr   // the address that it counts for
	count  *addrCount   // nil if its address is not counted
	links  [2]headLink
}

// headLink is a connection's link in a headList.
type headLink struct{ older, newer *incoming }

// The lists in which an incoming connection can be.
const (
	inOrder   = iota // all with a place, or all in the reserve
	byAddress        // those of one address
)

// headList is a list of incoming connections, oldest first.
type headList struct {
	of             int // inOrder or byAddress
	oldest, newest *incoming
}

func (l *headList) add(in *incoming) {
	in.links[l.of] = headLink{older: l.newest}
	if l.newest == nil {
		l.oldest = in
	} else {
		l.newest.links[l.of].newer = in
	}
	l.newest = in
}

func (l *headList) remove(in *incoming) {
	link := in.links[l.of]
	if link.older == nil {
		l.oldest = link.newer
	} else {
		link.older.links[l.of].newer = link.newer
	}
	if link.newer == nil {
		l.newest = link.older
	} else {
		link.newer.links[l.of].older = link.older
	}
	in.links[l.of] = headLink{}
}

// examine looks at all that has come of a request, and reads it into r once its head
// is whole; rest is what lies behind it then.
func (e *Engine) examine(in *incoming, r *Request, data []byte) (rest []byte, whole bool, no *RejectError) {
	if in.expectProxy {
		if in.skip, no = in.readProxy(data); in.expectProxy {
			return nil, false, no
		}
	}
	data = data[in.skip:]
	if in.skip == 0 && proxyproto.HasSignature(data) {
		return nil, false, e.unexpectedProxy()
	}
	end := headEnd(data, max(0, in.looked-3))
	if e.headTooLong(end, len(data)) {
		return nil, false, &RejectError{Status: http.StatusRequestHeaderFieldsTooLarge, Kind: KindLongHead,
			Reason: fmt.Sprintf("the request head is too long: more than %d bytes; send fewer or smaller cookies", e.cfg.MaxHead)}
	}
	if end == 0 {
		no = checkBegin(data, in.looked)
		in.looked = len(data)
		return nil, false, no
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

// receive decides on a request: an upgrade gets an answer or a refusal, and a request
// for net/http neither.
func (e *Engine) receive(in *incoming, r *Request) (answer []byte, welcome Accepted, no *RejectError) {
	if !r.wantsWebSocket() {
		return nil, welcome, e.checkOrdinary(in, r)
	}
	key, no := r.checkHandshake()
	if no != nil {
		return nil, welcome, no
	}
	if r.client, no = e.clientAddr(r); no != nil {
		return nil, welcome, no
	}
	in.client = r.client
	evicted, no := e.limiter.admit(in, r.client.Addr())
	evicted.giveWay()
	if no != nil {
		return nil, welcome, no
	}
	if answer, welcome, no = e.negotiate(r, key); no != nil {
		e.limiter.demote(in)
	}
	return answer, welcome, no
}

// checkOrdinary refuses a request that is no upgrade and not for net/http. One with a
// body is not: net/http waits for the rest of it when it has answered, and would be
// kept from others' requests.
func (e *Engine) checkOrdinary(in *incoming, r *Request) *RejectError {
	if r.lostUpgrade() {
		return noUpgrade("This is a request for a WebSocket, but its fields Upgrade and Connection are missing." + proxySetting)
	}
	if r.hasBody() {
		return &RejectError{Status: http.StatusRequestEntityTooLarge, Kind: KindBody, Reason: "no request to this port may have a body: it serves pages and WebSockets"}
	}
	if no := e.limiter.noRoom(in); no != nil && !e.vital(r) {
		return no
	}
	return nil
}

// readHead collects the request head and acts on it once it is whole. What
// follows it in the same bytes is not lost.
func (l *loop) readHead(c *conn, data []byte) {
	in := c.head
	if in.started() {
		in.head = append(in.head, data...)
		data = in.head
	}
	r := &l.request
	r.secure = nil
	if c.tls != nil {
		r.secure = c.tls.conn
	}
	rest, whole, no := l.engine.examine(in, r, data)
	switch {
	case no != nil:
		l.refuse(c, no)
		return
	case !whole:
		if !in.started() {
			in.head = append(make([]byte, 0, 512), data...)
		}
		return
	}
	answer, welcome, no := l.engine.receive(in, r)
	switch {
	case no != nil:
		l.refuse(c, no)
	case answer == nil:
		l.handOver(c, r, rest)
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
	c.from = c.head.count // its place is permanent, so nothing else changes this
	l.recycle(c)
	c.state = stateOpen
	c.session = w.Session
	c.budget = fullBudget(l.engine.cfg.MessageRate, l.wheel.now)
	c.deflate = w.deflate
	if log := w.Log.of(w.deflate); log != nil {
		log.rings[l.index].add(c, log.next())
	}
	l.engine.open.Add(1)
	l.tally.accepted++
	l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	gen := c.gen
	ok := l.engine.opened(l.handle(c), c.session)
	l.send(c, answer)
	if !ok {
		l.beginClose(c, ws.StatusInternalServerError, failed)
	}
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}

// handOver lets go of a connection whose request is for net/http.
func (l *loop) handOver(c *conn, r *Request, rest []byte) {
	if !l.engine.handoff.take(r) {
		l.reject(c, busy) // as the loop answers: over TLS the socket may be full
		return
	}
	file := l.poll.release(c)
	defer l.forget(c)
	defer file.Close()
	socket, err := net.FileConn(file) // a duplicate; the file is ours to close
	if err != nil {
		l.engine.log.Error("cannot hand a request to the HTTP server", "error", err)
		l.engine.handoff.leave()
		return
	}
	if c.tls != nil {
		socket = c.tls.handOver(socket, c.out)
	}
	l.engine.handoff.give(socket, r, rest)
}
