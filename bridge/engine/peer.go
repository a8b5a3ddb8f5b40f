package engine

import (
	"context"
	"net"
	"net/netip"
)

// UnixPeer is the process that connected to a Unix socket, as the system knows it. It may
// have ended since, or passed the connection to another process.
type UnixPeer struct {
	PID int // 0 if the system does not tell
	UID int // effective user
	GID int // effective group
}

// UnixPeer returns the process at the other end of a Unix socket. It returns false for TCP,
// for a listener that expects a PROXY header, since the process there is the proxy, and on systems that do not tell (other than Linux, macOS and FreeBSD).
func (r *Request) UnixPeer() (p UnixPeer, ok bool) {
	switch {
	case r.unixPeer != nil:
		return *r.unixPeer, true
	case !r.unix:
		return p, false
	}
	return peerOf(int(r.fd))
}

// UnixPeerOf returns the process at the other end of a connection, as [Request.UnixPeer].
func UnixPeerOf(conn net.Conn) (p UnixPeer, ok bool) {
	socket, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return p, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return p, false
	}
	err = raw.Control(func(fd uintptr) { p, ok = peerOf(int(fd)) })
	return p, ok && err == nil
}

// UnixPeerFromContext is [Request.UnixPeer] for a request of [Config.HTTP], given the
// request's context, or for one of another server with [ConnContext].
func UnixPeerFromContext(ctx context.Context) (p UnixPeer, ok bool) {
	if c, ok := ctx.Value(connKey{}).(*replayConn); ok {
		if !c.unix {
			return p, false
		}
		return UnixPeerOf(c.socket)
	}
	if conn, ok := ctx.Value(socketKey{}).(net.Conn); ok {
		return UnixPeerOf(conn)
	}
	return p, false
}

type socketKey struct{}

// ConnContext lets [UnixPeerFromContext] know the connections of a [net/http.Server] that has
// it as its ConnContext.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, socketKey{}, conn)
}

// PeerAddrFromContext is [Request.PeerAddr] for a request of [Config.HTTP], given the
// request's context. It does not change when a handler replaces the request's RemoteAddr.
func PeerAddrFromContext(ctx context.Context) netip.AddrPort {
	if c, ok := ctx.Value(connKey{}).(*replayConn); ok {
		return c.client
	}
	return netip.AddrPort{}
}
