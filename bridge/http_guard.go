package bridge

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/origin"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Every request, on every port, is checked here first: the page that it comes from (package
// origin) and its client's address (package forwarded).

// The kinds of the bridge's own refusals, in addition to those of the engine and of package
// origin.
const (
	forwardedKind = "forwarded"
	pathKind      = "path"
)

// ListenOptions are the options of a listener.
type ListenOptions struct {
	// Proxy expects a PROXY protocol header at the beginning of each connection.
	Proxy bool
	// TLS makes connections use TLS, after that header. nil is plain TCP.
	TLS *tls.Config
}

// ListenWith is [Bridge.Listen] with options.
func (b *Bridge) ListenWith(ln net.Listener, o ListenOptions) error {
	return b.engine.ListenWith(ln, engine.ListenOptions{Proxy: o.Proxy, TLS: o.TLS, Tag: origin.Listener{Local: isLocal(ln.Addr()), Access: b.cfg.Access != nil}})
}

// isLocal reports whether only this machine can reach an address.
func isLocal(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// checkOrigin refuses an upgrade from a page that may not use the bridge.
func (b *Bridge) checkOrigin(r *engine.Request) *engine.RejectError {
	l, _ := r.Tag().(origin.Listener)
	if no := b.policies().origins.Check(l, origin.Request{Origins: r.Values("Origin"), Host: r.Header("Host")}); no != nil {
		return &engine.RejectError{Status: http.StatusForbidden, Kind: no.Kind, Reason: no.Error()}
	}
	return nil
}

// guardClients guards the plain HTTP requests on the clients' port.
func (b *Bridge) guardClients(next http.Handler) http.Handler {
	return b.guard(next, func(r *http.Request) (l origin.Listener, known bool) {
		l, known = engine.TagFromContext(r.Context()).(origin.Listener)
		return l, known
	})
}

// shortAnswerTimeout is how long a client may take to read a short answer.
const shortAnswerTimeout = time.Minute

// guardAdmin guards the admin port. A request that did not come through a listener was made
// by the program itself.
func (b *Bridge) guardAdmin(next http.Handler) http.Handler {
	guarded := b.guard(next, func(r *http.Request) (l origin.Listener, known bool) {
		addr, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		return origin.Listener{Admin: true, Hostname: b.cfg.AdminHost, Local: known && isLocal(addr), Access: b.access != nil}, known
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w) // an error means that there is no socket
		if !needsIdentity(r.URL.Path) {
			// An answer of those two may take long to produce.
			_ = rc.SetWriteDeadline(time.Now().Add(shortAnswerTimeout))
		}
		if r.ContentLength != 0 {
			// net/http also waits for a body that no handler reads.
			_ = rc.SetReadDeadline(time.Now().Add(apiReadTimeout))
		}
		guarded.ServeHTTP(w, r)
	})
}

// needsIdentity reports whether a path of the admin port requires the client's identity.
func needsIdentity(path string) bool {
	return path == keywordMetricsPath || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/debug/")
}

// guard answers requests from pages that may not use the bridge with 403, and requests whose
// client is unknown with 400.
func (b *Bridge) guard(next http.Handler, listener func(*http.Request) (l origin.Listener, known bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, known := listener(r)
		if !known {
			next.ServeHTTP(w, r)
			return
		}
		peer, _ := netip.ParseAddrPort(r.RemoteAddr) // if it is not an address, the peer is that of a Unix socket
		if !b.nameClient(r, peer) {
			http.Error(w, forwarded.ErrConflict.Error(), http.StatusBadRequest)
			return
		}
		from := originRequestHTTP(b.policies().fronts, r, peer.Addr())
		no := b.policies().origins.CheckHost(l, from)
		if no == nil {
			no = b.policies().origins.CheckOrigin(l, from)
			if b.access != nil && (!l.Admin || needsIdentity(r.URL.Path)) {
				// The credential decides whether the origin matters (identifyHTTP). What needs
				// none on the clients' port, pages and health, is for every page.
				r, no = withCaller(r, caller{peer: peer, foreign: no, admin: l.Admin}), nil
			}
		}
		if no == nil {
			next.ServeHTTP(w, r)
			return
		}
		b.refusals.Note(no.Kind, "client", r.RemoteAddr, "why", no.Error())
		if strings.HasPrefix(r.URL.Path, "/api/") {
			writeAPI(w, http.StatusForbidden, protocol.JSON(apiError{Error: no.Error(), Code: protocol.CodeForbidden}))
			return
		}
		http.Error(w, no.Error(), http.StatusForbidden)
	})
}

