package bridge

import (
	"net/http"
	"net/netip"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// headerSource returns the header fields of an upgrade request, which is replaced by a copy if the
// decision takes longer than Accept.
type headerSource struct{ *engine.Request }

func (h *headerSource) values(name string) []string { return h.Values(name) }
func (h *headerSource) detach()                     { h.Request = h.Clone() }

// originRequest returns the fields of an upgrade that decide whether its page may connect.
func originRequest(p *forwarded.Proxies, r *engine.Request) origin.Request {
	peer, host := r.PeerAddr().Addr(), r.Header("Host")
	return origin.Request{
		Origins: r.Values("Origin"),
		Host:    host,
		Asked:   p.Asked(peer, r.TLS() != nil, host, r.Values),
		Proxied: namesClient(p, peer, r.Values),
	}
}

// originRequestHTTP is originRequest for a request that net/http serves.
func originRequestHTTP(p *forwarded.Proxies, r *http.Request, peer netip.Addr) origin.Request {
	return origin.Request{
		Origins: r.Header.Values("Origin"),
		Host:    r.Host,
		Asked:   p.Asked(peer, r.TLS != nil, r.Host, r.Header.Values),
		Proxied: namesClient(p, peer, r.Header.Values),
		Site:    r.Header.Get("Sec-Fetch-Site"),
		Mode:    r.Header.Get("Sec-Fetch-Mode"),
		Dest:    r.Header.Get("Sec-Fetch-Dest"),
	}
}

// namesClient reports whether a request comes from a trusted proxy that names the client.
func namesClient(p *forwarded.Proxies, peer netip.Addr, values func(string) []string) bool {
	return p.Trusts(peer) && (len(values("X-Forwarded-For")) > 0 || len(values("Forwarded")) > 0)
}