// noteRefusal counts and logs a request that the engine refused.
func (b *Bridge) noteRefusal(r *engine.RejectError, client netip.AddrPort) {
	b.refusals.Note(r.Kind, "client", remoteName(client), "status", r.Status, "why", r.Reason)
}

// clientAddr returns the client's address of an upgrade.
func (b *Bridge) clientAddr(r *engine.Request) (netip.AddrPort, *engine.RejectError) {
	proxies := b.policies().proxies
	b.warnOfUntrustedProxy(proxies, r.RemoteAddr(), r.Values)
	if proxies == nil {
		return r.RemoteAddr(), nil
	}
	client, err := proxies.Client(r.RemoteAddr(), r.Values("X-Forwarded-For"), r.Values("Forwarded"))
	switch {
	case errors.Is(err, forwarded.ErrConflict):
		return client, &engine.RejectError{Status: http.StatusBadRequest, Kind: forwardedKind, Reason: err.Error()}
	case err != nil:
		b.noteBadForwarded(client, err)
	}
	return client, nil
}

// warnOfUntrustedProxy logs, once, that what seems to be a proxy names its client in vain. Only a
// proxy that is near may be one of the observatory's: any client can send the fields.
func (b *Bridge) warnOfUntrustedProxy(p *forwarded.Proxies, peer netip.AddrPort, values func(string) []string) {
	if p.Trusts(peer.Addr()) || !isNear(peer.Addr()) || len(values("X-Forwarded-For"))+len(values("Forwarded")) == 0 {
		return
	}
	b.untrustedProxy.Do(func() {
		trust := remoteName(netip.AddrPortFrom(peer.Addr(), 0))
		b.log.Warn("a proxy names its clients' addresses, but is not trusted, so all clients have its own; if it is yours, use --trusted-proxy "+trust, "proxy", trust)
	})
}

// isNear reports whether an address is of this machine or of a private network. The zero address
// is the peer of a Unix socket.
func isNear(a netip.Addr) bool {
	return !a.IsValid() || a.Unmap().IsLoopback() || a.Unmap().IsPrivate()
}

// nameClient sets a request's RemoteAddr to the client's address. It returns false if the
// address is ambiguous.
func (b *Bridge) nameClient(r *http.Request, peer netip.AddrPort) bool {
	proxies := b.policies().proxies
	if proxies == nil {
		return true
	}
	client, err := proxies.Client(peer, r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded"))
	switch {
	case errors.Is(err, forwarded.ErrConflict):
		b.refusals.Note(forwardedKind, "client", r.RemoteAddr, "why", err.Error())
		return false
	case err != nil:
		b.noteBadForwarded(client, err)
	}
	if client.IsValid() {
		r.RemoteAddr = remoteName(client)
	}
	return true
}

// noteBadForwarded logs that a trusted proxy names no client. The client is then served
// under the proxy's address.
func (b *Bridge) noteBadForwarded(proxy netip.AddrPort, err error) {
	b.badForwarded.Note("no client address", "proxy", remoteName(proxy), "why", err.Error())
}

// remoteName formats an address for logs, presence and the list of clients.
func remoteName(addr netip.AddrPort) string {
	switch {
	case !addr.IsValid():
		return "unix"
	case addr.Port() == 0: // the proxy gave none
		return addr.Addr().String()
	}
	return addr.String()
}

// parseRemote returns the address that remoteName formats: the zero value for a Unix socket.
func parseRemote(name string) netip.AddrPort {
	if at, err := netip.ParseAddrPort(name); err == nil {
		return at
	}
	addr, _ := netip.ParseAddr(name)
	return netip.AddrPortFrom(addr, 0)
}

// isHealthCheck reports whether a request is answered even at the connection limit.
func isHealthCheck(r *engine.Request) bool {
	path, _, _ := strings.Cut(r.Target(), "?")
	return path == "/healthz" || path == "/readyz"
}
